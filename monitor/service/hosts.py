"""What the exchanges' hosts allow this machine: shared by all accounts of a host, bans kept."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from monitor.exchanges.gate import STEADY_SHARE, Host
from monitor.exchanges.quiet import Quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """

    def __init__(
        self, store: Store, share: float = STEADY_SHARE, *, is_shared: bool = False
    ) -> None:
        self._store = store
        self._share = share
        self._is_shared = is_shared
        self._hosts: dict[str, Host] = {}

    def host(self, account: AccountSettings) -> Host:
        """The one that all accounts of this host share."""
        name = host_name(account)
        if name not in self._hosts:
            quiet = Quiet(self._store.quiet_until(name), partial(self._store.keep_quiet, name))
            self._hosts[name] = Host(
                quiet, share=self._share, is_shared=self._is_shared, spread=spread
            )
        return self._hosts[name]

    def all(self) -> Mapping[str, Host]:
        """Every host by its name."""
        return dict(self._hosts)


def spread(seconds: float) -> float:
    """A wait that was asked for, and up to three seconds more."""
    return seconds + random.uniform(0.0, _SPREAD_SECONDS)  # noqa: S311 - no secret
