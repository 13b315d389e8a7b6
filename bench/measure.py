"""Taking times: in turns, so that the noise of the machine hits both systems alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn, from sending to the last reply."""

    seconds: float
    wrote: bool = True  # words of one's own, not a button


class Talker(Protocol):
    """One conversation with one of the systems."""

    def turn(self) -> Turn:
        """Take one turn."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Turns of one system under one load."""

    turns: Sequence[Turn]
    elapsed: float = 0.0  # of the whole load; 0 where turns of others were in between

    @property
    def written(self) -> Times:
        """Those with words of the person's own."""
        return Times(turns=[turn for turn in self.turns if turn.wrote])

    @property
    def median_ms(self) -> float:
        """Half of the turns were faster."""
        return 1000 * statistics.median(turn.seconds for turn in self.turns)

    @property
    def p95_ms(self) -> float:
        """One turn in twenty was slower."""
        return 1000 * statistics.quantiles((turn.seconds for turn in self.turns), n=20)[-1]

    @property
    def per_second(self) -> float:
        """Turns per second of the load."""
        return len(self.turns) / self.elapsed


def take_turns(talkers: Sequence[Talker], rounds: int) -> list[Times]:
    """Let every talker take one turn after the other, round after round: A B A B."""
    taken: list[list[Turn]] = [[] for _ in talkers]
    for _ in range(rounds):
        for talker, turns in zip(talkers, taken, strict=True):
            turns.append(talker.turn())
    return [Times(turns=turns) for turns in taken]


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
    return Times(turns=[turn for part in parts for turn in part.turns], elapsed=sum(part.elapsed for part in parts))


def _load(talkers: Sequence[Talker], duration: float) -> Times:
    begun = time.perf_counter()

    def talk(talker: Talker) -> list[Turn]:
        turns = []
        while time.perf_counter() - begun < duration:
            turns.append(talker.turn())
        return turns

    with ThreadPoolExecutor(len(talkers)) as pool:
        taken = [turn for turns in pool.map(talk, talkers) for turn in turns]
    return Times(turns=taken, elapsed=time.perf_counter() - begun)
