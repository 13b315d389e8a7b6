"""Taking times: in turns, so that the noise of the machine hits both systems alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol


class Talker(Protocol):
    """One conversation with one of the systems."""

    def turn(self) -> float:
        """Take one turn and return the seconds from sending to the last reply."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Turns of one system under one load."""

    seconds: Sequence[float]  # of each turn
    elapsed: float = 0.0  # of the whole load; 0 where turns of others were in between

    @property
    def median_ms(self) -> float:
        """Half of the turns were faster."""
        return 1000 * statistics.median(self.seconds)

    @property
    def p95_ms(self) -> float:
        """One turn in twenty was slower."""
        return 1000 * statistics.quantiles(self.seconds, n=20)[-1]

    @property
    def per_second(self) -> float:
        """Turns per second of the load."""
        return len(self.seconds) / self.elapsed


def take_turns(talkers: Sequence[Talker], rounds: int) -> list[Times]:
    """Let every talker take one turn after the other, round after round: A B A B."""
    seconds: list[list[float]] = [[] for _ in talkers]
    for _ in range(rounds):
        for talker, taken in zip(talkers, seconds, strict=True):
            taken.append(talker.turn())
    return [Times(seconds=taken) for taken in seconds]


def take_loads(groups: Sequence[Callable[[], Sequence[Talker]]], loads: int, duration: float) -> list[Times]:
    """Load every system in turn with a group of talkers at once, several times."""
    taken: list[list[Times]] = [[] for _ in groups]
    for _ in range(loads):
        for group, parts in zip(groups, taken, strict=True):
            parts.append(_load(group(), duration))
    return [together(parts) for parts in taken]


def take_ages(young: Sequence[Talker], aged: Talker, early: int, around: int) -> tuple[Times, Times]:
    """Turns around turn `early` of each fresh talker, and later ones of an aged talker, alternating."""
    first, later = [], []
    for talker in young:
        take_turns([talker], early - around // 2)
        one, other = take_turns([talker, aged], around)
        first.append(one)
        later.append(other)
    return together(first), together(later)


def together(parts: Sequence[Times]) -> Times:
    """Several loads of one system as one."""
    return Times(seconds=[s for part in parts for s in part.seconds], elapsed=sum(part.elapsed for part in parts))


def _load(talkers: Sequence[Talker], duration: float) -> Times:
    begun = time.perf_counter()

    def talk(talker: Talker) -> list[float]:
        taken = []
        while time.perf_counter() - begun < duration:
            taken.append(talker.turn())
        return taken

    with ThreadPoolExecutor(len(talkers)) as pool:
        taken = [second for seconds in pool.map(talk, talkers) for second in seconds]
    return Times(seconds=taken, elapsed=time.perf_counter() - begun)
