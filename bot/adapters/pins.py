"""Codes of devices as argon2id hashes, over a code that the device's own secret was mixed into.

Six digits alone could be found by trying them all against a stolen table; without the device's cookie it says nothing.
"""

from __future__ import annotations

import hashlib
import hmac

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError


class Argon2Pins:
    """Fulfils bot.services.device_pin.PinHasher."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()  # argon2id, RFC 9106's second recommendation

    def hash(self, pin: str, device_token: str) -> str:
        return self._hasher.hash(_mixed(pin, device_token))

    def fits(self, hashed: str, pin: str, device_token: str) -> bool:
        try:
            return self._hasher.verify(hashed, _mixed(pin, device_token))
        except VerificationError:
            return False


def _mixed(pin: str, device_token: str) -> bytes:
    return hmac.digest(device_token.encode(), pin.encode(), hashlib.sha256)
