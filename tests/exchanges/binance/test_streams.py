"""Which private connections an account has, and how each gets and keeps its listenKey."""

from __future__ import annotations

import pytest

from monitor.errors import Malformed, Refused
from monitor.exchanges.binance import EXCHANGE, watching
from monitor.exchanges.call import Replies
from tests.exchanges.binance import wire
from tests.exchanges.binance.events import told
from tests.exchanges.binance.test_portfolio import example
from tests.exchanges.binance.test_portfolio_pro import pro

USDM = "wss://fstream.binance.com/private/ws?listenKey={ticket}"
COINM = "wss://dstream.binance.com/ws/{ticket}"
PORTFOLIO = "wss://fstream.binance.com/pm/ws/{ticket}"
PRO = "wss://fstream.binance.com/pm-classic/ws/{ticket}"
REFUSAL = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}


def addresses(answers, exchange=EXCHANGE):
    return [stream.host + stream.path for stream in exchange.account_streams(answers)]


def test_both_futures_wallets_are_listened_to():
    assert addresses(wire.replies(told())) == [USDM, COINM]


def test_a_coin_wallet_that_may_not_be_read_is_not_listened_to():
    answers = told()
    for request in ("GET /dapi/v1/account", "GET /dapi/v1/positionRisk"):
        answers[request] = REFUSAL

    assert addresses(wire.replies(answers)) == [USDM]


@pytest.mark.parametrize(("product", "address"), [("usdm", USDM), ("coinm", COINM)])
def test_a_narrowed_account_listens_to_the_named_wallet_alone(product, address):
    assert addresses(wire.replies(told()), watching((product,))) == [address]


def test_portfolio_margin_has_one_connection_and_pro_has_its_own():
    assert addresses(wire.replies(example())) == [PORTFOLIO]
    assert addresses(wire.replies(pro(example()))) == [USDM, COINM, PRO]


def test_an_account_whose_kind_cannot_be_told_is_listened_to_nowhere():
    nonsense = wire.reply("GET /sapi/v1/account/info", {"isPortfolioMarginRetailEnabled": "maybe"})

    assert addresses(Replies([nonsense])) == []


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        (told(), {"fapiPrivate": "/fapi/v1/listenKey", "dapiPrivate": "/dapi/v1/listenKey"}),
        (example(), {"papi": "/papi/v1/listenKey"}),
    ],
)
def test_a_ticket_is_asked_for_and_prolonged_and_never_given_back(answers, requests):
    tickets = [s.ticket for s in EXCHANGE.account_streams(wire.replies(answers))]

    asked = [(t.get.implicit, t.get.request, t.keep.implicit, t.keep.request) for t in tickets]
    assert asked == [
        (f"{api}PostListenKey", f"POST {path}", f"{api}PutListenKey", f"PUT {path}")
        for api, path in requests.items()
    ]
    # Good for 60 minutes: one failed prolonging leaves time for the next.
    assert all(2 * t.keep_seconds < 60 * 60 for t in tickets)
    assert {(t.get.weight, t.keep.weight) for t in tickets} == {(1, 1)}


def test_what_prolongs_a_key_counts_against_the_limit_of_its_side():
    (usdm, coinm) = EXCHANGE.account_streams(wire.replies(told()))
    (portfolio,) = EXCHANGE.account_streams(wire.replies(example()))

    budgets = [stream.ticket.get.budget.name for stream in (usdm, coinm, portfolio)]
    assert budgets == ["binance futures", "binance futures", "binance papi"]


def test_an_idle_account_says_nothing_but_a_pro_one_is_pushed_every_five_seconds():
    silent = [s.silent_seconds for s in EXCHANGE.account_streams(wire.replies(pro(example())))]

    assert silent[:2] == [None, None]
    assert silent[2] >= 3 * 5


def test_the_key_is_read_from_the_reply():
    (stream, _) = EXCHANGE.account_streams(wire.replies(told()))

    assert stream.ticket.read({"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8"}) == (
        "pqia91ma19a5s61cv6a81va65sdf19v8"
    )
    for body in ({}, {"listenKey": ""}, [], "<html>"):
        with pytest.raises(Malformed):
            stream.ticket.read(body)


def test_a_refused_key_is_for_good_and_an_unknown_one_is_not():
    refused = EXCHANGE.read_error(401, {}, REFUSAL)
    unknown = EXCHANGE.read_error(400, {}, {"code": -1125, "msg": "This listenKey does not exist."})

    assert isinstance(refused, Refused)
    assert not isinstance(unknown, Refused)
    assert unknown.code == "-1125"
