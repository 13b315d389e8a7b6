"""The assessor: all layers over one message. A layer that fails is named in the verdict, never silences the others."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from bot.adapters.language.rules import RuleLayer
from bot.core.safety.verdict import AssessmentContext, Finding, Verdict, combine

BARE = re.compile(r"^[\W\d_]*$")


class Assessor:
    """Assesses messages deterministically: the same text and context give the same verdict, bit for bit."""

    def __init__(self, rules: RuleLayer, version: str) -> None:
        self._rules, self.version = rules, version

    def assess(self, text: str, context: AssessmentContext) -> Verdict:
        """The verdict on one message. An empty text or a bare number is `none`, except a blood pressure."""
        if BARE.match(text) and "/" not in text and len(text) < 12 and not any(ord(c) > 0x2190 for c in text):
            return combine((), version=self.version)
        failed: tuple[str, ...] = ()
        found: list[Finding] = []
        try:
            found = self._rules.findings(text, context)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            failed = ("rules",)
        return combine(found, version=self.version, failed_layers=failed)


def load_assessor(rules_folder: Path) -> Assessor:
    """The assessor from the folder of rules. Raises OSError, KeyError or re.error for rules that cannot be read."""
    digest = hashlib.sha256()
    for name in ("lexicon.yml", "tripwires.yml"):
        digest.update((rules_folder / name).read_bytes())
    return Assessor(RuleLayer(rules_folder), f"rules-{digest.hexdigest()[:12]}")
