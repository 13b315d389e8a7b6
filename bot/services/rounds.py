"""Going round many things of which one may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(items: Iterable[Item], do: Callable[[Item], Result]) -> list[Result]:
    """Do it for every item: one that fails never keeps the others waiting. Raises the last failure at the end."""
    done: list[Result] = []
    failure: Exception | None = None
    for item in items:
        try:
            done.append(do(item))
        except Exception as error:
            failure = error
    if failure is not None:
        raise failure
    return done
