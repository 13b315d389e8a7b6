"""Offers: the buttons of a branch, of the menu and of the ends of flows, and where each leads."""

from __future__ import annotations

from bot.core.flow import gates
from bot.core.flow.keeping import Keeping
from bot.core.flow.reading import find_option
from bot.core.flow.speech import Option, Reply
from bot.core.flow.state import Frame

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
            self.state.kept = [row for row in self.state.kept if not row["field"].startswith("step.")]
            self.goto("closing")
        elif value == "close" and frame.offer_close is not None:
            target, frame.offer_close = frame.offer_close, None
            self.branch_goto(target, step)
        elif value == "close" and frame.flow == "closing":
            self.goto(self.following(step))
        elif value == "gentle":
            self.state.values["declined_settling"] = True
            self.goto("gate" if frame.flow == "arrive" else "menu")
        elif value in flow.steps or value in self.library.flows:
            self.goto(value)
        else:
            self.goto(OFFER_GOTO.get(value, "closing"))

    def after_settling(self) -> None:
        """Go on after grounding: with what waited below, if the gate allows it, else with a suggestion."""
        if self.state.frames:
            self.resume_below()
        else:
            self.suggest()

    def too_much(self, frame: Frame) -> None:
        """ "This is a lot": settle now, and never ask why. Twice in a sitting leads to the distress check."""
        self.state.lots += 1
        if self.state.lots >= 2 and not self.state.distress_checks:
            self.state.distress_checks += 1
            self.push("safety.distress_check")
            return
        self.push("grounding", outward=True)

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
        self.goto(picked)

    def answer_resume(self, value: str) -> None:
        self.state.frames.pop()
        if value == "fresh":
            self.to_draft()
            self.begin(self.state.sitting_id)
        elif value == "close":
            self.to_summary()
        else:
            self.state.status = "active"
            self.ask_again()

    def answer_aftercare(self, value: str) -> None:
        self.state.frames.pop()
        if value == "go_on":
            self.resume_below()
        elif value == "ground":
            self.state.frames = []
            self.push("grounding", outward=True)
        elif value == "letter":
            self.state.frames = []
            self.push("letter_to_coach")
        elif self.state.kept:
            self.to_summary()
        else:
            self.state.frames = []
            self.push_closing_goodbye()
