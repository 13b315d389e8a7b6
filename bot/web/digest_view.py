"""What the templates of a digest need: the period asked for, words, pictures, and the tables behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.digest import plain
from bot.core.digest.parts import Epoch
from bot.core.digest.records import NOT_AN_ASSESSMENT, NOTHING, SELF_REPORT, Digest, Source
from bot.core.digest.window import NAMES, WindowChoice
from bot.services.digests import PatientView
from bot.web import charts

MOST_PICTURED = 12  # small steps in one picture; the list has all
WORDS = SimpleNamespace(
    nothing=NOTHING,
    self_report=SELF_REPORT,
    not_an_assessment=NOT_AN_ASSESSMENT,
    windows=plain.WINDOWS,
    phases=plain.PHASES,
    number=plain.number,
    spread=plain.spread_sentence,
    counts=plain.counts,
    coverage=plain.coverage,
    follow_through=plain.follow_through,
    rounds=plain.rounds,
    period=plain.period,
)


def choice_of(query: Mapping[str, str]) -> WindowChoice:
    """The period of an address: since=session, journey, all, or dates with from and to (2026-11-24)."""
    name = query.get("since", "")
    return WindowChoice(
        name=name if name in NAMES else "",
        first=_date(query.get("from", "")),
        last=_date(query.get("to", "")),
    )


def query_of(choice: WindowChoice) -> SimpleNamespace:
    """The choice as form values and as arguments of an address."""
    first = choice.first.isoformat() if choice.first else ""
    last = choice.last.isoformat() if choice.last else ""
    values = {"since": choice.name, "from": first, "to": last}
    return SimpleNamespace(first=first, last=last, args={key: value for key, value in values.items() if value})


def context(
    view: PatientView, choice: WindowChoice, ladder: tuple[str, ...], source_url: Callable[[Source], str]
) -> dict[str, Any]:
    """The variables of coach/letter.html and what surrounds it."""
    digest, zone = view.digest, view.patient.time_zone
    marks = digest.journeys
    return {
        "view": view,
        "d": digest,
        "who": view.patient.first_name,
        "zone": zone,
        "words": WORDS,
        "epochs": view.epochs,
        "query": query_of(choice),
        "source_url": source_url,
        "open_questions": sum(question.status == "open" for question in view.questions),
        "pictures": SimpleNamespace(
            activation=charts.activation(digest.state.ratings, marks, zone),
            ladder=charts.ladder(digest.state.rungs, ladder, marks, zone),
            body=charts.body(digest.body),
            steps=charts.steps(digest.steps[:MOST_PICTURED], zone),
            epochs=[charts.parts_of(epoch) for epoch in view.epochs],
        ),
        "tables": _tables(digest, view, zone),
    }


def _tables(digest: Digest, view: PatientView, zone: str) -> SimpleNamespace:
    return SimpleNamespace(
        activation=[
            (
                local_day(row.at, zone),
                NOTHING if row.start is None else row.start.value,
                NOTHING if row.end is None else row.end.value,
            )
            for row in digest.state.ratings
        ],
        ladder=[(f"{rung.day:%b %-d}", rung.label) for rung in digest.state.rungs],
        body=[(place.name, place.count, plain.counts(place.words)) for place in digest.body],
        parts=[row for epoch in view.epochs for row in _epoch_rows(epoch)],
    )


def _epoch_rows(epoch: Epoch) -> list[tuple[str, ...]]:
    title = "before the first journey" if epoch.journey is None else f"from journey {epoch.journey.number}"
    return [
        (
            title,
            part.name,
            ("new, " if part.new else "") + str(part.times) if part.times else "not named",
            NOTHING if part.stance is None else part.stance.text,
            "" if part.stance_before is None else part.stance_before.text,
            NOTHING if part.status is None else part.status.text,
            "; ".join(f"{name}: {said.text}" for name, said in part.said) or NOTHING,
        )
        for part in epoch.parts
    ]


def local_day(moment: datetime, zone: str) -> str:
    """A day in a zone: Mar 4."""
    return f"{moment.astimezone(ZoneInfo(zone)):%b %-d}"


def field_value(moment: datetime | None, zone: str) -> str:
    """A moment as a datetime-local field holds it."""
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


def moment_of(text: str, zone: str) -> datetime | None:
    """What a datetime-local field holds, in that zone; None for an empty one. Raises ValueError with a sentence."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise ValueError("That date and time could not be read; nothing was changed.") from error


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
