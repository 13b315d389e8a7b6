"""What the digest has to know of the authored content and of English: labels, places, stop-words, risk words."""

from __future__ import annotations

from spacy.lang.en.stop_words import STOP_WORDS

from bot.core.digest.build import Wordings
from bot.core.flow.content import Library
from bot.core.safety.verdict import AssessmentContext, Level
from bot.services.ports import Assessor


def digest_wordings(library: Library, assessor: Assessor) -> Wordings:
    """The wordings for this content. A word is a risk word when the assessment would ask about it standing alone."""
    values: dict[str, dict[str, str]] = {}
    for flow in library.flows.values():
        for step in flow.steps.values():
            if step.field and step.answer is not None and step.answer.options:
                labels = {option.label: option.value for option in step.answer.options}
                values.setdefault(step.field.replace("[]", ""), {}).update(labels)

    def is_risk(word: str) -> bool:
        verdict = assessor.assess(word, AssessmentContext())
        return verdict.ask or verdict.level > Level.none

    return Wordings(
        ladder=tuple(values["state.ladder"]),
        places=library.body_places,
        values=values,
        stop_words=frozenset(STOP_WORDS) | {"it's", "i'm", "don't", "didn't", "can't", "i've", "that's", "wasn't"},
        is_risk=is_risk,
    )
