"""Is this text an answer, or does the patient steer? A pure decision, never the classifier's alone. Source: design 3.

An answer taken for a command is the worse mistake: the patient's words would be lost. The decision goes in four steps:

1. The classifier's weights are gathered by meaning: a question of the FAQ that is a command in other words (`TWINS`)
   counts for that command.
2. Each meaning is weighed by how well it fits where the patient is (`FITS`): nobody resumes what was never paused.
3. What speaks for steering as a whole, against an answer, has to reach a bar. It rises with the length of the text,
   with signs of a story, and for a command that removes words. A step may invite just such a text (`invited`).
4. The strongest meaning is taken. A removing one must also be strong by itself, and the flow asks once more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMMANDS = frozenset(
    {
        "start_journal", "pause", "resume", "skip_step", "go_back", "stop_and_discard", "save_entry", "keep_private",
        "show_entries", "delete_entry", "export_data", "delete_all_data", "change_last_answer", "short_version",
        "grounding_now", "talk_to_human", "who_reads_this", "are_you_human", "what_is_a_part", "next_journey_when",
        "can_i_drive", "medication_question", "thanks", "greet", "goodbye", "out_of_scope", "help_menu",
        "repeat_question", "crisis_resources",
    }
)  # fmt: skip
CONTEXTS = ("idle", "start_or_mid_step", "mid_step", "paused", "end_of_entry", "any")
DESTRUCTIVE = frozenset({"stop_and_discard", "delete_entry", "delete_all_data"})
SMALL_TALK = frozenset({"thanks", "greet", "goodbye", "out_of_scope"})
FOR_THE_TEAM = frozenset({"next_journey_when", "can_i_drive", "medication_question"})  # a patient may want to ask these
TWINS = {
    "human": "are_you_human",
    "who_reads": "who_reads_this",
    "monitored": "who_reads_this",
    "emergency": "crisis_resources",
    "what_is_part": "what_is_a_part",
    "drive": "can_i_drive",
    "meds": "medication_question",
    "missed": "medication_question",
}
ANSWERED_BY_THEMSELVES = frozenset({"monitored", "missed"})  # twins whose answer in protocol 8 says more

# How well a command fits a context, 0 to 1; what is not named fits fully.
FITS: Mapping[str, Mapping[str, float]] = {
    "idle": {
        "pause": 0.3, "resume": 0.6, "skip_step": 0.1, "go_back": 0.15, "change_last_answer": 0.15,
        "repeat_question": 0.4, "stop_and_discard": 0.15, "save_entry": 0.3, "keep_private": 0.5, "short_version": 0.7,
    },
    "paused": {
        "start_journal": 0.5, "pause": 0.2, "skip_step": 0.2, "go_back": 0.1, "change_last_answer": 0.3,
        "repeat_question": 0.6, "save_entry": 0.6, "short_version": 0.5,
    },
    "mid_step": {
        "start_journal": 0.15, "resume": 0.3, "save_entry": 0.8, "delete_entry": 0.6, "delete_all_data": 0.7,
    },
    "start_or_mid_step": {"resume": 0.3, "save_entry": 0.6},
    "end_of_entry": {
        "start_journal": 0.15, "resume": 0.2, "skip_step": 0.4, "pause": 0.6, "delete_entry": 0.7,
        "repeat_question": 0.6, "short_version": 0.4,
    },
    "any": {},
}  # fmt: skip
NOTHING_ASKED = 0.25  # how well an answer fits where no question is open

# Steps that invite one word, a name or a title: a bare command word is an answer there, but for these few.
WORD_STEPS = frozenset({"jr_words", "jr_title", "cl_word", "bt_resource_sense", "bt_return", "mp_name", "short_one"})
UNMISTAKABLE = frozenset({"skip", "next", "pause", "stop", "back", "go back", "skip this", "skip it"})
NAME_STEPS = frozenset({"mp_name", "jr_title"})  # "Skip" may be a part's name; the page has a button for skipping
QUESTION_STEPS = frozenset({"bj_questions", "lc_questions", "mi_offer", "bj_intention"})  # they invite a question

# In a response flow a farewell or thanks is kept for the staff; these few still steer.
HEARD_IN_A_RESPONSE = frozenset(
    {
        "crisis_resources", "talk_to_human", "grounding_now", "repeat_question", "pause", "skip_step", "who_reads_this",
        "are_you_human", "help_menu",
    }
)  # fmt: skip

WRITING = frozenset({"text", "short_text", "body", "part"})
ASKS = re.compile(
    r"\?|^\W*(who|what|when|where|which|why|how|can|could|may|might|should|shall|do|does|did|is|are|am|will|would|have|has"
    r"|whats|whos|hows|wheres|explain|tell me)\b",
    re.IGNORECASE,
)
MACHINE = re.compile(r"^\s*[/\u2044]|[{}<>]")  # what looks like a program's command is nobody's wish: kept as it is
REQUESTS = re.compile(rf"{ASKS.pattern}|\b(me|you|u|us|please|pls)\b", re.IGNORECASE)
STORY = re.compile(
    r"\b(said|says|told|asked|felt|wanted|saw|thought|heard|cried|laughed|whenever|and then|in the journey|used to"
    r"|my (mother|father|mum|mom|dad|gran\w*|nan|brother|sister|son|daughter|wife|husband|uncle|aunt\w*)('s)?"
    r"|(he|she|they|we|it) \w+ed|i \w+ed (to|the|my|her|him|a))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """What the current step asks. `context` is idle, start_or_mid_step, mid_step, paused, end_of_entry or any."""

    context: str = "any"
    answer_type: str | None = None
    step_id: str | None = None
    response: bool = False  # a response flow of protocol 6.5 asks: what is said there is for the staff


def context_of(context: str, step_id: str | None = None) -> StepContext:
    """The context where no sitting is at hand: in a step, writing is what is asked."""
    writing = context in ("mid_step", "start_or_mid_step", "any")
    return StepContext(context=context, answer_type="text" if writing else None, step_id=step_id)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the classifier made of a text. Both best first; confidences 0 to 1.

    `ranking`: intents. `questions`: ids of the FAQ (without `faq_`), given that it is one of its questions.
    """

    ranking: Sequence[tuple[str, float]]
    questions: Sequence[tuple[str, float]] = ()


def heard_from_json(parsed: Mapping[str, Any]) -> Heard:
    """What Rasa's parse data say: `intent_ranking`, and the ranking of the response selector where there is one."""
    questions = ((parsed.get("response_selector") or {}).get("faq") or {}).get("ranking") or ()
    return Heard(
        ranking=tuple((row["name"], float(row["confidence"])) for row in parsed.get("intent_ranking") or ()),
        questions=tuple(
            (str(row["intent_response_key"]).removeprefix("faq/"), float(row["confidence"])) for row in questions
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do: a command, or the answer to a question of the FAQ (its id), or neither: keep the text as the answer.

    `confidence` is 0 to 1, in what was decided.
    """

    command: str | None = None
    question: str | None = None
    confidence: float

    @property
    def interrupts(self) -> bool:
        """Whether the text is no answer to the step."""
        return self.command is not None or self.question is not None


def decide(text: str, heard: Heard, context: StepContext) -> Decision:
    """Decide from the text, what the classifier made of it, and what the step asks."""
    meanings, answer = weigh(heard, context)
    steering = sum(meanings.values())
    if not re.search(r"\w", text) or MACHINE.search(text) or steering <= 0:
        return Decision(confidence=1.0)
    belief = steering / (steering + answer)
    best = max(meanings, key=lambda meaning: meanings[meaning])
    own = meanings[best] / (steering + answer)
    if belief < bar(best, text, context) or (best in DESTRUCTIVE and own < 0.5) or invited(best, text, context):
        return Decision(confidence=1 - belief)
    if best in COMMANDS:
        return Decision(command=best, question=fuller_answer(best, heard), confidence=belief)
    return Decision(question=best.removeprefix("faq/"), confidence=belief)


def weigh(heard: Heard, context: StepContext) -> tuple[dict[str, float], float]:
    """The weight of each meaning (a command, or `faq/<id>`) in this context, and that of an answer."""
    fits = FITS.get(context.context, {})
    meanings: dict[str, float] = defaultdict(float)
    answer = 0.0
    for intent, weight in heard.ranking:
        if intent in COMMANDS:
            meanings[intent] += weight * fits.get(intent, 1.0)
        elif intent == "faq":
            for question, share in heard.questions:
                meanings[TWINS.get(question, f"faq/{question}")] += weight * share
        elif intent == "inform":
            answer = weight * (NOTHING_ASKED if context.context in ("idle", "paused") else 1.0)
    return meanings, answer


def bar(meaning: str, text: str, context: StepContext) -> float:
    """How sure steering has to be, 0 to 1. Higher where a mistake costs the patient's words."""
    words = len(text.split())
    height = 0.5
    if context.answer_type in WRITING:
        height = 0.8
    elif context.answer_type is not None:
        height = 0.35
    if meaning == "out_of_scope" and context.answer_type in WRITING and not REQUESTS.search(text):
        return 1.01  # "make a cuppa" is a step somebody means to take
    if meaning.startswith("faq/") and context.context not in ("idle", "paused") and not ASKS.search(text):
        return 1.01  # a statement such as "I feel nothing" is an answer wherever something was asked
    if words > 8:
        height += min(0.4, 0.02 * (words - 8))
    if STORY.search(text) and "?" not in text:
        height += 0.2
    if meaning in DESTRUCTIVE:
        height += 0.15
    return min(height, 0.98)


def invited(meaning: str, text: str, context: StepContext) -> bool:
    """Whether the step asks for just such a text: a word, a name, a question to the team, words for the staff."""
    if context.response:
        return meaning not in HEARD_IN_A_RESPONSE
    plain = " ".join(re.findall(r"[\w']+", text.lower()))
    if context.step_id in WORD_STEPS and len(plain.split()) <= 2:
        return context.step_id in NAME_STEPS or plain not in UNMISTAKABLE
    if context.step_id in QUESTION_STEPS:
        return meaning in FOR_THE_TEAM or meaning.startswith("faq/")
    return False


def fuller_answer(command: str, heard: Heard) -> str | None:
    """The question of the FAQ that was meant, where its answer says more than the command's own."""
    if not heard.questions or dict(heard.ranking).get("faq", 0.0) < dict(heard.ranking).get(command, 0.0):
        return None
    question = heard.questions[0][0]
    return question if question in ANSWERED_BY_THEMSELVES and TWINS[question] == command else None
