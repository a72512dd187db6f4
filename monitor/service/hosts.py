"""What the exchanges' hosts allow this machine: shared by all accounts of a host, bans kept."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from monitor.exchanges.gate import STEADY_SHARE, Host
from monitor.exchanges.quiet import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.settings import AccountSettings
    from monitor.storage.store import Store

# So much longer than asked for, at most: not everybody comes back in that very second.
_SPREAD_SECONDS = 3.0


def host_name(account: AccountSettings) -> str:
    """Hosts are told apart by an account's own address, where it has none by its exchange."""
    return account.rest_url or account.exchange


class Hosts:
    """
    Every host with what it asked for before a restart.

    `share` of what an exchange publishes may be used in steady state. `is_shared`: another
    monitor watches the same accounts from elsewhere, so that bursts keep to half as much.
    `now` is the clock by which a wait before connections is kept over a restart; without it that
    is kept for this process alone. `known` are all hosts that this process ever met, by name: an
    exchange goes on counting whatever configuration is read anew, and so do we.
    """

    def __init__(
        self,
        store: Store,
        share: float = STEADY_SHARE,
        *,
        is_shared: bool = False,
        now: Callable[[], datetime] | None = None,
        known: dict[str, Host] | None = None,
    ) -> None:
        self._store = store
        self._share = share
        self._is_shared = is_shared
        self._now = now
        self._known = {} if known is None else known
        self._hosts: dict[str, Host] = {}

    def host(self, account: AccountSettings) -> Host:
        """The one that all accounts of this host share."""
        name = host_name(account)
        if name not in self._hosts:
            self._hosts[name] = self._taken_up(name)
        return self._hosts[name]

    def _taken_up(self, name: str) -> Host:
        """The host as it was left by the configuration before, under the rules of this one."""
        host = self._known.setdefault(name, Host(spread=spread))
        host.share, host.is_shared = self._share, self._is_shared
        # What is resolved elsewhere by now may be another name: ten minutes begin anew.
        host.names_fail_since = None
        host.quiet = self._kept(name, host.quiet)
        if self._now is not None:
            host.openings.clock = self._now
            host.openings.quiet = self._kept(f"{name}: connections", host.openings.quiet)
        return host

    def _kept(self, name: str, before: Quiet) -> Quiet:
        """What was asked for, kept by this store from now on: the one before is closed."""
        ends = (self._store.quiet_until(name), before.until)
        until = max((end for end in ends if end is not None), default=None)
        return Quiet(until, partial(self._store.keep_quiet, name))

    def all(self) -> Mapping[str, Host]:
        """Every host of this configuration by its name."""
        return dict(self._hosts)


def spread(seconds: float) -> float:
    """A wait that was asked for, and up to three seconds more."""
    return seconds + random.uniform(0.0, _SPREAD_SECONDS)  # noqa: S311 - no secret
