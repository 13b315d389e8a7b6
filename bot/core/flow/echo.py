"""When the patient's own words may be shown back in an acknowledgement. Source: protocol 0.2, `{user_words}`."""

from __future__ import annotations

import re

MOST_CHARACTERS = 60
TENDER = re.compile(
    r"\b(little (me|one|girl|boy|kid)|child|kid|baby|toddler|younger me|([1-9]|1[0-7]) ?(years? old|yo|yrs?)|"
    r"when i was (a|little|small|young|\d+)|memor(y|ies)|flashback|happened to me|abandon\w*|left alone|ashamed|shame|"
    r"unlovable|worthless|hurt part|wound\w*|sobbing|crying hard|terrified)\b",
    re.I,
)  # protocol 3.5, seed list
PROFANITY = re.compile(
    r"\b(fuck\w*|shit\w*|bullshit|bitch\w*|cunt\w*|asshole\w*|arsehole\w*|bastard\w*|wank\w*|dick|prick|piss(?:ed)?|"
    r"goddamn\w*|bollocks|crap|damn|slut\w*|whore\w*)\b",
    re.I,
)
# Words of danger, injury and death in any sense: an echo is never worth the doubt.
GRAVE = re.compile(
    r"\b(kill\w*|die[sd]?|dying|dead|death|suicid\w*|hurt\w*|cut(?:ting)?|harm\w*|blood\w*|overdos\w*|pills?|gun|knife|"
    r"rope|rap(?:e|ed|ist)|abus\w*|hit|beat\w*|violen\w*|voices?|attack\w*|end it|give up|hopeless)\b",
    re.I,
)
# A name: a capital inside a sentence, or a person of the family or household.
NAMED_PERSON = re.compile(
    r"(?<![.!?]\s)(?<!^)\b(?!I\b|I'|Self\b)[A-Z][a-z]+|\b(?:Mr|Mrs|Ms|Dr)\b|"
    r"\b(?:mom|mum|mother|dad|father|brother|sister|husband|wife|partner|boyfriend|girlfriend|son|daughter|boss|"
    r"grand\w+|uncle|aunt|ex)\b",
    re.M,
)


def echo(words: str) -> str:
    """The words for an echo, at most 60 characters cut at a word's end; empty where a rule forbids one."""
    plain = " ".join(words.split())
    if not plain or '"' in plain or "{" in plain:
        return ""
    if any(pattern.search(plain) for pattern in (TENDER, PROFANITY, GRAVE, NAMED_PERSON)):
        return ""
    if len(plain) <= MOST_CHARACTERS:
        return plain
    cut = plain[: MOST_CHARACTERS + 1].rsplit(" ", 1)[0]
    return cut if len(cut) <= MOST_CHARACTERS else ""


def is_only_profanity(text: str) -> bool:
    """Whether a short text is little more than swearing (protocol 3.14, `abusive_or_testing`)."""
    return len(text.split()) <= 4 and PROFANITY.search(text) is not None
