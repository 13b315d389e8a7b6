"""Envelope encryption: one key per patient, wrapped by the clinic's key. Destroying a patient's key erases the patient.

AES-256-GCM throughout. The associated data binds a value to its place, so that no value can be moved to another row.
"""

from __future__ import annotations

import base64
import os
from contextlib import suppress
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class SealBroken(RuntimeError):
    """A stored value cannot be opened: the wrong key, or someone changed it."""


class Vault:
    """Wraps and opens patients' keys with the clinic's key (base64, 32 bytes); earlier keys only open."""

    def __init__(self, clinic_key: str, *earlier: str) -> None:
        self._clinic, *self._earlier = (AESGCM(base64.b64decode(key)) for key in (clinic_key, *earlier))
        self._opened = lru_cache(maxsize=512)(self._open)

    def new_key(self, patient_id: str) -> bytes:
        """A fresh patient key, wrapped; safe to store."""
        return _seal(self._clinic, AESGCM.generate_key(bit_length=256), f"key/{patient_id}")

    def seal(self, wrapped: bytes, patient_id: str, place: str, text: str) -> bytes:
        """Encrypt a text for one place, such as `message/<id>`."""
        return _seal(self._opened(wrapped, patient_id), text.encode(), place)

    def open(self, wrapped: bytes, patient_id: str, place: str, sealed: bytes) -> str:
        """Decrypt. Raises SealBroken."""
        return _unseal(self._opened(wrapped, patient_id), sealed, place).decode()

    def is_current(self, wrapped: bytes, patient_id: str) -> bool:
        """Whether a patient's key is wrapped with the current clinic key."""
        try:
            _unseal(self._clinic, wrapped, f"key/{patient_id}")
        except SealBroken:
            return False
        return True

    def rewrap(self, wrapped: bytes, patient_id: str) -> bytes:
        """The same patient key, wrapped with the current clinic key. Raises SealBroken where no key fits."""
        return _seal(self._clinic, self._unwrap(wrapped, patient_id), f"key/{patient_id}")

    def seal_own(self, place: str, text: str) -> bytes:
        """Encrypt something of the clinic's own, such as a responder's address, under the clinic's key."""
        return _seal(self._clinic, text.encode(), place)

    def open_own(self, place: str, sealed: bytes) -> str:
        """Decrypt something of the clinic's own. Raises SealBroken."""
        return self._unsealed(sealed, place).decode()

    def _open(self, wrapped: bytes, patient_id: str) -> AESGCM:
        return AESGCM(self._unwrap(wrapped, patient_id))

    def _unwrap(self, wrapped: bytes, patient_id: str) -> bytes:
        return self._unsealed(wrapped, f"key/{patient_id}")

    def _unsealed(self, sealed: bytes, place: str) -> bytes:
        for key in self._earlier:
            with suppress(SealBroken):
                return _unseal(key, sealed, place)
        return _unseal(self._clinic, sealed, place)


def _seal(key: AESGCM, plain: bytes, place: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, place.encode())


def _unseal(key: AESGCM, sealed: bytes, place: str) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
    except InvalidTag as error:
        raise SealBroken("a stored value cannot be opened with this key") from error
