"""What leaves the desk: the page for printing, PDF, Markdown, JSON, FHIR; and the schedule that comes in."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
from fhir.resources.R4B.bundle import Bundle

from bot.adapters.pdf import NotOurs, pdf
from bot.adapters.schedule_files import read_schedule
from bot.core.journal import Visibility
from bot.core.journeys import Route
from bot.core.safety.verdict import Level
from bot.services.schedule import ScheduleUnreadable
from tests.web.desk import QUESTION, SHARED, Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.entry(
        Visibility.shared,
        "a lake <b>with</b> light & no far side",
        **{
            "state.ladder": "A mix", "state.activation_start": "7", "state.activation_end": "4",
            "state.body_note": "jaw: tight; chest", "settling": "Feet on the floor: 7 → 5",
            "step.text": "sit with the dog", "part.job": "keeps the list", "glimmers": "sun on the mug",
        },
    )  # fmt: skip
    with made.app.uow() as tx:
        patient = tx.patient(made.patient_id)
        assert patient is not None
        made.app.escalation.raise_alert(
            tx, patient, level=Level.concern, categories=("medical",), reason="test", words="secret words"
        )
    yield made
    made.app.database.dispose()


def path(desk: Desk, tail: str) -> str:
    return f"/coach/patients/{desk.patient_id}{tail}?since=all"


def test_every_page_keeps_to_a_strict_policy(desk: Desk) -> None:
    client = desk.client("Mo")
    for page in [*desk.pages(), "/coach/schedule"]:
        answer = client.get(page, query_string={"since": "all"})
        assert answer.status_code == 200, page
        if answer.content_type.startswith("text/html"):
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert not re.search(r"<[^>]+\s(style|on\w+)=", answer.text), page
            assert "<style" not in answer.text
            assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text)
            assert "<b>with</b>" not in answer.text  # the patient's words are text, never markup


def test_each_picture_has_a_name_and_a_table(desk: Desk) -> None:
    page = desk.client("Mo").get(path(desk, "")).text
    pictures = re.findall(r'<svg[^>]+role="img"[^>]+aria-label="([^"]+)"', page)
    assert len(pictures) >= 5
    for caption in ("Activation, as a table", "Ladder by day, as a table", "Body, all places, as a table"):
        assert caption in page


def test_sections_come_in_the_order_of_the_protocol(desk: Desk) -> None:
    titles = [
        "Questions and requests", "Asked for a person", "State", "Settling", "Parts", "Body", "Intentions and steps",
        "Journey recall", "Themes", "Repeated words", "Glimmers", "For the next session", "Reading notes",
    ]  # fmt: skip
    client = desk.client("Mo")
    for text in (client.get(path(desk, "")).text, client.get(path(desk, "/digest.md")).text):
        headings = re.findall(r"(?:<h2>|^## )([^<\n]+)", text, re.M)
        places = [next(n for n, heading in enumerate(headings) if heading.startswith(title)) for title in titles]
        assert places == sorted(places)


def test_the_pdf_is_a_pdf_and_asks_for_nothing_else(desk: Desk) -> None:
    answer = desk.client("Mo").get(path(desk, "/digest.pdf"))
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert desk.patient_id[:8] in answer.headers["Content-Disposition"]
    assert "Rae" not in answer.headers["Content-Disposition"]
    with pytest.raises(NotOurs):
        pdf('<link rel="stylesheet" href="https://elsewhere.example/x.css"><p>hello</p>')


def test_the_fhir_bundle_is_valid_r4_and_names_no_one(desk: Desk) -> None:
    text = desk.client("Mo").get(path(desk, "/digest.fhir")).text
    bundle = Bundle.model_validate(json.loads(text))
    resources = [entry.resource for entry in bundle.entry]
    kinds = [resource.get_resource_type() for resource in resources]
    assert {"Patient", "QuestionnaireResponse", "Communication", "Flag", "Goal", "CarePlan"} == set(kinds)
    known = {entry.fullUrl for entry in bundle.entry}
    assert set(re.findall(r'"reference": "([^"]+)"', text)) <= known
    assert "Lind" not in text
    assert "secret words" not in text
    ratings = [a.valueInteger for r in resources if r.get_resource_type() == "QuestionnaireResponse"
               for item in r.item for a in item.answer if a.valueInteger is not None]  # fmt: skip
    assert ratings == [7, 4]
    question = next(r for r in resources if r.get_resource_type() == "Communication")
    assert question.payload[0].contentString == QUESTION


def test_json_and_markdown_carry_the_words_and_their_source(desk: Desk) -> None:
    client = desk.client("Mo")
    data = json.loads(client.get(path(desk, "/digest.json")).text)
    assert data["glimmers"][0]["text"] == "sun on the mug"
    source = data["glimmers"][0]["source"]
    with desk.app.uow() as tx:
        entry = tx.entry(source["entry_id"])
    assert entry is not None
    assert entry.lines[source["line"]].text == "sun on the mug"
    text = client.get(path(desk, "/digest.md")).text
    assert f'Images: "{SHARED}"' in text.replace("recall.images", "Images")
    assert "Feet on the floor 1 time: 7→5" in text
    assert "1 step: 1 open" in text


CSV = """kind,patient,date,time,route,attendants,id
journey,Rae Lind,2026-12-01,09:30,intranasal,"Noor Haddad; Mo",j1
session,rae lind,2026-12-03,15:00,,,s1
journey,Rae Lind,2026-12-09,09:30,,,j2
journey,Nobody Known,2026-12-09,09:30,sublingual,,j3
journey,Rae Lind,soon,09:30,sublingual,,j4
"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//clinic//test//EN
BEGIN:VEVENT
UID:j9
SUMMARY:Journey: Rae Lind
DESCRIPTION:route: sublingual
DTSTART:20261215T173000Z
ATTENDEE;CN=Noor Haddad:mailto:noor@plum-spring.example
END:VEVENT
BEGIN:VEVENT
UID:x
SUMMARY:Staff lunch
DTSTART:20261215T200000Z
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def test_a_schedule_comes_in_once_and_names_what_it_refuses(desk: Desk) -> None:
    client = desk.client("Mo")
    for _ in range(2):
        answer = client.post("/coach/schedule", data={"file": (io.BytesIO(CSV.encode()), "plan.csv")})
        assert "1 journey, 1 session" in answer.text
        for told in ("line 4: names no route", "line 5: fits none of your patients", "line 6: its date or time"):
            assert told in answer.text
    client.post("/coach/schedule", data={"file": (io.BytesIO(ICS.encode()), "plan.ics")})
    with desk.app.uow() as tx:
        planned = [j for j in tx.journeys(desk.patient_id) if j.dose_ended_at is None]
        assert len(tx.appointments(desk.patient_id)) == 1
    assert sorted((j.scheduled_at.isoformat(), j.route) for j in planned) == [
        ("2026-12-01T17:30:00+00:00", Route.intranasal),
        ("2026-12-15T17:30:00+00:00", Route.sublingual),
    ]
    assert {j.attended_by for j in planned} == {"Noor Haddad, Mo", "Noor Haddad"}


def test_a_moved_row_moves_its_journey(desk: Desk) -> None:
    client = desk.client("Mo")
    client.post(
        "/coach/schedule", data={"file": (io.BytesIO(CSV.replace("2026-12-01", "2026-12-02").encode()), "p.csv")}
    )
    with desk.app.uow() as tx:
        days = {f"{j.scheduled_at:%m-%d}" for j in tx.journeys(desk.patient_id) if j.dose_ended_at is None}
    assert "12-02" in days
    assert "12-01" not in days


def test_a_schedule_never_touches_another_coachs_patient(desk: Desk) -> None:
    answer = desk.client("Kit").post("/coach/schedule", data={"file": (io.BytesIO(CSV.encode()), "plan.csv")})
    assert "0 journeys, 0 sessions" in answer.text
    assert "line 2: fits none of your patients" in answer.text


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"\xff\xfe"), ("a.csv", b"name;date"), ("a.ics", b"not a calendar"), ("a.csv", b"")],
)
def test_a_file_that_is_no_schedule_is_refused_with_what_was_expected(name: str, content: bytes) -> None:
    with pytest.raises(ScheduleUnreadable, match="nothing was taken over"):
        read_schedule(name, content, "America/Los_Angeles")
