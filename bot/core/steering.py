"""Is this text an answer, or does the patient steer? A pure decision, never the classifier's alone. Source: design 3.

An answer taken for a command is the worse mistake: the patient's words would be lost. So a command has to
look like one: short, without a story, and sure; and a step that invites one word keeps one word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

COMMANDS = frozenset(
    {
        "start_journal", "pause", "resume", "skip_step", "go_back", "stop_and_discard", "save_entry", "keep_private",
        "show_entries", "delete_entry", "export_data", "delete_all_data", "change_last_answer", "short_version",
        "grounding_now", "talk_to_human", "who_reads_this", "are_you_human", "what_is_a_part", "next_journey_when",
        "can_i_drive", "medication_question", "thanks", "greet", "goodbye", "out_of_scope", "help_menu",
        "repeat_question", "crisis_resources",
    }
)  # fmt: skip
DESTRUCTIVE = frozenset({"stop_and_discard", "delete_entry", "delete_all_data"})
QUESTIONS = frozenset(
    {"who_reads_this", "are_you_human", "what_is_a_part", "next_journey_when", "can_i_drive", "medication_question"}
)
SMALL_TALK = frozenset({"thanks", "greet", "goodbye", "out_of_scope"})
WRITING = frozenset({"text", "short_text", "body", "part"})  # what the patient answers in their own words
MOST_WORDS = 12  # a longer text is a story; a question may have MOST_QUESTION_WORDS
MOST_QUESTION_WORDS = 18
NARRATIVE = re.compile(
    r"\b(was|were|had|felt|said|told|wanted|saw|came|went|kept|whenever|when i|because|and then|he|she|they|it)\b", re.I
)
STORY = re.compile(
    r"\b(said|told|felt|wanted|saw|whenever|and then|in the journey|my (mother|father|grand\w+|brother))\b"
)


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """What the current step asks. `context` is idle, start_or_mid_step, mid_step, paused, end_of_entry or any."""

    context: str = "any"
    answer_type: str | None = None
    step_id: str | None = None
    invites_question: bool = False  # the answer may itself be a question, for the coach or the medical team


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The command to carry out, or None: keep the text as the answer. `confidence` is 0 to 1."""

    command: str | None
    confidence: float


def decide(text: str, ranking: Sequence[tuple[str, float]], context: StepContext) -> Decision:
    """Decide from the text, the classifier's ranking (intent, confidence; best first) and what the step asks."""
    best = next(((name, score) for name, score in ranking if name != "priority"), ("inform", 0.0))
    command, confidence = best
    if command not in COMMANDS:
        return Decision(command=None, confidence=confidence)
    words = re.findall(r"[\w']+", text)
    if context.invites_question and command in QUESTIONS | {"out_of_scope"}:
        return Decision(command=None, confidence=confidence)
    if command == "out_of_scope" and context.answer_type in WRITING and "?" not in text:
        return Decision(command=None, confidence=confidence)  # strange words, another language: an answer all the same
    asks = "?" in text or command in QUESTIONS
    if not words or len(words) > (MOST_QUESTION_WORDS if asks else MOST_WORDS):
        return Decision(command=None, confidence=confidence)
    if confidence < threshold(command, len(words), text, context):
        return Decision(command=None, confidence=confidence)
    return Decision(command=command, confidence=confidence)


def threshold(command: str, words: int, text: str, context: StepContext) -> float:
    """How sure the classifier has to be. Higher where a mistake costs the patient's words."""
    writing = context.answer_type in WRITING
    idle = context.context in ("idle", "paused")
    if idle:
        return 0.25 if command not in DESTRUCTIVE else 0.5
    bar = 0.6
    if writing:
        bar = 0.7
        if command in SMALL_TALK:
            bar = 0.85
        if words <= 2 and command not in ("pause", "skip_step", "stop_and_discard", "go_back", "repeat_question"):
            bar += 0.15
    if STORY.search(text.lower()) or (words > 6 and NARRATIVE.search(text) and "?" not in text):
        bar += 0.3
    if command in DESTRUCTIVE:
        bar += 0.15
    return min(bar, 0.98)
