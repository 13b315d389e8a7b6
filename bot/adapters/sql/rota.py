"""Shifts, overrides, days off, supervision and the channels of responders."""

from __future__ import annotations

from dataclasses import asdict
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.people import Channel
from bot.core.rota import DayOff, Override, Rota, Shift

SHIFTS = select(t.plain(t.ShiftRow)).order_by(t.plain(t.ShiftRow).c.id)
OVERRIDES, DAYS_OFF = select(t.plain(t.OverrideRow)), select(t.plain(t.DayOffRow))


class RotaRecords(Sealed):
    """Who is on duty, and how to reach them."""

    def rota(self, zone: ZoneInfo) -> Rota:
        return Rota(
            zone=zone,
            shifts=tuple(Shift(**row._mapping) for row in self._rows(SHIFTS)),
            overrides=tuple(Override(**row._mapping) for row in self._rows(OVERRIDES)),
            days_off=tuple(DayOff(**row._mapping) for row in self._rows(DAYS_OFF)),
        )

    def put_shift(self, shift: Shift) -> None:
        self._s.merge(t.ShiftRow(**asdict(shift)))

    def put_override(self, override: Override) -> None:
        self._s.merge(t.OverrideRow(**asdict(override)))

    def put_day_off(self, day: DayOff) -> None:
        self._s.merge(t.DayOffRow(**asdict(day)))

    def remove_from_rota(self, row_id: str) -> bool:
        tables = (t.ShiftRow, t.OverrideRow, t.DayOffRow)
        return any([self._changed(delete(table).where(table.id == row_id)) for table in tables])

    def supervisors(self) -> dict[int, int]:
        return {row.member_id: row.supervisor_id for row in self._s.scalars(select(t.SupervisionRow))}

    def put_supervisor(self, member_id: int, supervisor_id: int) -> None:
        self._s.merge(t.SupervisionRow(member_id=member_id, supervisor_id=supervisor_id))

    def channels(self, member_id: int) -> list[Channel]:
        rows = self._s.scalars(
            select(t.ChannelRow).where(t.ChannelRow.member_id == member_id).order_by(t.ChannelRow.place)
        )
        return [self._channel(row) for row in rows]

    def channel(self, channel_id: str) -> Channel | None:
        row = self._s.get(t.ChannelRow, channel_id)
        return None if row is None else self._channel(row)

    def put_channels(self, member_id: int, channels: list[Channel]) -> None:
        self._s.execute(delete(t.ChannelRow).where(t.ChannelRow.member_id == member_id))
        for place, channel in enumerate(channels):
            self._s.add(
                t.ChannelRow(
                    id=channel.id,
                    member_id=member_id,
                    place=place,
                    name=channel.name,
                    delay_seconds=channel.delay_seconds,
                    sealed_url=self._vault.seal_own(f"channel/{channel.id}", channel.url),
                )
            )

    def reseal_channels(self) -> None:
        for row in self._s.scalars(select(t.ChannelRow)):
            row.sealed_url = self._vault.seal_own(f"channel/{row.id}", self._channel(row).url)

    def _channel(self, row: t.ChannelRow) -> Channel:
        url = self._vault.open_own(f"channel/{row.id}", row.sealed_url)
        return Channel(id=row.id, name=row.name, url=url, delay_seconds=row.delay_seconds)
