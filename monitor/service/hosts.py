"""What the exchanges' hosts asked of this machine: one word for all accounts of a host, kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.quiet import Quiet

if TYPE_CHECKING:
    from monitor.settings import AccountSettings
    from monitor.storage.store import Store


class Hosts:
    """Hosts are told apart by an account's own address, where it has none by its exchange."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: dict[str, Quiet] = {}

    def quiet(self, account: AccountSettings) -> Quiet:
        """The one that all accounts of this host share, with what was asked before a restart."""
        host = account.rest_url or account.exchange
        if host not in self._asked:
            self._asked[host] = Quiet(
                self._store.quiet_until(host),
                lambda until: self._store.keep_quiet(host, until),
            )
        return self._asked[host]
