"""`python -m bench`: both systems on this machine in one go. `--quick` is a smoke run that leaves RESULTS.md alone."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Times, take_ages, take_loads, take_turns, together
from bench.ours import Ours, Patient
from bench.plain import PlainBot
from bench.report import Findings, table, whole
from bot.settings import ROOT

WORK = ROOT / "var/bench"
RESULTS = Path(__file__).parent / "RESULTS.md"
CLIENTS = 8
EARLY = 10  # the turn that a late one is compared with
AROUND = 10  # turns measured there
ROUND = 20  # turns of a plain conversation with one client
WARM_UP = 15


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int
    loads: int  # of all clients, each system
    load_seconds: float
    late: int
    young: int  # fresh conversations that the late one is compared with


FULL = Size(rounds=12, loads=3, load_seconds=10.0, late=500, young=3)
QUICK = Size(rounds=1, loads=1, load_seconds=3.0, late=48, young=1)


def main() -> int:
    """Measure, print the table and, unless quick, write RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short smoke run; trains the plain bot once only")
    quick = parser.parse_args().quick
    before = os.getloadavg()[0]
    shutil.rmtree(WORK / "ours" if quick else WORK, ignore_errors=True)
    (WORK / "ours").mkdir(parents=True)
    size = QUICK if quick else FULL
    ours, plain = measure(size, Ours(WORK / "ours"), PlainBot(WORK / "plain"))
    found = table(ours, plain, early=EARLY, late=size.late)
    print(found)
    if not quick:
        load = f"{before:.1f} when begun, {os.getloadavg()[0]:.1f} when ended"
        text = whole(found, ours, plain, early=EARLY, late=size.late, every=ROUND, load=load)
        RESULTS.write_text(text, encoding="utf-8")
    return 0


def measure(size: Size, ours: Ours, plain: PlainBot) -> tuple[Findings, Findings]:
    """Train, start, load, age and weigh both systems."""
    say("training this assistant, then the plain bot")
    model, our_training = ours.train()
    plain_training = plain.train()
    patients = ours.prepare(2 + CLIENTS + size.young)
    first, aged, crowd, young = patients[0], patients[1], patients[2 : 2 + CLIENTS], patients[2 + CLIENTS :]
    say("starting the plain bot, then this assistant")
    with plain.started() as (plain_run, plain_start), ours.started(model, first) as (our_run, our_start):
        say("one client")
        take_turns([first, plain.sender()], WARM_UP)
        our_cpu, plain_cpu = our_run.processor_seconds(), plain_run.processor_seconds()
        our_alone, plain_alone = one_client(first, plain, size.rounds)
        our_cpu, plain_cpu = our_run.processor_seconds() - our_cpu, plain_run.processor_seconds() - plain_cpu
        say("eight clients")
        take_turns(crowd, 1)
        groups = (lambda: crowd, lambda: [plain.sender() for _ in range(CLIENTS)])
        our_many, plain_many = take_loads(groups, size.loads, size.load_seconds)
        say(f"a conversation of {size.late} turns")
        so_far = size.late - AROUND * size.young // 2
        take_turns([aged], so_far)
        our_early, our_late = take_ages(young, aged, EARLY, AROUND)
        fresh = [plain.sender() for _ in range(size.young)]
        plain_early, plain_late = take_ages(fresh, plain.aged_sender(so_far), EARLY, AROUND)
        our_memory, plain_memory = our_run.memory_mib(), plain_run.memory_mib()
    ours.check_calm()
    return (
        Findings(
            alone=our_alone,
            alone_processor_seconds=our_cpu,
            many=our_many,
            early=our_early,
            late=our_late,
            start_seconds=our_start,
            training_seconds=our_training,
            memory_mib=our_memory,
        ),
        Findings(
            alone=plain_alone,
            alone_processor_seconds=plain_cpu,
            many=plain_many,
            early=plain_early,
            late=plain_late,
            start_seconds=plain_start,
            training_seconds=plain_training,
            memory_mib=plain_memory,
        ),
    )


def one_client(patient: Patient, plain: PlainBot, rounds: int) -> tuple[Times, Times]:
    """A turn of ours, a turn of the plain bot's, and so on; the plain bot begins afresh every round."""
    parts = [take_turns([patient, plain.sender()], ROUND) for _ in range(rounds)]
    return together([part[0] for part in parts]), together([part[1] for part in parts])


def say(line: str) -> None:
    """Progress, on standard error."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
