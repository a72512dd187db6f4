"""Accounts of a kind that is not watched: each is named."""

from __future__ import annotations

import pytest

from monitor.errors import Unmodelled
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.port import Replies
from tests.exchanges.binance import wire
from tests.exchanges.binance.held import asked_in_turn, told


def test_multi_assets_mode_is_named_and_not_watched():
    answers = told()
    answers["GET /fapi/v1/accountConfig"]["multiAssetsMargin"] = True

    rounds, replies = asked_in_turn(answers)

    assert len(rounds) == 1
    with pytest.raises(Unmodelled, match="Multi-Assets Mode") as caught:
        EXCHANGE.read_account("main", replies)
    assert caught.value.whole_account


def test_portfolio_margin_is_named_and_not_watched():
    answers = told()
    answers["GET /sapi/v1/account/info"]["isPortfolioMarginRetailEnabled"] = True

    with pytest.raises(Unmodelled, match="portfolio margin") as caught:
        wire.read(answers)
    assert caught.value.whole_account


@pytest.mark.parametrize("path", ["/papi/v1/account", "/sapi/v1/portfolio/account"])
def test_a_capture_of_portfolio_margin_is_named_though_futures_calls_are_missing(path):
    answer = wire.reply(f"GET {path}", {"uniMMR": "5167.9", "accountType": "PM_1"})

    with pytest.raises(Unmodelled, match="portfolio margin"):
        EXCHANGE.read_account("main", Replies([answer]))


def test_a_portfolio_endpoint_that_refuses_proves_nothing():
    refusal = wire.reply("GET /papi/v1/account", {"code": -2015, "msg": "…"}, status=401)

    assert len(wire.snapshot(told(), refusal).pools) == 3


def test_credits_mode_is_named_and_not_watched():
    answers = told()
    answers["GET /fapi/v3/account"]["assets"].append(wire.wallet("BNFCR", "0", []))

    with pytest.raises(Unmodelled, match=r"credits \(BNFCR") as caught:
        wire.read(answers)
    assert caught.value.whole_account


def test_a_position_in_credits_is_named():
    answers = told()
    answers["GET /fapi/v3/positionRisk"][0]["marginAsset"] = "BNFCR"

    with pytest.raises(Unmodelled, match="BNFCR"):
        wire.snapshot(answers)
