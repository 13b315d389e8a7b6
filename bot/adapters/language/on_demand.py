"""The assessor for processes that may never need it: the language library and the model take memory and seconds."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.safety.verdict import AssessmentContext, Verdict

if TYPE_CHECKING:
    from bot.adapters.language.assess import Assessor


class AssessorOnDemand:
    """Reads the assessor from its folder when it is first asked for anything, and keeps it.

    Whoever must not wait, or must not start without it, asks for its version first. Raises as `load_assessor` does.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loading = threading.Lock()
        self._loaded: Assessor | None = None

    @property
    def version(self) -> str:
        return self._assessor().version

    def assess(self, text: str, context: AssessmentContext) -> Verdict:
        """The verdict on one message."""
        return self._assessor().assess(text, context)

    def _assessor(self) -> Assessor:
        with self._loading:
            if self._loaded is None:
                from bot.adapters.language.assess import load_assessor

                self._loaded = load_assessor(self._folder)
            return self._loaded
