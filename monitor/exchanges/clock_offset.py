"""
How far an exchange's clock is from ours, by the answers to the question what time it is.

An answer is of some moment between the asking and its coming, so it is as sharp as half of that
round trip. A slow one, as of an exchange in trouble, would put every event time wrong by what it
may be wrong itself: a sharper one that it does not contradict stays.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.call import Reply

MEASURED_EVERY = timedelta(minutes=10)
# Where marks come late the offset may be what is wrong: one older than this is measured anew.
DOUBTED_AFTER = timedelta(seconds=60)
# So sharp a one is as good as any, half of the round trip in seconds. A vaguer one is measured
# anew sooner, but ever later where that was of no use: a host may just be far away.
SHARP_SECONDS = 0.25
VAGUE_FOR = timedelta(seconds=30)
# By how much two clocks part in a second: what crystals of cheap machines are good for.
DRIFT = 1e-4
_NOTHING = timedelta(0)


class Offset:
    """`seconds`: the exchange's clock minus ours; None before it was ever measured."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._sharp_within = 0.0
        self._known_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._in_vain = 0
        self._is_doubted = self._is_refused = False

    @property
    def ahead(self) -> timedelta:
        """By how much the exchange's clock is ahead of ours, as far as that is known."""
        return timedelta(seconds=self.seconds or 0.0)

    def within(self, now: datetime) -> timedelta:
        """By how much that may be wrong; nothing before it was ever measured."""
        return timedelta(seconds=self._within(now))

    def _within(self, now: datetime) -> float:
        age = _NOTHING if self._known_at is None else max(now - self._known_at, _NOTHING)
        return self._sharp_within + DRIFT * age.total_seconds()

    def clocked(self, reply: Reply, now: datetime) -> Reply:
        """The reply with what is known of the clocks by now, and no surer than it was of them."""
        within = max(reply.ahead_within, self.within(now))
        return replace(reply, ahead=self.ahead, ahead_within=within)

    def is_due(self, now: datetime) -> bool:
        """Whether to measure it anew."""
        if self._tried_at is None or self.seconds is None:
            return True
        wait = DOUBTED_AFTER if self._is_doubted else MEASURED_EVERY
        if self._sharp_within > SHARP_SECONDS:
            wait = min(VAGUE_FOR * 2 ** min(max(self._in_vain - 1, 0), 5), wait)
        return now - self._tried_at > wait

    def doubt(self) -> None:
        """Events come late by it: it may be that, and is to be measured again soon."""
        self._is_doubted = True

    def distrust(self) -> None:
        """The exchange itself refused a time by it: whatever is measured next is better."""
        self._is_refused = True

    def failed(self, now: datetime) -> None:
        """It was asked for and not told: the one of before serves on for a while."""
        self._tried_at = now
        self._in_vain += 1

    def take(self, asked: datetime, theirs: datetime, came: datetime) -> float:
        """
        The offset after one answer: `theirs` is its time, the others are by our clock.

        A vaguer answer than the known one, which it bears out, changes nothing.
        """
        half = abs(came - asked) / 2
        measured, within = (theirs - min(asked, came) - half).total_seconds(), half.total_seconds()
        known = self._within(came)
        is_sharper = self._known_at is None or within <= max(known, SHARP_SECONDS)
        self._in_vain = 0 if within <= SHARP_SECONDS else self._in_vain + 1
        self._tried_at, self._is_doubted = came, False
        agrees = self.seconds is not None and abs(measured - self.seconds) <= within + known
        if self.seconds is not None and agrees and not (is_sharper or self._is_refused):
            return self.seconds
        if self._is_refused or (self.seconds is not None and not agrees):
            # Another one than before: as if for the first time.
            self._in_vain = min(self._in_vain, 1)
        self.seconds, self._sharp_within, self._known_at = measured, within, came
        self._is_refused = False
        return measured
