"""
I/O. The pace at which the parts of a message are sent, by no clock that anybody sets.

apprise sleeps between sends by the wall clock: where that is set back by an hour, for an hour;
and where a service says when it wants to hear of us again, until then by our clock, however far
off either may be. Here a short pause is slept, and a long one is a failure with a wait, so that
the message stays where waits are known.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprise import NotifyBase

# A time that was told ahead may be by a clock that differs from ours: soon it is simply tried.
LONGEST_WAIT_AHEAD_SECONDS = 60.0


class Throttle:
    """
    Takes the place of a service's own `throttle`.

    `asked_seconds` is the pause that kept the latest send from being made, None where none did.
    """

    def __init__(self, service: NotifyBase) -> None:
        self.asked_seconds: float | None = None
        self._service = service
        self._is_first = True
        service.throttle = self._before_a_part  # type: ignore[method-assign]  # in its place
        if hasattr(service, "clock_skew"):
            service.clock_skew = timedelta(0)  # apprise adds ten seconds to be safe

    @property
    def between_seconds(self) -> float:
        """The least time between two parts, and between two messages."""
        return float(self._service.request_rate_per_sec)

    def begin(self) -> None:
        """A send is to be made: what was asked for before it is over or will be asked anew."""
        self.asked_seconds = None
        self._is_first = True

    def _before_a_part(self, last_io: object = None, wait: float | None = None) -> None:
        """Before each part; `wait` is what the service asked for with its last answer."""
        del last_io
        if wait:
            self.asked_seconds = min(wait, LONGEST_WAIT_AHEAD_SECONDS)
            # After that it is tried, whatever its clock says by then.
            vars(self._service)["ratelimit_remaining"] = 1.0
            raise _TooEarly
        if not self._is_first:
            time.sleep(self.between_seconds)
        self._is_first = False


class _TooEarly(Exception):  # noqa: N818 - says what is the matter
    """Nothing was sent: apprise makes a failure of it."""
