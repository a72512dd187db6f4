"""One word of quiet for all accounts of a host, also after a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from monitor.exchanges.call import Budget
from monitor.service.hosts import Hosts
from monitor.settings import AccountSettings
from monitor.storage.store import open_store
from tests.alerting import NOON, at

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.exchanges.gate import Host

WEIGHT = Budget(name="weight", per_minute=2400, window_seconds=60)
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


async def test_a_wait_before_connections_outlives_a_restart_and_silences_no_call_f42(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path, NOON)
    asked = Hosts(store, now=lambda: NOON).host(ONE)
    asked.openings.asked_for_quiet(600)
    assert asked.quiet.until is None
    store.close()

    store = open_store(tmp_path, at(30))
    for account, left in ((replace(ONE, name="two"), 570), (replace(ONE, exchange="okx"), 0)):
        host = Hosts(store, now=lambda: at(30)).host(account)
        assert host.openings.seconds_left() == left
        assert host.quiet.until is None
    store.close()


async def test_over_a_reload_a_host_stays_what_it_was_used_for_under_the_new_rules_f81(
    tmp_path: Path,
) -> None:
    known: dict[str, Host] = {}
    store = open_store(tmp_path, NOON)
    before = Hosts(store, known=known).host(ONE)
    before.openings.opened()
    before.use.spent(WEIGHT, 300, NOON)
    paced = before.pace(WEIGHT)
    before.names_fail_since = NOON
    before.quiet.ask(at(600), NOON)
    store.close()

    store = open_store(tmp_path, at(30))
    hosts = Hosts(store, 0.1, is_shared=True, known=known)
    assert dict(hosts.all()) == {}, "who is not configured any more is not asked after"
    after = hosts.host(ONE)
    assert after.openings is before.openings
    assert after.use.sent(WEIGHT, at(30)) == 300
    assert after.pace(WEIGHT) is paced
    assert (after.share, after.is_shared) == (0.1, True)
    assert after.names_fail_since is None
    assert after.quiet.seconds_left(at(30)) == 570
    after.quiet.ask(at(900), at(30))
    store.close()

    store = open_store(tmp_path, at(60))
    assert store.quiet_until("binance") == at(900), "it is the present store that keeps it"
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
