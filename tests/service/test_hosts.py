"""One word of quiet for all accounts of a host, also after a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from monitor.service.hosts import Hosts
from monitor.settings import AccountSettings
from monitor.storage.store import open_store
from tests.alerting import NOON, at

if TYPE_CHECKING:
    from pathlib import Path

ONE = AccountSettings(
    name="one",
    exchange="binance",
    api_key=SecretStr("k"),
    api_secret=SecretStr("s"),
    passphrase=None,
    products=None,
    poll_seconds=15.0,
    rest_url=None,
    ws_url=None,
    allow_trading_key=False,
)


def test_accounts_of_one_host_share_it_and_others_do_not(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    hosts = Hosts(store)
    assert hosts.host(ONE) is hosts.host(replace(ONE, name="two"))
    assert hosts.host(ONE) is not hosts.host(replace(ONE, exchange="okx"))
    assert hosts.host(ONE) is not hosts.host(replace(ONE, rest_url="https://eea.example"))
    store.close()


def test_beside_another_monitor_a_burst_keeps_to_half_f83(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    assert not Hosts(store).host(ONE).is_shared
    assert Hosts(store, is_shared=True).host(ONE).is_shared
    store.close()


def test_a_ban_outlives_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path, NOON)
    Hosts(store).host(ONE).quiet.ask(at(600), NOON)
    store.close()

    store = open_store(tmp_path, at(30))
    quiet = Hosts(store).host(replace(ONE, name="two")).quiet
    assert quiet.seconds_left(at(30)) == 570
    assert Hosts(store).host(replace(ONE, exchange="bybit")).quiet.until is None
    store.close()
