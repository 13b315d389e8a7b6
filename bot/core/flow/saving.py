"""Saving: the summary card and what the patient decides to do with it. Source: protocol 3.14."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.flow.course import Course
from bot.core.flow.outcome import Effect
from bot.core.flow.speech import Reply

RATINGS = (  # what stays of a discarded sitting: no words
    "state.ladder", "state.activation_start", "state.activation_end", "presence", "pattern", "activation", "mode",
)  # fmt: skip


class Saving(Course):
    """Turns kept lines into an entry, as the patient chose."""

    def answer_summary(self, value: str, reply: Reply) -> None:
        lines = self.lines(reply.lines or {})
        if value == "discard":
            if self.facts.within_a_day:  # protocol 1.4, N15: nothing irreversible within a day of a dose
                self.effects.append(Effect(kind="discard_later", data={"lines": lines}))
                self.say_text("summary.discard_first_24h")
                self.leave()
            else:
                self.push("discard_confirm")
            return
        visibility, after = {
            "share": ("shared", "summary.after_share"),
            "private": ("private", "summary.after_private"),
        }.get(value, ("draft", "summary.after_later"))
        if lines:
            self.effects.append(Effect(kind="save", data={"visibility": visibility, "lines": lines}))
        self.say_text(after if lines else "steering.nothing_written_yet")
        self.leave()

    def leave(self) -> None:
        """All that was written is settled; say goodbye."""
        self.name_resource()
        self.state.kept, self.state.frames, self.state.history = [], [], []
        self.push_closing_goodbye()

    def name_resource(self) -> None:
        """One thing of the clinic's to read or hear, in turn, where it fits what was done; not in the short version."""
        phase, done = self.facts.phase.protocol_id, set(self.state.practices)
        fitting = [r for r in self.library.resources if phase in r.phases and (r.fits & done)]
        if self.state.mode == "short" or not fitting:
            return
        times = self.state.shown.get("resources", 0)
        self.state.shown["resources"] = times + 1
        self.state.slots["resource"] = fitting[times % len(fitting)].title
        self.say_text("steering.resource")

    def answer_letter(self, value: str | None) -> None:
        """Send the note to the coach, keep it, or let it go. It becomes an entry of its own (protocol 3.11)."""
        rows = [row for _, row in self.letter_rows()]
        if value == "send" and self.facts.may_share:
            self.keep_letter("shared", rows, "summary.after_share")
        elif value == "discard":
            self.say_text("steering.letter_let_go")
        else:
            self.keep_letter("private", rows, "summary.after_private")
        self.state.kept = [row for row in self.state.kept if not row["step"].startswith("lc_")]
        self.state.history = []

    def keep_letter(self, visibility: str, rows: list[dict[str, Any]], after: str) -> None:
        labels = self.library.fields
        lines = [{**row, "label": labels.get(row["field"], row["label"])} for row in rows]
        data = {"visibility": visibility, "lines": lines, "practices": ["letter_to_coach"]}
        self.effects.append(Effect(kind="save", data=data))
        self.say_text(after)

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
        self.state.values = {name: value for name, value in self.state.values.items() if name in RATINGS}
        self.state.slots = {}
        self.leave()

    def to_draft(self) -> None:
        if self.state.kept:
            self.effects.append(Effect(kind="save", data={"visibility": "draft", "lines": self.lines({})}))
