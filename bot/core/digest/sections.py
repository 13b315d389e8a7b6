"""The sections of a digest but for parts, words and steps, each a function of the entries. Source: protocol 5.2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.core.digest.reading import ROUND, count, lines, picks, places, rating, spread
from bot.core.digest.records import (
    Activation,
    Counted,
    Header,
    Place,
    Recall,
    Round,
    Rung,
    Said,
    Settling,
    Source,
    State,
    Window,
)
from bot.core.journal import Entry
from bot.core.journeys import Timeline

BODY = ("state.body_note", "recall.sensations", "body.spot", "glimmer_body")
RECALL = ("recall.title", "recall.images", "recall.words", "recall.quiet_note", "recall.sensations")


def header(
    entries: Sequence[Entry], window: Window, where: Timeline, *, private: int, zone: str, days_since: int | None
) -> Header:
    """Section 1. Days are those of the patient's calendar; without a `since` they start at the first shared entry."""
    calendar = ZoneInfo(zone)
    written = {entry.created_at.astimezone(calendar).date() for entry in entries}
    last = (window.until - timedelta(microseconds=1)).astimezone(calendar).date()
    first = window.since.astimezone(calendar).date() if window.since is not None else min(written, default=None)
    days = 0 if first is None else (last - first).days + 1
    return Header(
        window=window,
        first_day=first,
        last_day=last,
        phase=where.phase.protocol_id,
        journeys_completed=where.journeys_completed,
        days_since_journey=days_since,
        next_journey_at=where.next_journey_at,
        shared=len(entries),
        private=private,
        days=days,
        days_without=max(0, days - len(written)),
    )


def state(entries: Sequence[Entry], zone: str, ladder: Sequence[str]) -> State:
    """Section 4. `ladder` is the order of the rungs' labels; a label of an older wording comes after them."""
    ratings = []
    for entry in sorted(entries, key=lambda entry: (entry.created_at, entry.id)):
        start = next((rating(kept.said) for kept in lines([entry], "state.activation_start")), None)
        end = next((rating(kept.said) for kept in lines([entry], "state.activation_end")), None)
        if start is not None or end is not None:
            ratings.append(Activation(at=entry.created_at, start=start, end=end))
    rungs = tuple(
        Rung(day=kept.at.astimezone(ZoneInfo(zone)).date(), label=kept.said.text, source=kept.said.source)
        for kept in lines(entries, "state.ladder")
    )
    counted = count((rung.label, rung.source) for rung in rungs)
    order = {label: place for place, label in enumerate(ladder)}
    presence = (rating(kept.said) for kept in lines(entries, "state.presence"))
    return State(
        ratings=tuple(ratings),
        start=spread([row.start.value for row in ratings if row.start is not None]),
        end=spread([row.end.value for row in ratings if row.end is not None]),
        ladder=tuple(sorted(counted, key=lambda rung: order.get(rung.name, len(order)))),
        rungs=rungs,
        presence=tuple(found for found in presence if found is not None),
    )


def settling(entries: Sequence[Entry]) -> tuple[Settling, ...]:
    """Section 5: each settling practice with its rounds, most used first."""
    rounds: dict[str, list[Round]] = {}
    for kept in lines(entries, "settling"):
        match = ROUND.fullmatch(kept.said.text.strip())
        if match is None or int(match["after"]) > 10 or int(match["before"] or 0) > 10:
            continue
        before = None if match["before"] is None else int(match["before"])
        row = Round(before=before, after=int(match["after"]), source=kept.said.source)
        rounds.setdefault(match["name"], []).append(row)
    return tuple(
        Settling(
            name=name,
            rounds=tuple(rows),
            before=spread([row.before for row in rows if row.before is not None]),
            after=spread([row.after for row in rows]),
        )
        for name, rows in sorted(rounds.items(), key=lambda pair: -len(pair[1]))
    )


def body(entries: Sequence[Entry], known: Sequence[str]) -> tuple[Place, ...]:
    """Section 7: places by how often they were named. What is none of the known places stays as it was written."""
    names = {place.casefold(): place for place in known}
    named: dict[str, list[tuple[str, Source]]] = {}
    for kept in lines(entries, *BODY):
        for place, word in places(kept.said):
            name = names.get(place.casefold(), place)
            named.setdefault(name, []).append((word, kept.said.source))
    return tuple(
        Place(
            name=name,
            count=len(rows),
            words=count((word, source) for word, source in rows if word),
            sources=tuple(source for _, source in rows),
        )
        for name, rows in sorted(named.items(), key=lambda pair: -len(pair[1]))
    )


def recall(entries: Sequence[Entry]) -> tuple[Recall, ...]:
    """Section 9: titles, images and words verbatim, newest entry first."""
    found: dict[str, list[tuple[str, Said]]] = {}
    for kept in lines(entries, *RECALL):
        found.setdefault(kept.entry.id, []).append((kept.label, kept.said))
    rows = [Recall(at=said[0][1].source.at, said=tuple(said)) for said in found.values()]
    return tuple(sorted(rows, key=lambda row: row.at, reverse=True))


def picked(entries: Sequence[Entry], field: str) -> tuple[Counted, ...]:
    """Counts of the labels picked in one multiple choice: feelings (9) or themes (10)."""
    return count((label, kept.said.source) for kept in lines(entries, field) for label in picks(kept.said))


def verbatim(entries: Sequence[Entry], field: str) -> tuple[Said, ...]:
    """All words of one field, newest first: glimmers (12), what to know (13)."""
    return tuple(kept.said for kept in reversed(lines(entries, field)))


def handling(entries: Sequence[Entry]) -> Mapping[str, str]:
    """Entry id -> how the patient would like their questions taken up, as picked."""
    return {kept.entry.id: kept.said.text for kept in lines(entries, "letter.handling")}
