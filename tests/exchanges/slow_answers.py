"""Answers that were three seconds under way, of an exchange whose clock is 100 s ahead."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from monitor.exchanges.call import Replies, Reply

AHEAD = timedelta(seconds=100)
UNDER_WAY = timedelta(seconds=3)


def slow(told: Iterable[Reply]) -> Replies:
    return Replies(
        replace(each, asked_at=each.at - UNDER_WAY, ahead=AHEAD, ahead_within=timedelta(0))
        for each in told
    )
