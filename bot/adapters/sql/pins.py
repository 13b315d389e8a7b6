"""Codes of devices."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import delete, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.accounts import DevicePin


class PinRecords(Sealed):
    """Codes of devices."""

    def pin(self, device_hash: str) -> DevicePin | None:
        row = self._s.get(t.DevicePinRow, device_hash)
        if row is None:
            return None
        return DevicePin(
            device_hash=row.device_hash,
            user_id=row.user_id,
            pin_hash=row.pin_hash,
            tries=row.tries,
            good_until=row.good_until,
            made_at=row.made_at,
        )

    def put_pin(self, pin: DevicePin) -> None:
        self._s.merge(t.DevicePinRow(**asdict(pin)))

    def count_pin_try(self, pin: DevicePin) -> bool:
        """Count one, unless the number of tries changed since it was read."""
        same = (t.DevicePinRow.device_hash == pin.device_hash, t.DevicePinRow.tries == pin.tries)
        return self._changed(update(t.DevicePinRow).where(*same).values(tries=pin.tries + 1))

    def clear_pin_tries(self, device_hash: str) -> None:
        self._s.execute(update(t.DevicePinRow).where(t.DevicePinRow.device_hash == device_hash).values(tries=0))

    def drop_pins(self, user_id: int, *, device_hash: str | None = None, but: str | None = None) -> None:
        """Forget the codes of an account: all, that of one device, or all but that of one."""
        which = [t.DevicePinRow.user_id == user_id]
        if device_hash is not None:
            which.append(t.DevicePinRow.device_hash == device_hash)
        if but is not None:
            which.append(t.DevicePinRow.device_hash != but)
        self._s.execute(delete(t.DevicePinRow).where(*which))
