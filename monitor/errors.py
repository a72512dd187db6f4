"""
The exception family of margin-monitor.

    MonitorError
    ├── ConfigError           stop at start, with every mistake listed
    ├── WrongUsage            what was asked for makes no sense here; the words say what would
    ├── ExchangeError         carries exchange, account and call
    │   ├── Unreachable       try again (network, rate limit, maintenance, time-out, clock skew)
    │   ├── Refused           don't try again: key, permission, region, suspended
    │   ├── Malformed         a reply we can't read: path and what was expected
    │   ├── MissingReply      a reply that the figures need is not there: the request is named
    │   └── Unmodelled        the account is or holds what our rules don't cover: it is named
    ├── RiskError             the figures can't be computed; never replaced by a guess
    │   ├── MissingMark
    │   ├── MissingCollateral
    │   └── BadTierTable
    ├── StorageError          the state could not be read or written; alerting goes on without it
    └── DeliveryError         a channel did not take a message; `permanent` says whether to retry

The type says what to do; the message is a whole sentence for a person and never holds a secret.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class Limit(Enum):
    """Whose limit an answer says is used up: of all behind one address, or of one account."""

    ADDRESS = "address"
    ACCOUNT = "account"


class MonitorError(Exception):
    """Anything that margin-monitor itself has to say about a failure."""


class ConfigError(MonitorError):
    """The configuration can't be used; `mistakes` lists every one, each with its place."""

    def __init__(self, *mistakes: str) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


class WrongUsage(MonitorError):  # noqa: N818 - the tree's word
    """A person asked for what makes no sense as things are: the message says what would."""


class ExchangeError(MonitorError):
    """
    Something about one call to one exchange.

    `exchange`, `account` and `call` may be empty where the raiser can't know them;
    `placed` fills them in at the border that does.
    """

    def __init__(
        self, because: str, *, exchange: str = "", account: str = "", call: str = ""
    ) -> None:
        self.because = because
        self.exchange = exchange
        self.account = account
        self.call = call
        super().__init__(because)

    def __str__(self) -> str:
        place = " ".join(word for word in (self.exchange, self.account, self.call) if word)
        return f"{place}: {self.because}" if place else self.because

    def __copy__(self) -> Self:
        """Another with all that this one tells; not built anew, which each kind does its way."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def placed(self, *, exchange: str = "", account: str = "", call: str = "") -> ExchangeError:
        """This same error with the blanks of its place filled in."""
        self.exchange = self.exchange or exchange
        self.account = self.account or account
        self.call = self.call or call
        return self


class Unreachable(ExchangeError):  # noqa: N818 - the tree's word
    """
    Try again: network, rate limit, maintenance, time-out, clock skew.

    `retry_after_seconds` is the wait that the exchange asked for, None where it asked for none;
    `clock_skew` means that the exchange refused our timestamp: measure the offset again;
    `status` is the HTTP status, `code` the exchange's own code, None where there was none;
    `limit` is set where that code says that too much was asked, whatever the status.
    """

    def __init__(  # noqa: PLR0913 - the parts of one answer
        self,
        because: str,
        *,
        exchange: str = "",
        account: str = "",
        call: str = "",
        retry_after_seconds: float | None = None,
        clock_skew: bool = False,
        status: int | None = None,
        code: str | None = None,
        limit: Limit | None = None,
    ) -> None:
        super().__init__(because, exchange=exchange, account=account, call=call)
        self.retry_after_seconds = retry_after_seconds
        self.clock_skew = clock_skew
        self.status = status
        self.code = code
        self.limit = limit


class Refused(ExchangeError):  # noqa: N818 - the tree's word
    """Don't try again soon: key, permission, region, suspended. The owner must act."""

    def __init__(  # noqa: PLR0913 - the parts of one answer
        self,
        because: str,
        *,
        exchange: str = "",
        account: str = "",
        call: str = "",
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(because, exchange=exchange, account=account, call=call)
        self.status = status
        self.code = code


class Malformed(ExchangeError):  # noqa: N818 - the tree's word
    """
    A reply or frame that can't be read: the path of the datum and what was expected there.

    The path is empty for the whole of it. `code` is the exchange's own where it answered with
    one that says that it can't make sense of the call.
    """

    def __init__(  # noqa: PLR0913 - the parts of one answer
        self,
        path: str,
        expected: str,
        found: str = "",
        *,
        exchange: str = "",
        account: str = "",
        call: str = "",
        code: str | None = None,
    ) -> None:
        self.code = code
        self.path = path
        self.expected = expected
        self.found = found
        place = f"{path}: " if path else ""
        because = f"{place}expected {expected}" + (f", found {found}" if found else "")
        super().__init__(because, exchange=exchange, account=account, call=call)


class MissingReply(ExchangeError):  # noqa: N818 - the tree's word
    """A reply that the figures need was not given; `call` is the request that would bring it."""


class Unmodelled(ExchangeError):  # noqa: N818 - the tree's word
    """
    The account is, or holds, what our rules don't cover: no figure may be given for it.

    `whole_account` is True where the account's very mode is not watched.
    """

    def __init__(
        self,
        because: str,
        *,
        exchange: str = "",
        account: str = "",
        call: str = "",
        whole_account: bool = False,
    ) -> None:
        super().__init__(because, exchange=exchange, account=account, call=call)
        self.whole_account = whole_account


class RiskError(MonitorError):
    """The figures can't be computed from what is known."""


class MissingMark(RiskError):  # noqa: N818 - the tree's word
    """No mark price is known for a symbol that a pool needs."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        super().__init__(f"no mark price is known for {symbol}")


class MissingCollateral(RiskError):  # noqa: N818 - the tree's word
    """A position settles in an asset of which the pool's collateral says nothing."""

    def __init__(self, asset: str, pool: str) -> None:
        self.asset = asset
        super().__init__(f"pool {pool} has no collateral entry for {asset}")


class BadTierTable(RiskError):  # noqa: N818 - the tree's word
    """A table of leverage tiers that can't be used."""


class StorageError(MonitorError):
    """The state on disk could not be read or written (full, locked, broken, too new)."""


class DeliveryError(MonitorError):
    """
    A channel did not take a message.

    `permanent`: the same message will never be taken as things stand (bad token, chat gone);
    otherwise try again, after `retry_after_seconds` where the receiver named a wait.
    """

    def __init__(
        self, because: str, *, permanent: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds
        super().__init__(because)
