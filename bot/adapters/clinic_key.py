"""Where the clinic's key comes from: the environment, a file, or a command that asks a key service."""

from __future__ import annotations

import base64
import binascii
import shlex
import subprocess
from pathlib import Path

COMMAND_SECONDS = 30.0


class KeyUnavailable(ValueError):
    """The clinic's key could not be had. The message is one sentence and never quotes the key."""


def clinic_key(*, value: str, file: str, command: str) -> str:
    """The clinic's key in base64, from the one place that is set. Raises KeyUnavailable."""
    if value:
        return checked(value, "KAT_CLINIC_KEY")
    if file:
        return checked(_from_file(Path(file)), "the file of KAT_CLINIC_KEY_FILE")
    return checked(_from_command(command), "the command of KAT_CLINIC_KEY_COMMAND")


def checked(key: str, source: str) -> str:
    """The key, if it is 32 bytes in base64. Raises KeyUnavailable."""
    try:
        size = len(base64.b64decode(key.strip(), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        raise KeyUnavailable(f"{source} must give 32 bytes in base64; `kat keys new` prints a fresh key.")
    return key.strip()


def _from_file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise KeyUnavailable("The file of KAT_CLINIC_KEY_FILE can be read by others; set its mode to 600.")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnavailable("The file of KAT_CLINIC_KEY_FILE cannot be read; check its path and owner.") from error


def _from_command(command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the clinic's own setting, split without a shell
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise KeyUnavailable("The command of KAT_CLINIC_KEY_COMMAND failed; run it by hand to see why.") from error
    return done.stdout
