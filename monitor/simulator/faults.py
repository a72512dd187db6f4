"""Which faults are switched on, where, and until when. Decides nothing about how they look."""

from dataclasses import dataclass
from datetime import datetime

REST_KINDS = frozenset(
    {
        "html",  # 200 with a page
        "empty",  # 200 without a body
        "truncated",  # 200, JSON cut in the middle
        "null",  # 200 with `null`
        "body",  # 200 with `value` as it stands
        "empty_list",  # 200 with the exchange's envelope and nothing in it
        "429",  # with Retry-After; `value` is its seconds
        "418",  # banned; `value` is the seconds
        "5xx",  # `value` is the status, 503 by default
        "403_html",  # a firewall's page
        "timeout",  # no answer while the fault lasts
        "slow_answer",  # what it was when it was asked comes `value` seconds later, 2 by default
        "reset",  # connection reset
        "bad_key",
        "no_permission",
        "ip",  # the key is not for this address
        "wrong_numbers",  # reported totals times `value`, 0.5 by default
    }
)
CLOCK_KIND = "clock"  # the server's clock is ahead by `value` seconds, 30 by default
SOCKET_KINDS = frozenset(
    {
        "stall",  # open, pings answered, no data
        "drop",  # closed at once
        "refuse",  # no new ones
        "silent_symbol",  # `value` is the exchange's symbol that stops
        "garbage",  # frames that are no JSON
        "lost",  # events don't come; what repeats itself regularly does
        "doubled",  # every frame comes twice
        "swapped",  # of two frames the later comes first
        "late",  # frames come `value` seconds later, 2 by default
        "cut",  # a socket breaks once it has sent `value` frames, 1 by default
        "login",  # refused, with `value` as the exchange's code
    }
)
KINDS = REST_KINDS | SOCKET_KINDS | {CLOCK_KIND}
_BRIEF_SECONDS = 1.0  # `drop` without a duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of one exchange on paths that begin with `path`; `until` None is for good."""

    exchange: str
    kind: str
    path: str = ""
    value: str | None = None
    until: datetime | None = None

    def holds(self, exchange: str, path: str, at: datetime) -> bool:
        return (
            self.exchange == exchange
            and path.startswith(self.path)
            and (self.until is None or at < self.until)
        )


class FaultBoard:
    """The faults that are switched on; the newest wins where two of a kind meet."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """
        Switch a fault on.

        Raises:
            ValueError: If there is no such kind.

        """
        if fault.kind not in KINDS:
            raise ValueError(f"fault {fault.kind!r}: there are {', '.join(sorted(KINDS))}")
        self._faults.append(fault)

    def clear(self, exchange: str | None = None, kind: str | None = None) -> tuple[Fault, ...]:
        """Switch faults off (all that match) and give those that were on."""
        gone = tuple(
            fault
            for fault in self._faults
            if exchange in {None, fault.exchange} and kind in {None, fault.kind}
        )
        self._faults = [fault for fault in self._faults if fault not in gone]
        return gone

    def expire(self, at: datetime) -> tuple[Fault, ...]:
        """Forget the faults whose time is over and give them."""
        gone = tuple(f for f in self._faults if f.until is not None and f.until <= at)
        self._faults = [fault for fault in self._faults if fault not in gone]
        return gone

    def find(self, exchange: str, path: str, kind: str, at: datetime) -> Fault | None:
        """Give the fault of this kind that holds on this path now, or None."""
        for fault in reversed(self._faults):
            if fault.kind == kind and fault.holds(exchange, path, at):
                return fault
        return None

    def first_of_rest(self, exchange: str, path: str, at: datetime) -> Fault | None:
        """Give the newest fault that a REST answer on this path must show, or None."""
        for fault in reversed(self._faults):
            if fault.kind in REST_KINDS and fault.holds(exchange, path, at):
                return fault
        return None

    def silent_symbols(self, exchange: str, path: str, at: datetime) -> frozenset[str]:
        """Give the symbols whose frames stay out."""
        return frozenset(
            fault.value or ""
            for fault in self._faults
            if fault.kind == "silent_symbol" and fault.holds(exchange, path, at)
        )


def default_seconds(kind: str) -> float | None:
    """Give how long a fault lasts where nobody says; None is until it is cleared."""
    return _BRIEF_SECONDS if kind == "drop" else None
