"""From posting a message of danger to the e-mail in the mail server's hands: `python -m bench.delivery`.

Each message is another patient's first, so that each raises an alert of its own. They are posted at fixed moments,
whether or not earlier ones were answered, and timed from the moment they were due: a queue counts. Real web, Rasa,
actions, worker and SMTP server on this machine. Writes bench/DELIVERY.md.
"""

from __future__ import annotations

import datetime
import email
import email.policy
import os
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.ours import Ours, Patient
from bot.settings import ROOT

WORDS = "I have the pills here and I am going to take them all tonight."
LOADS = ((1, 60), (50, 10))  # messages a second, seconds
PATIENCE = 300.0
LEAD = 1.0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One message: seconds from when it was due to the reply on the page, and to the e-mail (None: it never came)."""

    reply: float
    mail: float | None


def main() -> None:
    """Measure every load and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(Path(folder), mail=True)
        model, _ = ours.train()
        patients = ours.prepare(1 + sum(rate * seconds for rate, seconds in LOADS))
        rows = []
        with ours.started(model, patients.pop()):
            for patient in patients:
                patient.sign_in()
            for rate, seconds in LOADS:
                chosen = [patients.pop() for _ in range(rate * seconds)]
                rows.append((rate, post(ours, chosen, rate)))
                print(line(*rows[-1]), flush=True)
    (ROOT / "bench/DELIVERY.md").write_text(table(rows), encoding="utf-8")


def post(ours: Ours, patients: Sequence[Patient], rate: int) -> list[Sent]:
    """Post one message a patient at this rate, then wait for the e-mails."""
    began = time.time() + LEAD
    due = {patient.email: began + number / rate for number, patient in enumerate(patients)}

    def one(patient: Patient) -> float:
        time.sleep(max(0.0, due[patient.email] - time.time()))
        patient.say(WORDS)
        return time.time() - due[patient.email]

    with ThreadPoolExecutor(len(patients)) as pool:
        replies = list(pool.map(one, patients))
    references = ours.references([patient.email for patient in patients])
    until = time.time() + PATIENCE
    while len((arrived := arrivals(ours.mail_folder)).keys() & references.values()) < len(patients):
        if time.time() > until:
            break
        time.sleep(0.5)
    return [
        Sent(
            reply=reply,
            mail=arrived[ref] - due[patient.email] if (ref := references[patient.email]) in arrived else None,
        )
        for patient, reply in zip(patients, replies, strict=True)
    ]


def arrivals(folder: Path) -> dict[str, float]:
    """When the first e-mail about each alert was in the mail server's hands, by the alert's reference."""
    found: dict[str, float] = {}
    for path in folder.glob("*.eml"):
        subject = str(email.message_from_bytes(path.read_bytes(), policy=email.policy.default)["subject"])
        if (match := re.search(r"ref (\S+)", subject)) is not None:
            at = path.stat().st_mtime
            found[match[1]] = min(at, found.get(match[1], at))
    return found


def line(rate: int, sent: Sequence[Sent]) -> str:
    """One row of the table."""
    mails = sorted(row.mail for row in sent if row.mail is not None)
    replies = sorted(row.reply for row in sent)
    cells = [f"{share(values, part):.2f}" for values in (mails, replies) for part in (0.5, 0.99, 1.0)]
    return f"| {rate} | {len(sent)} | {len(sent) - len(mails)} | {' | '.join(cells)} |"


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of the sorted values does not exceed."""
    if part >= 1.0 or len(values) < 2:
        return values[-1] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[round(part * 100) - 1]


def table(rows: Sequence[tuple[int, Sequence[Sent]]]) -> str:
    """The page with all loads."""
    return f"""# From a message of danger to the e-mail

Made by `python -m bench.delivery` on {datetime.date.today().isoformat()}, {os.cpu_count()} cores. Each message is
another patient's first, posted at a fixed moment and timed from it, through the real web, Rasa, actions, worker and
SMTP server, all on this machine with the patients.
Seconds; "never" counts alerts without an e-mail after {PATIENCE:.0f} s.

| messages a second | n | never | e-mail p50 | p99 | worst | reply p50 | p99 | worst |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(line(rate, sent) for rate, sent in rows)}
"""


if __name__ == "__main__":
    main()
