"""`kat check --deploy`: each weak production set-up is named in one sentence, and a strong one passes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.adapters.sql.tables import User
from bot.bootstrap import Application
from bot.cli.deploy import weak_records, weak_settings
from bot.settings import SettingsError, load
from tests import builders

STRONG: dict[str, Any] = {
    "clinic_key": base64.b64encode(bytes(range(32))).decode(),
    "tracker_key": base64.b64encode(bytes(range(50, 82))).decode(),
    "session_secret": "kR7vQm2xZp9LwTn4cYb8HsJd6FgA3eUo",
    "password_salt": "Vt5yXq1nBz8MkRc7wPj4LsGd9HfE2aUi",
    "channel_secret": "Gm6uWp3oDx9NlSd8xQk5MtHe1JgF4bVj",
    "action_secret": "Jn7vYr4pFz1OmUe9yRl6NuIf2KhG5cWk",
    "env": "production",
    "public_url": "https://journal.clinic.test",
    "mail_url": "mailtos://mail.clinic.test",
    "clinic_phone": "213-867-5309",
    "oncall_phone": "213-867-5310",
}
WEAK: list[tuple[dict[str, Any], str]] = [
    ({"env": "development", "second_factor": "required"}, "not production"),
    ({"public_url": "http://journal.clinic.test"}, "no https"),
    ({"mail_url": ""}, "mail sink"),
    ({"on_call_cover": False}, "P-01"),
    ({"second_factor": "offered"}, "second factor"),
    ({"web_host": "0.0.0.0"}, "proxy"),
    ({"session_secret": "s" * 40}, "KAT_SESSION_SECRET is short or repetitive"),
    ({"channel_secret": "short"}, "KAT_CHANNEL_SECRET is short"),
    ({"action_secret": STRONG["channel_secret"]}, "are the same"),
    ({"staff_idle_minutes": 600}, "KAT_STAFF_IDLE_MINUTES"),
    ({"session_hours": 48}, "KAT_SESSION_HOURS"),
    ({"sign_ins_per_minute": 10_000}, "too high"),
    ({"clinic_phone": "555-0100"}, "invented number"),
]


def private(folder: Path) -> Path:
    folder.chmod(0o700)
    return folder


def test_a_strong_set_up_passes(tmp_path: Path) -> None:
    assert list(weak_settings(builders.settings(private(tmp_path), **STRONG), tmp_path / ".env")) == []


@pytest.mark.parametrize(("change", "said"), WEAK)
def test_each_weak_setting_is_named_in_one_sentence(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    found = list(weak_settings(builders.settings(private(tmp_path), **(STRONG | change)), tmp_path / ".env"))
    assert len(found) == 1
    assert said in found[0]
    assert found[0].endswith(".")
    assert not any(value in found[0] for value in STRONG.values() if value != "production")


def test_files_that_others_can_read_are_named(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("")
    env.chmod(0o644)
    tmp_path.chmod(0o755)
    found = list(weak_settings(builders.settings(tmp_path, **STRONG), env))
    assert ["settings file" in found[0], "data folder" in found[1]] == [True, True]


def test_accounts_that_make_it_weak_are_named(app: Application) -> None:
    builders.staff_member(app, "Mo", "responder")
    found = " ".join(weak_records(app))
    for said in ("invented people", "fewer than two responders", "no clinical lead", "1 of the staff have no second"):
        assert said in found
    for name, role in (("Noor", "responder"), ("Ola", "responder"), ("Lee", "clinical_lead")):
        builders.staff_member(app, name, role)
    with Session(app.database) as session:
        for user in session.query(User):
            user.email, user.tf_primary_method = f"{user.id}@clinic.test", "authenticator"
        session.commit()
    assert list(weak_records(app)) == []


@pytest.mark.parametrize("given", [{}, {"KAT_CLINIC_KEY": STRONG["clinic_key"], "KAT_CLINIC_KEY_FILE": "/a"}])
def test_the_clinic_key_has_exactly_one_source(given: dict[str, str], tmp_path: Path) -> None:
    names = ("tracker_key", "session_secret", "password_salt", "channel_secret", "action_secret")
    environment = {f"KAT_{name.upper()}": STRONG[name] for name in names}
    with pytest.raises(SettingsError, match="exactly one"):
        load(environment | given, tmp_path / "none")
