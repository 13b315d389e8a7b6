"""What the patient is told about help is what is recorded, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from bot.adapters.policy_file import load_phrases
from bot.core.news import PatientAlertStatus, banner, split_claim, taken_back
from bot.core.safety.verdict import Level
from bot.settings import ROOT

CLAIMS = load_phrases(ROOT / "data/escalation/claims.yml", "claims_of_sending")
RETRACTIONS = load_phrases(ROOT / "data/escalation/retractions.yml", "retractions")
SENT, SEEN, NEXT = (datetime(2026, 11, 25, 5, m, tzinfo=UTC) for m in (4, 9, 10))


def status(**facts: object) -> PatientAlertStatus:
    blank = {
        "reference": "A-1001", "level": Level.emergency, "sent_at": None, "sent_to": None, "seen_at": None,
        "seen_by": None, "next_at": None, "next_to": (), "delivery_failed": False,
    }  # fmt: skip
    return PatientAlertStatus(**(blank | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "An alert to the clinic is on its way. Not an emergency service: 911 · 988."),
        ({"delivery_failed": True}, "My alert to the clinic has not gone through. I keep trying. You can call 555-0101. Not an emergency service: 911 · 988."),
        ({"sent_at": SENT, "sent_to": "on_call", "next_at": NEXT, "next_to": ("second", "clinical_lead")}, "Sent 9:04 PM to the on-call clinician. Not seen yet. Next: the second on-call clinician and the clinical lead at 9:10 PM. Not an emergency service: 911 · 988."),
        ({"sent_at": SENT, "sent_to": "on_call", "seen_at": SEEN, "seen_by": "Noor Haddad"}, "Sent 9:04 PM to the on-call clinician. Seen 9:09 PM by Noor Haddad. Not an emergency service: 911 · 988."),
    ],
)  # fmt: skip
def test_the_banner_says_when_to_whom_seen_or_not_and_who_is_next(facts: dict[str, object], words: str) -> None:
    assert banner(status(**facts), "America/Los_Angeles", "555-0101") == words


def test_every_urgent_or_emergency_flow_says_that_staff_were_told_only_in_words_that_wait_for_it() -> None:
    for path in (ROOT / "data/safety/flows").glob("*.yml"):
        flow = yaml.safe_load(path.read_text())["flow"]
        if not path.stem.endswith((".urgent", ".emergency", "clinic_boundary")):
            continue
        waiting = [line for line in flow.get("say", ()) if split_claim(line, CLAIMS)[1]]
        assert len(waiting) == 1, path.stem
        shown = " ".join(split_claim(line, CLAIMS)[0] for line in flow["say"])
        assert "know" not in shown.split(), path.stem


def test_numbers_beside_the_claim_are_shown_at_once() -> None:
    now, later = split_claim("988 answers at any hour. I've alerted the on-call team. They aim to call.", CLAIMS)
    assert (now, later) == ("988 answers at any hour.", "I've alerted the on-call team. They aim to call.")
    assert split_claim("Thank you for telling me.", CLAIMS) == ("Thank you for telling me.", "")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("I didn't mean it", "safety_shared.retract"),
        ("please ignore that!!", "safety_shared.retract"),
        ("Delete that, don’t tell anyone", "safety_shared.retract"),
        ("you misunderstood me", "safety_shared.correction"),
        ("no, that's not what I meant", "safety_shared.correction"),
        ("I deleted the photo", None),
        ("he said to ignore that feeling and I walked on through the rain for what seemed hours and hours", None),
        ("", None),
    ],
)
def test_taking_it_back_is_known_by_a_few_plain_words(words: str, text: str | None) -> None:
    assert taken_back(words, RETRACTIONS) == text
