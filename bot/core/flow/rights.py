"""The patient's rights by asking: see, remove, unshare, copy, delete everything, and what a new coach may read.

Whatever cannot be brought back is confirmed first, and nothing of it happens within a day of a dose. Source: protocol
1.4 N15, 7.4 to 7.6.
"""

from __future__ import annotations

from bot.core.flow.asking import MOST_ENTRIES, WRITING_NOW
from bot.core.flow.offers import Offers
from bot.core.flow.outcome import Effect
from bot.core.flow.speech import Link, Reply, Utterance
from bot.core.flow.state import SittingState

COPIES = (("copy", "To the copy"), ("alerts", "To the record of alerts"))


class Rights(Offers):
    """Asks which entry and whether, and has the services do it."""

    def exercise(self, command: str, sitting_id: str) -> None:
        """Begin one of the commands show_entries, delete_entry, export_data, delete_all_data."""
        if self.in_response() or self.locked_now():
            self.notice("rights.first_this")
            self.ask_again()
            return
        if self.state.frame is not None and self.state.frame.flow.startswith("rights."):
            self.state.frames.pop()  # asked for another thing meanwhile
        if command == "show_entries":
            self.show_entries()
        elif command == "export_data":
            self.show_copy()
        elif command == "delete_entry":
            self.ask_which_to_remove(sitting_id)
        else:
            self.ask_to_delete_all(sitting_id)

    def show_entries(self) -> None:
        """The latest entries as links to their pages; the question that stood before stands again."""
        links = tuple(
            Link(page="entry", id=mark.id, label=self.entry_label(mark))
            for mark in self.facts.own_entries[:MOST_ENTRIES]
        )
        self.say_with_links("rights.entries" if links else "rights.no_entries", links)
        self.ask_again()

    def show_copy(self) -> None:
        self.say_with_links("rights.copy", tuple(Link(page=page, label=label) for page, label in COPIES))
        self.ask_again()

    def say_with_links(self, name: str, links: tuple[Link, ...]) -> None:
        self.said.append(Utterance(text=self.text(name), text_id=f"{name}.1", kind="notice", links=links))

    def ask_which_to_remove(self, sitting_id: str) -> None:
        if not self.entry_options(shared=False):
            self.notice("rights.no_entries")
            self.ask_again()
            return
        self.push_over("rights.delete_pick", sitting_id)

    def ask_which_to_unshare(self, sitting_id: str) -> None:
        if not self.entry_options(shared=True):
            self.notice("rights.nothing_shared")
            self.ask_again()
            return
        self.push_over("rights.unshare_pick", sitting_id)

    def ask_to_delete_all(self, sitting_id: str) -> None:
        if self.facts.deletion in ("noted", "confirmed"):
            self.push_over("rights.delete_all_asked", sitting_id)
            return
        self.say_text("rights.delete_all_means")
        self.push_over("rights.delete_all", sitting_id)

    def answer_rights(self, place: str, value: str) -> None:
        """Take the answer to one of the questions above."""
        self.state.frames.pop()
        question = place.removeprefix("rights.")
        if question == "delete_pick" and value == WRITING_NOW.value:
            self.forget_questions()
            self.answer_summary("discard", Reply(message_id="", text=""))
            return
        if question == "delete_pick" and value != "none":
            self.confirm_removal(value)
            return
        if question == "delete_all" and value == "yes":
            self.push("rights.delete_all_sure")
            return
        if question == "delete_confirm":
            self.settle_removal(remove=value == "yes")
        elif question == "unshare_pick":
            self.settle_unsharing(value)
        elif question == "delete_pick":
            self.notice("rights.kept_entry")
        else:
            self.settle_deletion(delete=value == "yes", known=question == "delete_all_asked")
        self.leave_rights()

    def confirm_removal(self, entry_id: str) -> None:
        self.state.values["entry_to_remove"] = entry_id
        marks = [mark for mark in self.facts.own_entries if mark.id == entry_id]
        self.said += [Utterance(text=self.entry_label(mark), text_id="rights.entry") for mark in marks]
        self.push("rights.delete_confirm")

    def settle_removal(self, *, remove: bool) -> None:
        entry_id = self.state.values.pop("entry_to_remove", "")
        if not remove:
            self.notice("rights.kept_entry")
        elif self.facts.within_a_day:
            self.effects.append(Effect(kind="remove_later", data={"entry": entry_id}))
            self.notice("summary.discard_first_24h")
        else:
            self.effects.append(Effect(kind="remove_entry", data={"entry": entry_id}))
            self.notice("rights.removed")

    def settle_unsharing(self, entry_id: str) -> None:
        if entry_id == "none":
            self.notice("rights.left_shared")
            return
        self.effects.append(Effect(kind="unshare", data={"entry": entry_id}))
        self.notice("summary.unshare")

    def settle_deletion(self, *, delete: bool, known: bool) -> None:
        if not delete:
            self.effects.append(Effect(kind="keep_all"))
            self.notice("rights.kept_all")
        elif not known:
            self.effects.append(Effect(kind="delete_all", data={"wait": self.facts.within_a_day}))
            self.notice("rights.delete_all_noted" if self.facts.within_a_day else "rights.delete_all_confirmed")

    def leave_rights(self) -> None:
        """Go on where the sitting was. Words that were typed meanwhile are shown before they are kept."""
        self.forget_questions()
        if self.state.frames:
            self.ask_again()
        elif self.current_rows():
            self.to_summary()
        else:
            self.finish()
            self.offer_to_begin()

    def forget_questions(self) -> None:
        """What was done here is not to be gone back to."""
        frames = [(row, [frame["flow"] for frame in row["frames"]]) for row in self.state.history]
        self.state.history = [row for row, flows in frames if not flows or not flows[-1].startswith("rights.")]

    def answer_before(self, question: str, value: str | None) -> None:
        """Two questions of this kind are asked before arriving: about a waiting deletion, and about a new coach."""
        if question == "rights.delete_all_again":
            self.settle_deletion(delete=value == "yes", known=False)
        elif question == "rights.new_coach":  # protocol 7.5
            self.effects.append(Effect(kind="handover", data={"choice": str(value)}))
            self.notice(f"rights.coach_{value}")
        super().answer_before(question, value)

    def push_over(self, flow_id: str, sitting_id: str) -> None:
        """Put a flow on top of whatever is open, or begin with it where nothing is."""
        if not self.state.frames:
            shown = self.state.shown
            self.state = SittingState(
                sitting_id=sitting_id,
                started_at=self.now.isoformat(),
                shown=shown,
                content_version=self.library.version,
            )
        self.state.status = "active"
        self.push(flow_id)

    def keep_private(self, sitting_id: str, reply: Reply) -> None:
        """Save what is being written for the patient alone; where nothing is open, offer to take an entry back."""
        if self.is_at("summary"):
            self.state.status = "active"
            self.answer_summary("private", reply)
        elif self.state.frames:
            self.to_summary()
        else:
            self.ask_which_to_unshare(sitting_id)
