"""Saving: the summary card and what the patient decides to do with it. Source: protocol 3.14."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.flow.course import Course
from bot.core.flow.outcome import Effect
from bot.core.flow.speech import Reply
from bot.core.journeys import Phase


class Saving(Course):
    """Turns kept lines into an entry, as the patient chose."""

    def answer_summary(self, value: str, reply: Reply) -> None:
        edits = reply.lines or {}
        lines = self.lines(edits)
        if value == "discard":
            early = self.facts.phase in (Phase.first_24h, Phase.journey_day_before, Phase.journey_day_after)
            if early:  # protocol 1.4, N15: nothing irreversible within a day of a dose
                self.save("draft", lines, "summary.discard_first_24h")
            else:
                self.push("discard_confirm")
            return
        visibility, after = {
            "share": ("shared", "summary.after_share"),
            "private": ("private", "summary.after_private"),
        }.get(value, ("draft", "summary.after_later"))
        self.save(visibility, lines, after)

    def save(self, visibility: str, lines: list[dict[str, Any]], text: str) -> None:
        self.effects.append(Effect(kind="save", data={"visibility": visibility, "lines": lines}))
        self.say_text(text)
        self.state.kept = []
        self.state.frames = []
        self.push_closing_goodbye()

    def lines(self, edits: Mapping[str, str | None]) -> list[dict[str, Any]]:
        kept = []
        for line in self.summary_lines():
            text = edits.get(line.id, line.text)
            if text is not None and text.strip():
                row = self.state.kept[int(line.id)]
                kept.append({"step": row["step"], "field": row["field"], "label": line.label, "text": text})
        return kept

    def answer_discard(self, value: str) -> None:
        self.state.frames.pop()
        if value != "yes":
            self.ask_again()
            return
        self.effects.append(Effect(kind="discard"))
        self.state.kept, self.state.frames = [], []
        self.push_closing_goodbye()

    def to_draft(self) -> None:
        if self.state.kept:
            self.effects.append(Effect(kind="save", data={"visibility": "draft", "lines": self.lines({})}))
