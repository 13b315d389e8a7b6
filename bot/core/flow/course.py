"""The course of a sitting: its beginning, what is suggested, its closing and its end. Source: protocol 3.14."""

from __future__ import annotations

from bot.core.flow import gates
from bot.core.flow.risk import Responding
from bot.core.flow.state import Frame, SittingState
from bot.core.journeys import Phase
from bot.core.safety.verdict import Level


class Course(Responding):
    """Leads through a whole sitting."""

    def begin(self, sitting_id: str) -> None:
        shown = self.state.shown
        self.state = SittingState(
            sitting_id=sitting_id,
            status="active",
            started_at=self.now.isoformat(),
            content_version=self.library.version,
            shown=shown,
        )
        if self.facts.open_alert is Level.emergency:
            self.lock()
            return
        if self.facts.open_alert is Level.urgent:
            self.say_text("safety_shared.gentle_screen")
        if self.facts.days_since_last is not None and self.facts.days_since_last >= 7:
            self.say_text("returning.after_30_days" if self.facts.days_since_last >= 30 else "returning.after_7_days")
        self.state.frames = [Frame(flow="arrive", step="ar_hello")]
        if self.facts.sittings_today >= gates.MOST_SITTINGS_A_DAY:
            self.say_text("sitting.cap_reached")
        if self.facts.phase is Phase.unknown:
            self.push("phase_unknown")
            return
        self.show()

    def suggest(self) -> None:
        gate = self.gate()
        if gate == "locked":
            self.lock()
            return
        if gate == "hold":
            self.say_text("phase.journey_day_after")
            self.finish()
            return
        if gate in ("settle", "orient_first") and not self.state.rounds:
            self.push("grounding", outward=gate == "orient_first")
            return
        phase_text = f"phase.{self.facts.phase.value}"
        if phase_text in self.library.texts and not self.state.values.get("phase_said"):
            self.state.values["phase_said"] = True
            self.say_text(phase_text)
        short = self.state.values.get("mode") == "short" or self.state.mode == "short"
        if short and gate in ("open", "landing") and "short" not in self.state.practices:
            self.state.mode = "short"
            self.state.practices.append("short")
            self.push("short")
            return
        self.push("sitting.suggest")

    def close(self) -> None:
        """Offer what waited for the end of the practice, then close."""
        if self.state.pending_concerns:
            waiting = self.state.pending_concerns.pop(0)
            self.push(waiting["flow"], subtype=waiting["subtype"])
            return
        if "closing" in self.state.practices:
            self.to_summary()
            return
        if self.offers_another():
            self.push("sitting.between_practices")
            return
        self.push("closing")

    def offers_another(self) -> bool:
        full = [p for p in self.state.practices if p not in gates.UNCAPPED]
        asked = self.state.values.get("between_asked")
        open_ended = self.state.values.get("mode") == "open" and self.gate() == "open"
        return bool(open_ended and not asked and 0 < len(full) < gates.MOST_PRACTICES)

    def to_summary(self) -> None:
        if self.in_response():
            self.ask_again()
            return
        self.state.frames = []
        if not self.state.kept:
            self.say_text("steering.nothing_written_yet")
            self.push_closing_goodbye()
            return
        self.push("summary")

    def push_closing_goodbye(self) -> None:
        self.state.frames.append(Frame(flow="closing", step="cl_bye"))
        self.show()

    def finish(self) -> None:
        """The sitting is over; what was kept has been saved, or is kept as a draft."""
        self.state.frames = []
        self.state.control = None
        self.state.status = "idle"
        self.state.silence_due = None
