"""What a turn leads to, apart from the next state: things said, alerts to raise, effects to carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.flow.speech import Utterance
from bot.core.flow.state import SittingState


class FlowError(RuntimeError):
    """The content asks for something that cannot be done. Nothing of the turn is kept; the caller keeps the message."""


@dataclass(frozen=True, kw_only=True)
class Raise:
    """An alert to raise, or to add to the open one."""

    category: str
    level: str
    reason: str
    subtype: str | None = None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Something that the services do in the same transaction as the new state.

    kinds: save (visibility, lines, practices), discard, discard_later (lines), discarded_again (remove: bool),
    staff_answer (question id and value), staff_text (words for the team), question (to, text), team_note (to, name of
    a line of bot's own), restrict (who), card (open the crisis card), pause, slept (bool),
    schedule_missing, sitting_ended (ratings), plan (line and text of the plan for staying safe), remove_entry,
    remove_later and unshare (entry), delete_all (wait: bool), keep_all, handover (choice).
    """

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one turn leads to."""

    state: SittingState
    say: tuple[Utterance, ...]
    raises: tuple[Raise, ...]
    effects: tuple[Effect, ...]
