"""The exchanges that are known, by the name that a config gives them."""

from __future__ import annotations

import pytest

from monitor.exchanges.registry import EXCHANGES, exchange_for
from monitor.settings.document import EXCHANGES as NAMES


def test_each_is_found_by_its_own_name() -> None:
    assert {name: exchange.name for name, exchange in EXCHANGES.items()} == {
        "binance": "binance",
        "bybit": "bybit",
        "okx": "okx",
    }


def test_a_config_may_name_just_these() -> None:
    assert set(NAMES) == set(EXCHANGES)


def test_each_tells_what_it_asks_for_in_every_mode_and_what_a_key_needs() -> None:
    for exchange in EXCHANGES.values():
        assert exchange.permission_hint
        assert exchange.permission_calls
        assert exchange.catalogue
        for mode, calls in exchange.catalogue:
            assert mode
            assert any(not call.optional for call in calls)


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_an_exchange_is_narrowed_to_products_where_it_has_some(name):
    whole = exchange_for(name, None)
    narrowed = exchange_for(name, ("usdm",))

    assert whole is EXCHANGES[name]
    assert (narrowed is whole) is (name != "binance")
    assert (narrowed.name, narrowed.client) == (whole.name, whole.client)
