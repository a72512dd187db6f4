"""What kind of account it is: followed, or refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed, Unmodelled
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.modes import mode_of, words_of
from tests.exchanges.bybit import examples, test_isolated, unified
from tests.exchanges.bybit.wire import (
    INFO,
    NOW,
    envelope,
    info,
    replies,
    samples,
)

if TYPE_CHECKING:
    from tests.exchanges.bybit.wire import Json

EVERY_CALL = {call.request: call for _, wanted in EXCHANGE.catalogue for call in wanted}


def symbols_held(bodies: dict[str, Json]) -> list[str]:
    snapshot = EXCHANGE.read_account("main", replies(bodies)).snapshot(NOW)
    return [held.instrument.exchange_symbol for held in snapshot.pools[0].positions]


def asked(bodies: dict[str, Json]) -> list[str]:
    return [call.request.removeprefix("GET ") for call in EXCHANGE.needed(replies(bodies))]


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (info("SOMETHING_NEW"), "SOMETHING_NEW.*switch it to"),
        (info(status=1), "classic account .unifiedMarginStatus 1.*upgrade"),
        (info(status="3"), "account 1.0 .unifiedMarginStatus 3.*upgrade"),
        (samples("is_unified_enabled")[1]["result"], "1.0 pro .unifiedMarginStatus 4.*upgrade"),
        (info(status=7), "no unified trading account 2.0 .unifiedMarginStatus 7.*upgrade"),
    ],
)
def test_other_kinds_of_account_are_refused_by_name(result: Json, named: str) -> None:
    bodies = examples.two_positions() | {INFO: envelope(result)}
    with pytest.raises(Unmodelled, match=named) as caught:
        EXCHANGE.read_account("main", replies(bodies))
    assert caught.value.whole_account
    assert asked({INFO: envelope(result)}) == []
    assert EXCHANGE.torn(replies(bodies)) is None


def test_the_sample_of_a_unified_account_is_read() -> None:
    bodies = examples.two_positions() | {INFO: samples("fetch_margin_mode")[0]}
    assert symbols_held(bodies) == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("REGULAR_MARGIN", "unified, cross"),
        ("ISOLATED_MARGIN", "unified, isolated"),
        ("PORTFOLIO_MARGIN", "unified, portfolio margin"),
    ],
)
@pytest.mark.parametrize("status", [5, 6])
def test_the_margin_mode_is_found_out(mode: str, words: str, status: int) -> None:
    answer = replies({INFO: envelope(info(mode, status))})
    assert mode_of(answer).value == words
    assert words_of(answer, mode_of(answer)) == words


def test_spot_hedging_is_said_where_it_matters() -> None:
    for mode, words in (("PORTFOLIO_MARGIN", ", spot hedging"), ("REGULAR_MARGIN", "")):
        answer = replies({INFO: envelope(info(mode) | {"spotHedgingStatus": "ON"})})
        assert words_of(answer, mode_of(answer)) == mode_of(answer).value + words


def test_after_a_switch_the_whole_reading_is_of_the_new_mode() -> None:
    """The tables of before stay; every list and the mode itself are read with each poll."""
    kept = [call for call in EVERY_CALL.values() if call.max_age_seconds > 0]
    assert not {call.path for call in kept} & {
        "/v5/account/info",
        "/v5/account/wallet-balance",
        "/v5/position/list",
        "/v5/order/realtime",
    }
    bodies = test_isolated.isolated(test_isolated.long_of_the_article("19700"))
    tables = {r: b for r, b in examples.two_positions().items() if "market" in r or "spot" in r}
    read = EXCHANGE.read_account("main", replies(tables | bodies)).snapshot(NOW)
    assert read.mode == "unified, isolated"
    assert [str(pool.id) for pool in read.pools] == ["main/isolated/BTCUSDT"]


def test_figures_of_another_mode_than_the_answer_names_are_read_again() -> None:
    torn = "the account's margin mode and its figures are not of one moment"
    isolated = test_isolated.isolated(test_isolated.long_of_the_article("19700"))
    portfolio, cross = unified.portfolio(), examples.two_positions()
    for bodies, mode in (
        (isolated, "REGULAR_MARGIN"),
        (isolated, "PORTFOLIO_MARGIN"),
        (portfolio, "REGULAR_MARGIN"),
        (portfolio, "ISOLATED_MARGIN"),
    ):
        switched = bodies | {INFO: envelope(info(mode))}
        assert EXCHANGE.torn(replies(switched)) == torn
        with pytest.raises(Malformed):
            EXCHANGE.read_account("main", replies(switched))
    assert EXCHANGE.torn(replies(isolated)) is None
    assert EXCHANGE.torn(replies(portfolio)) is None
    # Cross figures hold all that the other modes need, so they can't be told apart: the pools
    # are built of what is there, and the next poll shows the rest.
    assert EXCHANGE.torn(replies(cross | {INFO: envelope(info("ISOLATED_MARGIN"))})) is None
