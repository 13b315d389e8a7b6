"""`kat check --deploy`: what makes this set-up too weak for real patients, one sentence each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bot.cli.inputs import application, settings
from bot.settings import SECRETS, Settings
from bot.supervisor.environment import env_path

LEAST_SECRET = 32
INVENTED = (".example", "@example.com")
MOST_MINUTES = {"staff_idle_minutes": 30, "patient_idle_minutes": 120, "session_hours": 12}


@click.command()
@click.option("--deploy", is_flag=True, help="Also refuse what is too weak for real patients.")
def check(deploy: bool) -> None:
    """Check the settings, the content and the database; with --deploy, whether real patients may use this."""
    found = settings()
    app = application()
    problems = list(weak_settings(found, env_path())) + list(weak_records(app)) if deploy else []
    with app.uow() as tx:
        broken = tx.verify_audit()
    if broken is not None:
        problems.append(f"The audit chain does not hold from entry {broken} on; find out who changed it.")
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo("Nothing weak was found." if deploy else "The settings, the content and the audit chain are in order.")


def weak_settings(found: Settings, env_file: Path) -> Iterator[str]:
    """What is wrong with the settings, one sentence each."""
    if found.env != "production":
        yield "KAT_ENV is not production."
    if not found.public_url.startswith("https://"):
        yield "KAT_PUBLIC_URL is no https address: without TLS, words and passphrases travel openly."
    if not found.mail_url:
        yield "KAT_MAIL_URL is empty: alerts would go to the development mail sink."
    if not found.on_call_cover:
        yield "KAT_ON_CALL_COVER is false: no one would be told at night (P-01)."
    if not found.needs_second_factor:
        yield "KAT_SECOND_FACTOR only offers a second factor: staff must have one."
    if found.web_host not in ("127.0.0.1", "::1") and not found.proxies:
        yield "KAT_WEB_HOST listens to the network and KAT_PROXIES is 0: put a proxy with TLS in front and count it."
    values = {name: str(getattr(found, name)) for name in SECRETS if getattr(found, name)}
    for name, value in values.items():
        if len(value) < LEAST_SECRET or len(set(value)) < 12:
            yield f"KAT_{name.upper()} is short or repetitive; `kat env` in an empty folder writes good ones."
    if len(set(values.values())) < len(values):
        yield "Two of the secrets are the same; each needs its own."
    for name, most in MOST_MINUTES.items():
        if getattr(found, name) > most:
            yield f"KAT_{name.upper()} is more than {most}."
    if found.requests_per_minute > 1200 or found.sign_ins_per_minute > 60:
        yield "KAT_REQUESTS_PER_MINUTE or KAT_SIGN_INS_PER_MINUTE is too high to slow down an attacker."
    if env_file.exists() and env_file.stat().st_mode & 0o077:
        yield "The settings file can be read by others; set its mode to 600."
    if found.data_path.exists() and found.data_path.stat().st_mode & 0o077:
        yield "The data folder can be read by others; set its mode to 700."
    if found.clinic_phone.startswith("555-") or found.oncall_phone.startswith("555-"):
        yield "KAT_CLINIC_PHONE or KAT_ONCALL_PHONE is still an invented number."


def weak_records(app: Any) -> Iterator[str]:
    """What is wrong with the accounts and keys in the database, one sentence each."""
    with app.uow() as tx:
        staff, guarded = tx.staff(), tx.second_factors()
    if any(member.email.endswith(INVENTED) for member in staff):
        yield "There are invented people among the accounts; start from an empty database."
    if sum("responder" in member.roles for member in staff) < 2:
        yield "There are fewer than two responders: an alert needs someone and a second person."
    if not any("clinical_lead" in member.roles for member in staff):
        yield "There is no clinical lead: no one would hear of an alert that nobody answers."
    without = [member for member in staff if member.id not in guarded]
    if without:
        yield f"{len(without)} of the staff have no second factor yet; they are asked at their next sign-in."
    count = app.keys.count()
    if count.earlier:
        yield f"{count.earlier} patients' keys are wrapped with an earlier clinic key; run `kat keys rotate`."
    elif app.settings.earlier_clinic_keys:
        yield "KAT_EARLIER_CLINIC_KEYS is no longer needed; empty it."
