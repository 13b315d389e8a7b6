"""The assessor: all layers over one message. A layer that fails is named in the verdict, never silences the others."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot.adapters.language.meaning import MeaningFailed, MeaningLayer, Reading
from bot.adapters.language.rules import RuleLayer
from bot.core.safety.verdict import AssessmentContext, Finding, Level, Verdict, combine

BARE = re.compile(r"^[\W\d_]*$")
SHORT_REPLY = 12  # words; a reply this short is also read together with what came before it
REMEMBERED = 256  # readings kept in memory, so that a message is not read again as history


class Assessor:
    """Assesses messages deterministically: the same text and context give the same verdict, bit for bit."""

    def __init__(self, rules: RuleLayer, meaning: MeaningLayer, version: str) -> None:
        self._rules, self._meaning, self.version = rules, meaning, version
        self._readings: OrderedDict[str, Reading] = OrderedDict()

    @property
    def thresholds(self) -> Mapping[str, float]:
        """The meaning layer's thresholds by decision, 0 to 1."""
        return self._meaning.thresholds

    def assess(self, text: str, context: AssessmentContext) -> Verdict:
        """The verdict on one message. An empty text or a bare number is `none`, except a blood pressure."""
        if BARE.match(text) and "/" not in text and len(text) < 12 and not any(ord(c) > 0x2190 for c in text):
            return combine((), version=self.version)
        failed: list[str] = []
        found: list[Finding] = []
        calm = False
        try:
            found += self._rules.findings(text, context)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            failed.append("rules")
        try:
            reading = self._read(text)
            calm = reading.calm
            found += reading.findings
            found += self._together(text, reading, context.history)
        except (MeaningFailed, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            failed.append("meaning")
        if calm:
            found = [kept for finding in found if (kept := _in_calm(finding)) is not None]
        layers = ("all",) if len(failed) == 2 else tuple(failed)
        return combine(found, version=self.version, failed_layers=layers)

    def _read(self, text: str) -> Reading:
        known = self._readings.get(text)
        if known is None:
            known = self._readings[text] = self._meaning.read(text)
            if len(self._readings) > REMEMBERED:
                self._readings.popitem(last=False)
        return known

    def _together(self, text: str, reading: Reading, history: tuple[str, ...]) -> list[Finding]:
        """A question where a short reply and what came before it are grave only together ("the pills" … "tonight")."""
        if reading.findings or not history or len(text.split()) > SHORT_REPLY:
            return []
        earlier = [past for past in history[-2:] if past.strip()]
        if any(self._read(past).findings for past in earlier):
            return []  # that was answered when it was written
        together = self._meaning.read("\n".join([*earlier, text]))
        return [
            replace(
                finding,
                level=Level.none,
                ask=True,
                if_no_answer=max(finding.level, finding.if_no_answer, Level.urgent),
                evidence=replace(finding.evidence, start=0, end=len(text)),
            )
            for finding in together.findings
            if finding.level >= Level.urgent
        ]


def _in_calm(finding: Finding) -> Finding | None:
    """What is left of a finding where the meaning layer is sure of no harm: a mere mention of something that would be
    an emergency still earns a question, any lesser mention passes. Everything else stands (ADR 5)."""
    if not finding.loose:
        return finding
    if finding.level is Level.emergency:
        evidence = replace(finding.evidence, qualifiers=(*finding.evidence.qualifiers, "a mention, read as harmless"))
        return replace(finding, level=Level.none, ask=True, if_no_answer=Level.urgent, evidence=evidence)
    return None


def load_assessor(folder: Path) -> Assessor:
    """The assessor from the folder of rules and model.

    Raises OSError, KeyError, ValueError or yaml.YAMLError for what cannot be read: without its layers nothing
    may start.
    """
    rules, meaning = RuleLayer(folder), MeaningLayer(folder / "meaning")
    return Assessor(rules, meaning, f"rules-{rules.version}+{meaning.version}")
