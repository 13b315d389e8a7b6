"""Changing the clinic's key while everything runs: every patient's key is wrapped anew, one small step at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.services.ports import Clock, UnitOfWork

STEP = 50  # patients in one transaction


class KeyWrapper(Protocol):
    """Wraps patients' keys with the clinic's."""

    def is_current(self, wrapped: bytes, patient_id: str) -> bool: ...
    def rewrap(self, wrapped: bytes, patient_id: str) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class KeyCount:
    """How many patients' keys are wrapped with the current clinic key, and how many with an earlier one."""

    current: int
    earlier: int


class KeyService:
    """Wraps patients' keys with the current clinic key. Can be stopped and started again at any point."""

    def __init__(self, uow: UnitOfWork, clock: Clock, wrapper: KeyWrapper) -> None:
        self._uow, self._clock, self._wrapper = uow, clock, wrapper

    def count(self) -> KeyCount:
        """How far a rotation has come."""
        current = earlier = 0
        after = ""
        while rows := self._page(after):
            for patient_id, wrapped in rows:
                if self._wrapper.is_current(wrapped, patient_id):
                    current += 1
                else:
                    earlier += 1
            after = rows[-1][0]
        return KeyCount(current=current, earlier=earlier)

    def rotate(self, by: str) -> int:
        """Wrap with the current key whatever is not; seal responders' addresses anew. Each step is kept and audited.

        Returns how many patients' keys were wrapped.
        """
        changed, after = 0, ""
        while rows := self._page(after):
            after = rows[-1][0]
            stale = [(i, wrapped) for i, wrapped in rows if not self._wrapper.is_current(wrapped, i)]
            if not stale:
                continue
            with self._uow() as tx:
                done = sum(tx.rewrap(i, wrapped, self._wrapper.rewrap(wrapped, i)) for i, wrapped in stale)
                tx.audit(by, "keys.rotated", "clinic", self._clock(), count=done)
            changed += done
        with self._uow() as tx:
            tx.reseal_channels()
        return changed

    def _page(self, after: str) -> list[tuple[str, bytes]]:
        with self._uow() as tx:
            return tx.wrapped_keys(after, STEP)
