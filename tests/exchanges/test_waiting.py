"""The pauses between attempts: how they grow, when they begin anew, and how many there may be."""

import random

import pytest

from monitor.exchanges.waiting import Backoff


@pytest.fixture(autouse=True)
def _longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jitter's upper end, which is what grows."""
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)


def test_pauses_double_to_fifteen_seconds_and_begin_anew_after_a_good_minute() -> None:
    backoff = Backoff()
    pauses = [backoff.pause(0, good_seconds=0) for _ in range(6)]
    assert pauses == [1, 2, 4, 8, 15, 15]
    assert backoff.pause(0, good_seconds=60) == 15
    assert backoff.pause(0, good_seconds=61) == 1


def test_there_are_at_most_ten_attempts_in_five_minutes() -> None:
    backoff, now, attempts = Backoff(), 0.0, []
    while now < 1000:
        backoff.tried(now)
        attempts.append(now)
        now += backoff.pause(now, good_seconds=0)
    for began in attempts:
        assert sum(began <= at < began + 300 for at in attempts) <= 10


def test_jitter_takes_anything_from_a_tenth_of_a_second_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, _: least)
    assert Backoff().pause(0, good_seconds=0) == 0.1
