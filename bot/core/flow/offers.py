"""Offers: the buttons of a branch, of the menu and of the ends of flows, and where each leads."""

from __future__ import annotations

from typing import Any

from bot.core.flow import gates
from bot.core.flow.echo import is_only_profanity
from bot.core.flow.keeping import Keeping
from bot.core.flow.outcome import Effect
from bot.core.flow.reading import find_option
from bot.core.flow.speech import Option, Reply, Utterance
from bot.core.flow.state import Frame, SittingState
from bot.core.safety.verdict import Level

OFFER_GOTO = {
    "ground": "grounding",
    "again": "grounding",
    "person": "safety.human_request",
    "letter": "letter_to_coach",
    "gentle": "menu",
    "stop": "closing",
    "close": "closing",
    "enough": "closing",
    "corner": "jr_images",
    "switch": "mp_name",
    "glimmer": "glimmer",
}

TO = {"to_coach": "coach", "to_medical": "medical_team", "to_no_one": None}


class Offers(Keeping):
    """Takes choices between ways to go on."""

    def take_offer(self, frame: Frame, reply: Reply) -> None:
        options = tuple(Option(**row) for row in frame.offer or ())
        typed = str(reply.value) if reply.control_id is not None and reply.value is not None else reply.text
        match = find_option(options, typed)
        if typed == "skip":
            match = next((o for o in options if o.value in ("go_on", "close", "enough", "stop", "keep")), options[-1])
        if match is None:
            self.keep_aside(reply.text.strip())
            self.notice("steering.please_choose")
            self.offer_again(frame)
            return
        self.remember()
        frame.offer = None
        self.follow_offer(frame, match.value)

    def follow_offer(self, frame: Frame, value: str) -> None:
        step = self.step()
        assert step is not None
        flow = self.library.flows[frame.flow]
        if value in ("go_on", "keep"):
            if frame.flow == "grounding":
                self.state.frames.pop()
                self.after_settling()
            else:
                self.goto(self.following(step))
        elif value == "smaller":
            self.goto("os_step")
        elif value == "drop":
            self.skip_to(step, "closing") if step.id == "os_step" else self.drop_step()
        elif value == "carry_on":  # past the soft stop: the question that was about to be asked
            self.show()
        elif value in TO:
            self.send_question(TO[value])
            self.goto(self.following(step))
        elif value == "close" and frame.offer_close is not None:
            target, frame.offer_close = frame.offer_close, None
            self.branch_goto(target, step)
        elif value == "close" and frame.flow == "closing":
            self.goto(self.following(step))
        elif value == "gentle":
            self.state.values["declined_settling"] = frame.flow == "arrive"
            self.state.values["gentle"] = True
            self.goto("gate" if frame.flow == "arrive" else "menu")
        elif value in flow.steps or value in self.library.flows:
            self.goto(value)
        else:
            self.goto(OFFER_GOTO.get(value, "closing"))

    def after_settling(self) -> None:
        """Go on after grounding: with what waited below, if the gate allows it, else with a suggestion."""
        if self.state.frames:
            self.resume_below()
        elif self.state.mode == "short":  # the 3-minute version settles once, then closes (3.15)
            self.close()
        else:
            self.suggest()

    def drop_step(self) -> None:
        """Let the small step go: nothing of it is kept."""
        self.state.kept = [row for row in self.state.kept if not row["field"].startswith("step.")]
        self.state.history = []
        self.goto("closing")

    def send_question(self, to: str | None) -> None:
        """Carry the last question to whom the patient chose, or only keep it in the entry."""
        text = self.state.values.pop("question_text", "")
        if to is None or not text:
            return
        self.effects.append(Effect(kind="question", data={"to": to, "text": text}))
        self.say_text("steering.question_sent" if to == "medical_team" else "steering.question_to_coach")

    def too_much(self, frame: Frame) -> None:
        """ "This is a lot": settle now, and never ask why. Twice in a sitting leads to the distress check."""
        self.state.lots += 1
        if self.state.lots >= 2 and not self.state.distress_checks:
            self.state.distress_checks += 1
            self.push("safety.distress_check")
            return
        self.push("grounding", outward=True)
        settling = self.state.frame
        assert settling is not None
        settling.after_lot = True

    def choose_practice(self, value: str) -> None:
        if value == "person":
            self.push("safety.human_request")
        elif value == "close" or value not in self.library.flows:
            self.push("closing")
        elif not gates.permitted(value, self.library, self.facts, self.variables(None)):
            self.menu()
        else:
            self.push(value)

    def choose_grounding(self, frame: Frame, value: str | None) -> None:
        offered = [option.value for option in self.grounding_options() if option.value != "choose"]
        picked = value if value in offered else offered[self.state.rounds % len(offered)]
        frame.start = self.state.values.get("activation")
        self.state.values["settled_with"] = picked
        frame.step = picked  # by tap, so that a practice hidden by a switch is never moved past to the next one
        self.show()

    def note_settling(self, frame: Frame, after: Any) -> None:
        """Keep what a round of settling went with: its name, the rating before, where there is one, and after."""
        name = self.library.grounding.names.get(str(self.state.values.get("settled_with")))
        if name is not None and after is not None:
            text = f"{name}: {after}" if frame.start is None else f"{name}: {frame.start} → {after}"
            self.state.kept.append({"step": "gr_rate", "field": "settling", "label": "settling", "text": text})

    def answer_resume(self, value: str, sitting_id: str) -> None:
        self.state.frames.pop()
        if value == "fresh":
            self.to_draft()
            self.begin(sitting_id)
        elif value == "close":
            self.to_summary()
        else:
            self.pick_up()

    def pick_up(self) -> None:
        """Go on at the same step; a practice that the day or the team no longer allows gives way to the menu."""
        self.state.status = "active"
        frame = self.state.frame
        if frame is not None and self.library.flows[frame.flow].kind == "practice" and not self.may_go_on(frame):
            self.resume_below()
        else:
            self.ask_again()

    def lead(self, value: str | None) -> None:
        """Go where the last question of a response flow points: settling, a small thing, a note, a person, an end."""
        if value == "ground":
            self.push("grounding", outward=True)
        elif value == "person":
            self.push("safety.human_request")
        elif value in ("glimmer", "letter"):
            self.state.frames = []
            self.push("glimmer" if value == "glimmer" else "letter_to_coach")
        elif self.current_rows():
            self.to_summary()
        else:
            self.state.frames = []
            self.push_closing_goodbye()

    def answer_before(self, question: str, value: str | None) -> None:
        """A question that comes before arriving was answered: keep what follows, then the next one."""
        if question == "phase_unknown":
            self.effects.append(Effect(kind="schedule_missing"))
        elif question == "own.slept":
            self.effects.append(Effect(kind="slept", data={"slept": value == "yes"}))
        elif question == "own.discard_again":
            self.effects.append(Effect(kind="discarded_again", data={"remove": value == "yes"}))
            self.say_text("steering.removed" if value == "yes" else "steering.kept_after_all")
        self.believe_stated_phase()
        self.state.frames.pop()
        self.before_arriving()

    def answer_send(self, value: str) -> None:
        """Carry a question in between to the coach or the medical team, or not; then go on where the sitting was."""
        self.state.frames.pop()
        self.send_question(value if value in ("coach", "medical_team") else None)
        if self.state.frames:
            self.ask_again()
        else:
            self.finish()
            self.offer_to_begin()

    def take_aside(self, text: str, sitting_id: str) -> None:
        """Words typed while nothing was asked: they are kept, and ways to go on are offered (protocol 3.14)."""
        times = self.state.values.get("not_understood", 0)
        row = {"step": "aside", "field": "freeform", "label": "Also written", "text": text}
        if self.facts.open_alert is Level.emergency:
            self.begin(sitting_id)
            self.effects.append(Effect(kind="staff_text", data={"text": text}))
            return
        self.state = SittingState(
            sitting_id=sitting_id, status="active", started_at=self.now.isoformat(), shown=self.state.shown,
            content_version=self.newest.version, kept=[row], values={"not_understood": times + 1},
        )  # fmt: skip
        self.library = self.newest
        self.say_not_understood(text)
        self.push("own.kept_aside")

    def say_not_understood(self, text: str) -> None:
        """Say what was not understood; twice in a row names that as the limit that it is."""
        if is_only_profanity(text):
            self.say_text("sitting.abusive_or_testing")
        elif self.state.values["not_understood"] > 1:
            self.say_text("sitting.not_understood_twice")
        else:
            self.say_text("sitting.not_understood")

    def answer_aside(self, value: str, sitting_id: str) -> None:
        """After words that answered nothing: a whole check-in, writing freely, a person, or closing with the words."""
        self.state.frames.pop()
        if value == "check":
            self.begin(sitting_id, kept=self.state.kept)
        elif value == "write":
            self.push("own.write_freely")
        elif value == "person":
            self.push("safety.human_request")
        else:
            self.to_summary()

    def answer_aftercare(self, value: str) -> None:
        self.state.frames.pop()
        if value == "go_on":
            self.resume_below()
        elif value == "plan":
            self.show_plan()
        else:
            self.lead(value)

    def show_plan(self) -> None:
        """The plan for staying safe as it stands, then its questions; a line that is skipped stays as it was."""
        self.say_text("staying_safe.intro")
        kept = [f"{self.text(f'staying_safe.title.{line}')}: {text}" for line, text in self.facts.safety_plan.items()]
        if kept:
            self.said.append(Utterance(text="\n".join(kept), text_id="staying_safe.kept"))
        self.push("staying_safe")
