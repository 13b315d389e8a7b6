"""Asking: the current prompt, its control, and the options that a control offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from bot.core.flow import gates
from bot.core.flow.content import Flow, Step, Variants
from bot.core.flow.render import choose
from bot.core.flow.speaking import Speaking
from bot.core.flow.speech import AnswerType, Control, Option, SummaryLine, Utterance
from bot.core.flow.state import Frame
from bot.core.journal import EntryMark, Visibility

BEGIN = Option(value="start_journal", label="Check in")  # the way back into a sitting when nothing is open
LOT = frozenset({"meet_a_part", "body_tracking", "journey_recall", "meaning_and_insight"})
REWRITTEN = ("os_", "lc_")  # steps that "Change it" leads back to
MOST_LABEL = 60  # characters of a button
MOST_ENTRIES = 6  # offered as buttons; the page has all of them
EVERY_SITTING = frozenset({"arrive", "grounding", "closing"})  # practices that say nothing about an entry
WRITING_NOW = Option(value="now", label="What I'm writing now")


class Asking(Speaking):
    """Puts questions, and puts them again."""

    def ask_again(self) -> None:
        """Speak the current prompt once more, whatever it is."""
        frame, step = self.state.frame, self.step()
        if frame is None:
            self.offer_to_begin()
            return
        if frame.offer is not None:
            self.offer_again(frame)
        elif step is not None:
            self.prompt(step, again=True)

    def prompt(self, step: Step, *, again: bool = False) -> None:
        frame = self.state.frame
        assert frame is not None
        assert step.answer is not None
        flow = self.library.flows[frame.flow]
        times = self.state.shown.get(step.id, 0)
        if not again:
            for number, variants in enumerate(step.say):
                self.speak(variants, f"{step.id}.say.{number + 1}")
            self.state.shown[step.id] = times + 1
        else:
            times = max(0, times - 1)
        prompts = self.prompts_of(step)
        text = choose(prompts, times, self.slots()) if prompts else ""
        self.said.append(
            Utterance(
                text=text,
                text_id=f"{flow.id}.{step.id}",
                kind="summary" if step.answer.type is AnswerType.summary else "prompt",
                small_print=step.small_print,
                control=self.control(flow, step),
            )
        )
        self.wait(flow)

    def prompts_of(self, step: Step) -> Variants:
        if step.id == "short_one":
            return self.library.short_questions[self.facts.phase.protocol_id][0]
        return step.prompts

    def control(self, flow: Flow, step: Step) -> Control:
        assert step.answer is not None
        answer = step.answer
        control = Control(
            id="",
            type=answer.type,
            options=self.options(step),
            minimum=answer.minimum,
            maximum=answer.maximum,
            minimum_label="not at all" if answer.type is AnswerType.scale else "",
            maximum_label="most" if answer.type is AnswerType.scale else "",
            skippable=step.skippable,
            lot=flow.id in LOT,
            safety=answer.safety,
            seconds=step.seconds,
            with_word=answer.with_word,
            with_text=answer.with_text,
            multiple=answer.multiple,
            lines=self.summary_lines() if answer.type is AnswerType.summary else (),
        )
        return self.new_control(control)

    def new_control(self, control: Control) -> Control:
        """The control with an id of its own: an answer to any earlier one is stale from here on."""
        self.state.control_no += 1
        self.state.control = f"{self.state.sitting_id[:8]}-{self.state.control_no}"
        return replace(control, id=self.state.control)

    def options(self, step: Step) -> tuple[Option, ...]:
        assert step.answer is not None
        if step.id == "gr_pick":
            return self.grounding_options()
        if step.id in ("sitting.suggest", "sitting.menu_after_no"):
            return self.practice_options()
        if step.answer.type is AnswerType.part:
            return tuple(Option(value=name, label=name) for name in self.facts.known_parts)
        if step.answer.type is AnswerType.body:
            places = (*self.library.body_places, *step.answer.extra)
            return tuple(Option(value=place, label=place.capitalize()) for place in dict.fromkeys(places))
        if step.id in ("rights.delete_pick", "rights.unshare_pick"):
            return (*self.entry_options(shared=step.id == "rights.unshare_pick"), *step.answer.options)
        if step.answer.sources:
            return self.thread_options(step.answer.sources)
        if step.answer.type is AnswerType.summary and not self.facts.may_share:
            return tuple(option for option in step.answer.options if option.value != "share")
        return step.answer.options

    def thread_options(self, sources: tuple[str, ...]) -> tuple[Option, ...]:
        """What was kept in this sitting and before, newest first, for picking up again."""
        now = [row["text"] for source in sources for row in reversed(self.state.kept) if row["field"] == source]
        before = [text for source in sources for text in self.facts.entry_lines.get(source, ())[:2]]
        return tuple(Option(value=text, label=shorten(text)) for text in dict.fromkeys((*now, *before)))

    def entry_options(self, *, shared: bool) -> tuple[Option, ...]:
        """The newest entries, or the shared ones of them, as buttons; what is being written now comes before them."""
        marks = [mark for mark in self.facts.own_entries if not shared or mark.visibility is Visibility.shared]
        now = (WRITING_NOW,) if self.current_rows() and not shared else ()
        return (*now, *(Option(value=mark.id, label=self.entry_label(mark)) for mark in marks[:MOST_ENTRIES]))

    def entry_label(self, mark: EntryMark) -> str:
        """When an entry was written, what it was, and who can read it; never its words."""
        told = [p for p in mark.practices if p not in EVERY_SITTING and p in self.library.flows]
        what = self.library.flows[told[0]].label if told else ""
        return " · ".join(part for part in (mark.when, what, mark.visibility.value) if part)

    def grounding_options(self) -> tuple[Option, ...]:
        order, frame = self.library.grounding, self.state.frame
        assert frame is not None
        ladder = str(self.state.values.get("ladder") or "unsure")
        wanted = list(order.by_state.get(ladder, order.by_state["unsure"]))
        if frame.outward:
            wanted = [p for p in wanted if p in order.outward_only] + [p for p in order.outward_only if p not in wanted]
        flow, variables = self.library.flows["grounding"], self.variables(None)
        fit = [p for p in wanted if (flow.steps[p].show_if or _always)(variables)]
        shown = [Option(value=p, label=order.names[p]) for p in fit[: order.most_shown]]
        return (*shown, Option(value="choose", label="Choose for me"))

    def practice_options(self) -> tuple[Option, ...]:
        done = tuple(p for p in self.state.practices if p not in ("grounding", "letter_to_coach"))
        offered = gates.suggestion(self.library, self.facts, self.variables(None), done)
        shown = [Option(value=name, label=self.library.flows[name].label) for name in offered]
        if self.gate() in ("settle", "orient_first", "ground_first"):
            shown.append(Option(value="person", label="A person"))
        return (*shown, Option(value="close", label="Just close"))

    def summary_lines(self) -> tuple[SummaryLine, ...]:
        order = {name: place for place, name in enumerate(self.library.fields)}

        def place_of(field: str) -> int:  # the lines about a part stay together, below its name
            return order.get("part.name" if field.startswith("part.") else field, 999)

        lines = [
            SummaryLine(id=str(number), label=self.library.fields.get(row["field"], row["label"]), text=row["text"])
            for number, row in sorted(self.current_rows(), key=lambda pair: (place_of(pair[1]["field"]), pair[0]))
        ]
        return tuple(lines)

    def current_rows(self) -> list[tuple[int, dict[str, Any]]]:
        """The kept rows that stand, with their places: a step or letter that was changed counts as last written."""
        last = {row["step"]: place for place, row in enumerate(self.state.kept)}
        return [
            (place, row)
            for place, row in enumerate(self.state.kept)
            if not row["step"].startswith(REWRITTEN) or last[row["step"]] == place
        ]

    def wait(self, flow: Flow) -> None:
        self.state.silence_due = None
        if flow.kind == "response" and flow.silence_seconds:
            self.state.silence_due = (self.now + timedelta(seconds=flow.silence_seconds)).isoformat()

    def offer_to_begin(self) -> None:
        """Nothing is open: say so, with the button that opens a sitting."""
        control = self.new_control(Control(id="", type=AnswerType.choice, options=(BEGIN,), skippable=False))
        text = self.text("steering.idle")
        self.said.append(Utterance(text=text, text_id="steering.idle", kind="notice", control=control))

    def offer(self, options: tuple[Option, ...], frame: Frame) -> None:
        frame.offer = [asdict(option) for option in options]
        control = self.new_control(Control(id="", type=AnswerType.choice, options=options, skippable=False))
        if self.said and self.said[-1].control is None and self.said[-1].kind in ("say", "crisis"):
            self.said[-1] = replace(self.said[-1], control=control)
        else:
            self.said.append(
                Utterance(
                    text=self.text("steering.what_next"), text_id="steering.what_next", kind="prompt", control=control
                )
            )

    def offer_again(self, frame: Frame) -> None:
        options = tuple(Option(**row) for row in frame.offer or ())
        self.said.append(Utterance(text=self.text("steering.what_next"), text_id="steering.what_next"))
        self.offer(options, frame)


def shorten(text: str) -> str:
    """A text cut at a word's end, for a button."""
    plain = " ".join(text.split())
    return plain if len(plain) <= MOST_LABEL else plain[:MOST_LABEL].rsplit(" ", 1)[0] + "…"


def _always(_: Mapping[str, Any]) -> bool:
    return True
