"""A short code for coming back on one's own device, for patients who want one (protocol 7.4). Few tries, then nothing.

It opens a session like the passphrase does, on this device only, for a month after the passphrase was last given here.
"""

from __future__ import annotations

from typing import Protocol

from bot.core.accounts import PIN_LASTS, PIN_TRIES, DevicePin, check_pin
from bot.services.ports import Clock, UnitOfWork
from bot.services.sign_in import hashed


class PinHasher(Protocol):
    """Turns a code into something that cannot be turned back."""

    def hash(self, pin: str, device_token: str) -> str: ...
    def fits(self, hashed: str, pin: str, device_token: str) -> bool: ...


class DevicePinService:
    """Sets, takes and forgets the codes of devices."""

    def __init__(self, uow: UnitOfWork, clock: Clock, hasher: PinHasher) -> None:
        self._uow, self._clock, self._hasher = uow, clock, hasher

    def is_set(self, device_token: str | None) -> bool:
        """Whether a code is good on this device now."""
        return device_token is not None and self._pin(device_token) is not None

    def set(self, user_id: int, device_token: str, pin: str) -> None:
        """Keep a code for this device in place of any before it. Raises ValueError with a sentence for the person."""
        check_pin(pin)
        now = self._clock()
        made = DevicePin(
            device_hash=hashed(device_token),
            user_id=user_id,
            pin_hash=self._hasher.hash(pin, device_token),
            tries=0,
            good_until=now + PIN_LASTS,
            made_at=now,
        )
        with self._uow() as tx:
            tx.put_pin(made)
            tx.audit(f"user:{user_id}", "pin.set", f"user:{user_id}", now)

    def drop(self, user_id: int, device_token: str) -> None:
        """Forget the code of this device."""
        with self._uow() as tx:
            tx.drop_pins(user_id, device_hash=hashed(device_token))
            tx.audit(f"user:{user_id}", "pin.dropped", f"user:{user_id}", self._clock())

    def enter(self, device_token: str, pin: str) -> int | None:
        """The account that a code opens, or None. The last of PIN_TRIES wrong ones forgets the code.

        A try is counted before it is looked at, so that many at once are no more than one after the other.
        """
        known = self._pin(device_token)
        if known is None:
            return None
        with self._uow() as tx:
            if not tx.count_pin_try(known):
                return None  # another try came between
        if self._hasher.fits(known.pin_hash, pin, device_token):
            with self._uow() as tx:
                tx.clear_pin_tries(known.device_hash)
            return known.user_id
        if known.tries + 1 >= PIN_TRIES:
            with self._uow() as tx:
                tx.drop_pins(known.user_id, device_hash=known.device_hash)
                tx.audit("system", "pin.locked", f"user:{known.user_id}", self._clock())
        return None

    def _pin(self, device_token: str) -> DevicePin | None:
        with self._uow() as tx:
            found = tx.pin(hashed(device_token))
        return found if found is not None and found.good_until > self._clock() and found.tries < PIN_TRIES else None
