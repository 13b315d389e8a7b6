"""The course of a sitting: its beginning, what is suggested, its closing and its end. Source: protocol 3.14."""

from __future__ import annotations

from typing import Any

from bot.core.flow import gates
from bot.core.flow.outcome import Effect, Raise
from bot.core.flow.risk import Responding
from bot.core.flow.state import Frame, SittingState
from bot.core.journeys import SLEEP_ASKED_FROM, SLEEP_KEEPS_UNTIL, Phase, ProgramStatus
from bot.core.patterns import THREE_FAR_AWAY, THREE_HIGH
from bot.core.safety.verdict import Level

ASK_FOR_SESSION = "h72_4"  # the tip that makes no sense once a session is booked


class Course(Responding):
    """Leads through a whole sitting."""

    def begin(self, sitting_id: str, *, kept: list[dict[str, Any]] | None = None) -> None:
        """Open a new sitting on the newest content. `kept` are words written just before it."""
        self.library = self.newest
        self.state = SittingState(
            sitting_id=sitting_id,
            status="active",
            started_at=self.now.isoformat(),
            content_version=self.library.version,
            shown=self.state.shown,
            kept=kept or [],
        )
        if self.facts.open_alert is Level.emergency:
            self.lock()
            return
        if self.facts.phase is Phase.journey_day_after and not kept:
            self.say_text("phase.journey_day_after")
            self.finish()
            return
        self.welcome()
        short = self.facts.phase is Phase.journey_day_before
        self.state.frames = [Frame(flow="arrive", step="ar_hello", mode="short" if short else "")]
        self.before_arriving()

    def welcome(self) -> None:
        """What has to be said before the first question of a sitting."""
        facts = self.facts
        if facts.program in (ProgramStatus.completed, ProgramStatus.discharged):
            self.say_text("phase.completed")
        if facts.open_alert is Level.urgent:
            self.say_text("safety_shared.gentle_screen")
        if facts.days_since_last is not None and facts.days_since_last >= 7:
            self.say_text("returning.after_30_days" if facts.days_since_last >= 30 else "returning.after_7_days")
        if facts.sittings_today >= gates.MOST_SITTINGS_A_DAY:
            self.state.values["cap_said"] = True
            self.say_text("sitting.cap_reached")
        if facts.pattern is not None:
            self.speak_of(facts.pattern)

    def speak_of(self, pattern: str) -> None:
        """Tell the patient of a pattern over the last sittings, and the coach, as the text says (protocol 3.16)."""
        self.state.values["pattern"] = pattern
        if pattern != THREE_FAR_AWAY:  # that one asks its question before the first step
            self.say_text(f"returning.{pattern}")
            reason = "high at the end of three sittings" if pattern == THREE_HIGH else "very frequent use"
            self.raises.append(Raise(category="distress", level="concern", reason=reason))

    def before_arriving(self) -> None:
        """Ask what has to be known first, one question at a time, then begin to arrive."""
        values, facts = self.state.values, self.facts
        hours = facts.hours_since_dose
        unsure_of_sleep = facts.slept_since_dose is None and "meta.slept" not in values
        if facts.phase is Phase.unknown:
            self.push("phase_unknown")
        elif unsure_of_sleep and hours is not None and SLEEP_ASKED_FROM <= hours < SLEEP_KEEPS_UNTIL:
            self.push("own.slept")
        elif facts.discards_due and not facts.within_a_day and "meta.discard_again" not in values:
            self.push("own.discard_again")
        elif facts.deletion == "due" and not facts.within_a_day and "meta.delete_all_again" not in values:
            self.push("rights.delete_all_again")
        elif facts.coach_is_new and not facts.within_a_day and "meta.new_coach" not in values:
            self.push("rights.new_coach")
        elif values.get("pattern") == THREE_FAR_AWAY and not values.get("unreality_asked"):
            values["unreality_asked"] = True
            self.push("safety.unreality_check")
        else:
            self.show()

    def suggest(self) -> None:
        """Suggest a practice, or do what the gate asks instead."""
        gate = self.gate()
        if gate == "locked":
            self.lock()
            return
        if gate == "hold":
            self.say_text("phase.journey_day_after")
            self.to_summary() if self.state.kept else self.finish()
            return
        if gate in ("settle", "orient_first") and not self.state.rounds:
            self.push("grounding", outward=gate == "orient_first")
            return
        short = self.state.values.get("mode") == "short" or self.state.mode == "short"
        self.speak_of_phase(with_tip=not short)
        if short and gate in ("open", "landing") and "short" not in self.state.practices:
            self.state.mode = "short"
            self.state.practices.append("short")
            self.push("short")
            return
        self.push("sitting.suggest")

    def speak_of_phase(self, *, with_tip: bool) -> None:
        """Once a sitting: where the patient is on the timeline, their intention on the day, and one tip in turn."""
        if self.state.values.get("phase_said"):
            return
        self.state.values["phase_said"] = True
        phase = self.facts.phase.value
        dated = phase == Phase.before_next.value and not self.slots().get("next_journey_date")
        name = f"phase.{phase}.no_date" if dated else f"phase.{phase}"
        if name in self.library.texts:
            self.say_text(name)
        if f"phase.{phase}.read_back" in self.library.texts and self.slots().get("last_intention"):
            self.say_text(f"phase.{phase}.read_back")
        tips = [
            tip
            for tip in self.library.tips.get(phase, ())
            if tip[0] != ASK_FOR_SESSION or not self.facts.session_booked
        ]
        if with_tip and tips:
            number = self.state.shown.get(f"tips.{phase}", 0)
            self.state.shown[f"tips.{phase}"] = number + 1
            tip_id, text = tips[number % len(tips)]
            self.speak((text,), f"tip.{tip_id}")

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
        if self.state.values.get("changes_skipped"):  # protocol 3.1: said once more before closing
            self.say_text("steering.changes_reminder")
        self.push("closing")

    def offers_another(self) -> bool:
        full = [p for p in self.state.practices if p not in gates.UNCAPPED]
        asked = self.state.values.get("between_asked")
        open_ended = self.state.values.get("mode") == "open" and self.gate() == "open"
        in_time = self.state.spent_seconds < 60 * gates.most_minutes(self.facts)
        fresh = self.facts.sittings_today < gates.MOST_SITTINGS_A_DAY
        return bool(open_ended and not asked and in_time and fresh and 0 < len(full) < gates.MOST_PRACTICES)

    def to_summary(self) -> None:
        if self.in_response():
            self.ask_again()
            return
        self.state.frames = []
        if not self.current_rows():
            self.say_text("steering.nothing_written_yet")
            self.push_closing_goodbye()
            return
        self.push("summary")

    def push_closing_goodbye(self) -> None:
        self.state.frames.append(Frame(flow="closing", step="cl_bye"))
        self.show()

    def finish(self) -> None:
        """The sitting is over; what was kept has been saved, as the patient chose."""
        values = self.state.values
        ratings = {
            "activation_start": values.get("state.activation_start"),
            "activation_end": values.get("state.activation_end"),
            "presence": values.get("presence"),
            "pattern": values.get("pattern"),
        }
        if "state.ladder" in values or self.state.practices:
            self.effects.append(Effect(kind="sitting_ended", data=ratings))
        self.state.frames = []
        self.state.control = None
        self.state.status = "idle"
        self.state.silence_due = None
