"""A patient's journal as one file, in their words: Markdown for reading, JSON for machines. Protocol 7.4."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.escalation import Alert
from bot.core.journal import Entry, Question
from bot.core.parts import Part
from bot.core.steps import SmallStep

VISIBILITY = {"shared": "shared with your coach", "private": "private", "draft": "draft, only you"}
SCHEMA = "1.0"  # protocol 4.2, schema_version


def as_markdown(
    entries: Sequence[Entry],
    parts: Iterable[Part],
    steps: Iterable[SmallStep],
    questions: Iterable[Question],
    *,
    title: str,
    time_zone: str,
) -> str:
    """All entries, newest first, then parts, small steps and questions."""
    zone = ZoneInfo(time_zone)
    blocks = [f"# {title}"]
    for entry in entries:
        day = f"{entry.created_at.astimezone(zone):%A, %B %-d, %Y, %H:%M}"
        about = f"*{entry.phase.replace('_', ' ')} · {VISIBILITY.get(entry.visibility.value, entry.visibility.value)}*"
        lines = [f"**{line.label}**\n{_quoted(line.text)}" for line in entry.lines]
        blocks.append("\n\n".join([f"## {day}", about, *lines]))
    blocks.append(_listed("Parts I have met", (f"{' / '.join(p.names)} ({p.times} times)" for p in parts)))
    blocks.append(_listed("Small steps", (" · ".join(t for t in (s.text, s.when, s.status) if t) for s in steps)))
    asked = (f"{q.text}" + (f" — {q.answer}" if q.answer else f" ({q.status})") for q in questions)
    blocks.append(_listed("Questions and answers", asked))
    return "\n\n".join(block for block in blocks if block) + "\n"


def as_json(
    entries: Sequence[Entry], parts: Iterable[Part], steps: Iterable[SmallStep], questions: Iterable[Question]
) -> str:
    """The same as one JSON object; times are ISO 8601 with zone."""
    content: dict[str, Any] = {
        "schema_version": SCHEMA,
        "entries": [_entry(entry) for entry in entries],
        "parts": [{"names": list(p.names), "times": p.times, "first_seen": p.first_seen.isoformat()} for p in parts],
        "small_steps": [
            {"text": s.text, "when": s.when, "where": s.where, "status": s.status, "at": s.at.isoformat()}
            for s in steps
        ],
        "questions": [
            {"to": q.addressee, "text": q.text, "status": q.status, "answer": q.answer, "at": q.created_at.isoformat()}
            for q in questions
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def alerts_as_markdown(alerts: Iterable[Alert], *, time_zone: str) -> str:
    """The record of alerts, newest first: when, what kind, and what came of it; no words and no rules."""
    zone = ZoneInfo(time_zone)
    rows = [
        f"{alert.raised_at.astimezone(zone):%B %-d, %Y, %H:%M} · {', '.join(alert.categories) or 'not assessed'} · "
        f"{alert.level.name} · {(alert.outcome or 'still open').replace('_', ' ')} · {alert.reference}"
        for alert in sorted(alerts, key=lambda alert: alert.raised_at, reverse=True)
    ]
    listed = "\n".join(f"- {row.replace('_', ' ')}" for row in rows) or "There has been none."
    return f"# Safety alerts\n\nWhen · about · level · outcome · reference\n\n{listed}\n"


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "created_at": entry.created_at.isoformat(),
        "phase": entry.phase,
        "hours_since_dose": entry.hours_since_dose,
        "practices": list(entry.practices),
        "entry_visibility": entry.visibility.value,
        "lines": [{"field": line.field, "label": line.label, "text": line.text} for line in entry.lines],
    }


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


def _listed(title: str, rows: Iterable[str]) -> str:
    items = [f"- {row}" for row in rows]
    return "\n".join([f"## {title}", "", *items]) if items else ""
