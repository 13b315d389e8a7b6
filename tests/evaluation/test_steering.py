"""Steering on messages kept apart, through the trained Rasa model: floors against regressions, not claims."""

from __future__ import annotations

import pytest

from tests.evaluation.steering import BLIND, HOLDOUT, Judged, answers, destroyed, judge, steering

RIGHT, TAKEN = 0.72, 0.02


@pytest.fixture(scope="module", params=[HOLDOUT, BLIND], ids=lambda path: path.stem)
def rows(request: pytest.FixtureRequest) -> list[Judged]:
    return judge(request.param)


def test_steering_does_the_right_thing(rows: list[Judged]) -> None:
    asked = steering(rows)
    assert sum(row.right for row in asked) / len(asked) >= RIGHT


def test_answers_are_kept_as_answers(rows: list[Judged]) -> None:
    kept = answers(rows)
    assert sum(not row.right for row in kept) / len(kept) <= TAKEN


def test_nothing_that_removes_words_runs_on_an_answer(rows: list[Judged]) -> None:
    assert destroyed(rows) == []
