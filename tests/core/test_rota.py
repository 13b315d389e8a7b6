"""Who is on duty when: hand-overs by the wall clock, overrides, leave, holidays, gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.rota import DayOff, Override, Rota, Shift

LA = ZoneInfo("America/Los_Angeles")
NOOR, OLA = 1, 2


def nights(member: int, first: date, every: int = 2) -> Shift:
    """From 19:00 to 07:00 the next morning."""
    return Shift(
        id=f"n{member}", duty="on_call", member_id=member, first_day=first, starts=time(19), lasts_days=1,
        ends=time(7), every_days=every,
    )  # fmt: skip


def weeks(member: int, first: date, every: int = 14) -> Shift:
    return Shift(
        id=f"w{member}", duty="on_call", member_id=member, first_day=first, starts=time(9), lasts_days=7,
        ends=time(9), every_days=every,
    )  # fmt: skip


def local(*at: int) -> datetime:
    return datetime(*at, tzinfo=LA).astimezone(UTC)  # type: ignore[misc, arg-type]


def test_the_hand_over_stays_at_nine_when_the_clocks_go_back() -> None:
    rota = Rota(zone=LA, shifts=[weeks(NOOR, date(2026, 10, 26)), weeks(OLA, date(2026, 11, 2))])
    assert rota.on_duty("on_call", local(2026, 11, 2, 8, 59)) == (NOOR,)
    assert rota.on_duty("on_call", local(2026, 11, 2, 9, 0)) == (OLA,)
    noors = rota.spans("on_call", local(2026, 10, 26, 9), local(2026, 11, 2, 9))
    assert [span.ends_at - span.starts_at for span in noors] == [timedelta(days=7, hours=1)]


@pytest.mark.parametrize(("night", "hours"), [(date(2026, 10, 31), 13), (date(2026, 3, 7), 11), (date(2026, 6, 1), 12)])
def test_a_night_shift_lasts_from_seven_to_seven_on_the_night_the_clocks_change(night: date, hours: int) -> None:
    rota = Rota(zone=LA, shifts=[nights(NOOR, night, every=0)])
    (span,) = [
        s
        for s in rota.spans(
            "on_call",
            local(night.year, night.month, night.day),
            local(night.year, night.month, night.day) + timedelta(days=2),
        )
        if s.members
    ]
    assert span.ends_at - span.starts_at == timedelta(hours=hours)
    assert span.ends_at.astimezone(LA).time() == time(7)


def test_both_moments_of_the_repeated_hour_have_the_same_person() -> None:
    rota = Rota(zone=LA, shifts=[nights(NOOR, date(2026, 10, 31), every=0)])
    first, second = datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 30, tzinfo=UTC)  # 01:30 twice
    assert first.astimezone(LA).time() == second.astimezone(LA).time()
    assert rota.on_duty("on_call", first) == rota.on_duty("on_call", second) == (NOOR,)


def test_an_override_wins_for_its_time_and_the_latest_wins_over_it() -> None:
    shift = weeks(NOOR, date(2026, 11, 23))
    start, end = local(2026, 11, 26, 18), local(2026, 11, 27, 9)
    first = Override(id="a", duty="on_call", member_id=OLA, starts_at=start, ends_at=end, made_at=local(2026, 11, 20))
    later = Override(id="b", duty="on_call", member_id=3, starts_at=start, ends_at=end, made_at=local(2026, 11, 21))
    rota = Rota(zone=LA, shifts=[shift], overrides=[later, first])
    assert rota.on_duty("on_call", start - timedelta(seconds=1)) == (NOOR,)
    assert rota.on_duty("on_call", start) == (3,)
    assert rota.on_duty("on_call", end) == (NOOR,)
    assert rota.on_duty("second", start) == ()


def test_someone_away_leaves_a_gap_that_is_shown_before_it_comes() -> None:
    away = DayOff(id="d", first_day=date(2026, 11, 26), last_day=date(2026, 11, 27), member_id=NOOR)
    rota = Rota(zone=LA, shifts=[weeks(NOOR, date(2026, 11, 23), every=7)], days_off=[away])
    (gap,) = rota.gaps("on_call", local(2026, 11, 24, 12), local(2026, 12, 24, 12))
    assert (gap.starts_at, gap.ends_at) == (local(2026, 11, 26), local(2026, 11, 28))


def test_a_shift_may_be_left_out_on_days_when_the_clinic_is_closed() -> None:
    closed = DayOff(id="d", first_day=date(2026, 11, 26), last_day=date(2026, 11, 26), name="Thanksgiving")
    day = Shift(
        id="s", duty="on_call", member_id=NOOR, first_day=date(2026, 11, 1), starts=time(9), lasts_days=0,
        ends=time(17), every_days=1, on_holidays=False,
    )  # fmt: skip
    rota = Rota(zone=LA, shifts=[day], days_off=[closed])
    assert rota.on_duty("on_call", local(2026, 11, 25, 12)) == (NOOR,)
    assert rota.on_duty("on_call", local(2026, 11, 26, 12)) == ()


def test_an_empty_rota_is_one_long_gap() -> None:
    start = local(2026, 11, 24)
    (gap,) = Rota(zone=LA).gaps("on_call", start, start + timedelta(days=30))
    assert gap.ends_at - gap.starts_at == timedelta(days=30)


@given(
    start=st.integers(0, 365), hour=st.integers(0, 23), every=st.sampled_from([1, 2, 3, 7]), at=st.integers(0, 24 * 400)
)
def test_people_who_take_turns_leave_no_gap_and_never_overlap(start: int, hour: int, every: int, at: int) -> None:
    first = date(2026, 1, 1) + timedelta(days=start)
    shifts = [
        Shift(
            id=str(n), duty="on_call", member_id=n, first_day=first + timedelta(days=every * n), starts=time(hour),
            lasts_days=every, ends=time(hour), every_days=2 * every,
        )
        for n in (0, 1)
    ]  # fmt: skip
    moment = datetime.combine(first, time(hour), tzinfo=LA).astimezone(UTC) + timedelta(hours=at)
    assert len(Rota(zone=LA, shifts=shifts).on_duty("on_call", moment)) == 1
