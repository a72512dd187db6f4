"""
How far an exchange's clock is from ours, by the answers to the question what time it is.

An answer is of some moment between the asking and its coming, so it is as sharp as half of that
round trip. A slow one, as of an exchange in trouble, would put every event time wrong by what it
may be wrong itself: a sharper one that it does not contradict stays.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MEASURED_EVERY = timedelta(minutes=10)
# Where marks come late the offset may be what is wrong: one older than this is measured anew.
DOUBTED_AFTER = timedelta(seconds=60)
# So sharp a one is as good as any, half of the round trip in seconds; a vaguer one is not kept
# for long.
SHARP_SECONDS = 0.25
VAGUE_FOR = timedelta(seconds=30)


class Offset:
    """`seconds`: the exchange's clock minus ours; None before it was ever measured."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._within = math.inf
        self._measured_at: datetime | None = None
        self._is_doubted = False

    @property
    def ahead(self) -> timedelta:
        """By how much the exchange's clock is ahead of ours, as far as that is known."""
        return timedelta(seconds=self.seconds or 0.0)

    @property
    def within(self) -> timedelta:
        """By how much that may be wrong."""
        return timedelta(0) if math.isinf(self._within) else timedelta(seconds=self._within)

    def is_due(self, now: datetime) -> bool:
        """Whether to measure it anew."""
        if self._measured_at is None:
            return True
        wait = MEASURED_EVERY
        if self._is_doubted:
            wait = DOUBTED_AFTER
        if self._within > SHARP_SECONDS:
            wait = VAGUE_FOR
        return now - self._measured_at > wait

    def doubt(self) -> None:
        """Events come late by it: it may be that, and is to be measured again soon."""
        self._is_doubted = True

    def distrust(self) -> None:
        """The exchange itself refused a time by it: whatever is measured next is better."""
        self._within = math.inf

    def take(self, asked: datetime, theirs: datetime, came: datetime) -> float:
        """
        The offset after one answer: `theirs` is its time, the others are by our clock.

        A vaguer answer than the known one, which it bears out, changes nothing.
        """
        half = abs(came - asked) / 2
        measured, within = (theirs - min(asked, came) - half).total_seconds(), half.total_seconds()
        self._measured_at, self._is_doubted = came, False
        if self.seconds is not None:
            agrees = abs(measured - self.seconds) <= within + self._within
            if agrees and within > max(self._within, SHARP_SECONDS):
                return self.seconds
        self.seconds, self._within = measured, within
        return measured
