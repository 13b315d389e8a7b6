"""The only reader of the environment: every setting, typed, with its default and what it is for.

Values come from the process environment first, then from `.env` in the project folder (python-dotenv).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values

PREFIX = "KAT_"
ROOT = Path(__file__).resolve().parents[1]
SECRETS = ("clinic_key", "tracker_key", "session_secret", "password_salt", "channel_secret", "action_secret")


class SettingsError(ValueError):
    """A setting is missing or cannot be used. The message is one sentence that says what to do."""


def _setting(default: Any = MISSING, *, doc: str) -> Any:
    return field(metadata={"doc": doc}) if default is MISSING else field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Each one is read from KAT_ and its name in capitals."""

    tracker_key: str = _setting(doc="32 bytes in base64: encrypts Rasa's own store.")
    session_secret: str = _setting(doc="Signs the session cookies.")
    password_salt: str = _setting(doc="Salts the passphrase hashes besides their own salt.")
    channel_secret: str = _setting(doc="Shared by web and Rasa: whoever lacks it cannot speak to Rasa.")
    action_secret: str = _setting(doc="Shared by Rasa and the action server.")
    clinic_key: str = _setting("", doc="32 bytes in base64: wraps every patient's key. Losing it loses all records.")
    clinic_key_file: str = _setting("", doc="Instead of the key: a file that holds it, readable by its owner only.")
    clinic_key_command: str = _setting("", doc="Instead of the key: a command that prints it, such as a key service's.")
    earlier_clinic_keys: str = _setting("", doc="Former clinic keys, comma between, until `kat keys rotate` is done.")
    env: str = _setting("development", doc="development or production; production refuses defaults that are unsafe.")
    data_dir: str = _setting("var", doc="Folder of the database, Rasa's store and, in development, received e-mails.")
    database_url: str = _setting("", doc="SQLAlchemy URL; empty means SQLite in the data folder.")
    web_host: str = _setting("127.0.0.1", doc="Address that the web server listens on.")
    web_port: int = _setting(8080, doc="Port of the web server.")
    rasa_port: int = _setting(5005, doc="Loopback port of Rasa.")
    actions_port: int = _setting(5055, doc="Loopback port of the action server.")
    sink_port: int = _setting(2525, doc="Loopback port of the development mail sink.")
    public_url: str = _setting("", doc="Address that people open; empty means http://localhost and the web port.")
    mail_url: str = _setting("", doc="Apprise URL for e-mail; empty means the development mail sink.")
    mail_from: str = _setting("journal@plum-spring.example", doc="Sender address of alert e-mails.")
    clinic_name: str = _setting("Plum Spring Clinic", doc="Shown to patients.")
    clinic_phone: str = _setting("555-0100", doc="The clinic's number, shown to patients.")
    oncall_phone: str = _setting("555-0101", doc="The on-call number, shown when an alert cannot be sent.")
    clinic_hours: str = _setting(
        "9 am on weekdays", doc="When staff next read messages, shown where no one is on call."
    )
    on_call_cover: bool = _setting(True, doc="Whether someone is on call out of hours (P-01); production needs it.")
    drill_at: str = _setting("10:00", doc="When the daily drill is sent, in the clinic's time zone.")
    time_zone: str = _setting("America/Los_Angeles", doc="The clinic's time zone.")
    jurisdiction: str = _setting("us", doc="Profile of data/jurisdictions: disclosure, crisis lines, retention.")
    second_factor: str = _setting("", doc="required or offered for staff; empty means required in production.")
    staff_idle_minutes: int = _setting(30, doc="Minutes without use after which staff sign in again.")
    patient_idle_minutes: int = _setting(120, doc="Minutes without use after which patients sign in again.")
    session_hours: int = _setting(12, doc="Hours after which everyone signs in again.")
    proxies: int = _setting(0, doc="Reverse proxies in front whose X-Forwarded headers are to be believed.")
    requests_per_minute: int = _setting(600, doc="Requests that one address may make in a minute.")
    sign_ins_per_minute: int = _setting(20, doc="Sign-in attempts that one address may make in a minute.")
    turn_seconds: float = _setting(8.0, doc="How long a reply of Rasa may take before the patient is told.")

    @property
    def data_path(self) -> Path:
        """The data folder, absolute."""
        path = Path(self.data_dir)
        return path if path.is_absolute() else ROOT / path

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.data_path / 'clinic.sqlite3'}"

    @property
    def tracker_store(self) -> Path:
        """The file of Rasa's own store."""
        return self.data_path / "rasa.sqlite3"

    @property
    def needs_second_factor(self) -> bool:
        """Whether staff cannot work without a second factor."""
        return self.second_factor == "required" or (not self.second_factor and self.env == "production")

    @property
    def address(self) -> str:
        """The public address without a trailing slash."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.web_port}"


def load(environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """Read and check all settings. Raises SettingsError with one sentence for the first problem found."""
    file = env_file if env_file is not None else Path(os.environ.get("KAT_ENV_FILE", ROOT / ".env"))
    try:
        found: dict[str, str | None] = dict(dotenv_values(file)) if file.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file.name} cannot be read as text; correct it, or move it away.") from error
    found.update(os.environ if environment is None else environment)
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        raw = found.get(name)
        if raw is None or raw == "":
            if setting.default is MISSING:
                cure = "set it there or in the environment" if file.exists() else "run `kat env` to write fresh keys"
                raise SettingsError(f"{name} is not set in {file.name}; {cure}.")
            continue
        values[setting.name] = _typed(name, str(setting.type), raw)
    settings = Settings(**values)
    _check(settings)
    return settings


def describe() -> list[tuple[str, str, str]]:
    """Every setting as (environment name, default or "required", what it is for), in order."""
    return [
        (PREFIX + f.name.upper(), "required" if f.default is MISSING else str(f.default), f.metadata["doc"])
        for f in fields(Settings)
    ]


def _typed(name: str, kind: str, raw: str) -> Any:
    try:
        if kind == "int":
            return int(raw)
        if kind == "float":
            return float(raw)
    except ValueError as error:
        raise SettingsError(f"{name} must be a number; correct it in .env.") from error
    if kind == "bool":
        if raw.lower() not in {"true", "false"}:
            raise SettingsError(f"{name} must be true or false; correct it in .env.")
        return raw.lower() == "true"
    return raw


def _check(settings: Settings) -> None:
    _check_keys(settings)
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"{PREFIX}TIME_ZONE names no known time zone, such as America/Los_Angeles.") from error
    if settings.second_factor not in ("", "required", "offered"):
        raise SettingsError(f"{PREFIX}SECOND_FACTOR must be required or offered.")
    try:
        time.fromisoformat(settings.drill_at)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}DRILL_AT must be a time of day, such as 10:00.") from error
    if settings.env not in ("development", "production"):
        raise SettingsError(f"{PREFIX}ENV must be development or production.")
    if settings.env == "production":
        if not settings.mail_url:
            raise SettingsError(f"{PREFIX}MAIL_URL must name the clinic's mail service in production.")
        if not settings.on_call_cover:
            raise SettingsError("Production needs on-call cover (P-01): set KAT_ON_CALL_COVER once someone is on call.")
        if not settings.public_url.startswith("https://"):
            raise SettingsError(f"{PREFIX}PUBLIC_URL must be an https address in production.")


def _check_keys(settings: Settings) -> None:
    sources = [settings.clinic_key, settings.clinic_key_file, settings.clinic_key_command]
    if sum(map(bool, sources)) != 1:
        raise SettingsError(
            f"Set exactly one of {PREFIX}CLINIC_KEY, {PREFIX}CLINIC_KEY_FILE and {PREFIX}CLINIC_KEY_COMMAND; "
            "`kat env` writes a .env with fresh keys."
        )
    earlier = [key for key in settings.earlier_clinic_keys.split(",") if key]
    named = [("CLINIC_KEY", key) for key in (settings.clinic_key,) if key] + [("TRACKER_KEY", settings.tracker_key)]
    for name, key in [*named, *(("EARLIER_CLINIC_KEYS", key) for key in earlier)]:
        try:
            size = len(base64.b64decode(key, validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size != 32:
            raise SettingsError(f"{PREFIX}{name} must be 32 bytes in base64; `kat env` writes a fresh one.")
