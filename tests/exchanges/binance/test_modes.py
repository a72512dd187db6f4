"""Which kind of account it is: found out, followed when it changes, and said in words."""

from __future__ import annotations

import pytest

from monitor.errors import Refused
from monitor.exchanges.binance import EXCHANGE, watching
from monitor.exchanges.binance.modes import Kind, read_kind
from monitor.exchanges.call import Replies
from tests.exchanges.binance import coins, wire
from tests.exchanges.binance.held import asked_in_turn, told

KIND = "GET /sapi/v1/account/info"
PRO = "GET /sapi/v1/portfolio/account"
REFUSAL = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
PLAIN = {"isPortfolioMarginRetailEnabled": False}
ENABLED = {"isPortfolioMarginRetailEnabled": True}
FIGURES = {
    "uniMMR": "5",
    "accountEquity": "1",
    "accountMaintMargin": "1",
    "accountStatus": "NORMAL",
}


def kind_of(*answers):
    return read_kind(Replies([wire.reply(request, body) for request, body in answers]))


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([], Kind.FUTURES),
        ([(KIND, PLAIN)], Kind.FUTURES),
        ([(KIND, REFUSAL), (PRO, REFUSAL)], Kind.FUTURES),
        ([(KIND, ENABLED)], Kind.PORTFOLIO),
        ([("GET /papi/v1/account", FIGURES)], Kind.PORTFOLIO),
        ([("GET /papi/v1/account", REFUSAL)], Kind.FUTURES),
        ([(KIND, PLAIN), (PRO, {"accountType": "PM_1"})], Kind.PORTFOLIO_PRO),
        # PM_2 is the plain one, which its flag tells; a third form of Pro has a third name.
        ([(KIND, ENABLED), (PRO, {"accountType": "PM_2"})], Kind.PORTFOLIO),
        ([(KIND, PLAIN), (PRO, {"accountType": "PM_3"})], Kind.PORTFOLIO_PRO),
    ],
)
def test_the_kind_is_found_out_and_a_refusal_proves_nothing(answers, kind):
    assert kind_of(*answers) is kind


def asked(answers, *failed):
    """What is asked in the next round, where these brought nothing of late."""
    replies = Replies([wire.reply(request, body) for request, body in answers], failed)
    return [call.request for call in EXCHANGE.needed(replies)]


def test_the_kind_is_asked_for_before_any_wallet():
    assert asked([]) == [KIND, PRO]


def test_where_the_flag_is_refused_the_portfolio_account_is_asked_for_itself():
    assert asked([], KIND, PRO) == ["GET /papi/v1/account"]
    assert asked([], KIND, PRO, "GET /papi/v1/account")[:3] == [
        "GET /fapi/v1/accountConfig",
        "GET /fapi/v3/account",
        "GET /fapi/v3/positionRisk",
    ]


def test_a_change_to_portfolio_margin_asks_for_none_of_the_old_wallets():
    old = list(told().items())
    switched = [(request, body) for request, body in old if request != KIND]

    wanted = asked([*switched, (KIND, ENABLED)])

    assert wanted[:4] == [
        "GET /papi/v1/account",
        "GET /papi/v1/balance",
        "GET /papi/v1/um/positionRisk",
        "GET /papi/v1/cm/positionRisk",
    ]
    assert not [request for request in wanted if "/fapi/v3/" in request]


def test_a_change_back_reads_the_wallets_though_portfolio_lists_are_kept():
    kept = [("GET /papi/v1/um/algo/openAlgoOrders", [])]

    assert "GET /fapi/v3/account" in asked([(KIND, PLAIN), (PRO, REFUSAL), *kept])


def test_what_makes_a_mode_is_asked_with_every_poll():
    calls = {call.path: call for _, listed in EXCHANGE.catalogue for call in listed}

    for path in ("/sapi/v1/account/info", "/sapi/v1/portfolio/account", "/fapi/v1/accountConfig"):
        assert calls[path].max_age_seconds < 15


@pytest.mark.parametrize(
    ("gone", "mode"),
    [
        ((), "USDⓈ-M single-asset and COIN-M, one-way"),
        (("/dapi/v1/account",), "USDⓈ-M single-asset, one-way; not read: COIN-M"),
        (("/dapi/v1/positionRisk",), "USDⓈ-M single-asset, one-way; not read: COIN-M"),
        (
            ("/sapi/v1/account/info",),
            "USDⓈ-M single-asset and COIN-M, one-way; not read: account kind",
        ),
        (
            ("/sapi/v1/account/info", "/sapi/v1/portfolio/account", "/dapi/v1/account"),
            "USDⓈ-M single-asset, one-way; not read: COIN-M, account kind",
        ),
    ],
)
@pytest.mark.parametrize("refused", [True, False])
def test_what_a_key_may_not_read_blinds_nothing_and_is_said(gone, mode, refused):
    answers = told()
    for path in gone:
        del answers[f"GET {path}"]
    refusals = [wire.reply(f"GET {path}", REFUSAL, status=401) for path in gone if refused]

    taken = wire.snapshot(answers, *refusals)

    assert taken.mode == mode
    assert [pool.id.name for pool in taken.pools] == ["USDC", "USDT", "isolated/BTCUSDT"]


def test_a_wallet_that_is_named_must_be_readable():
    answers = told()
    del answers["GET /dapi/v1/account"]
    refusal = wire.reply("GET /dapi/v1/account", REFUSAL, status=401)
    named = watching(("usdm", "coinm"))

    with pytest.raises(Refused):
        named.read_account("main", wire.replies(answers, refusal))
    optional = {
        call.path: call.optional for call in named.needed(wire.replies({KIND: PLAIN, PRO: REFUSAL}))
    }
    assert optional == {
        "/fapi/v1/accountConfig": False,
        "/fapi/v3/account": False,
        "/fapi/v3/positionRisk": False,
        "/dapi/v1/account": False,
        "/dapi/v1/positionRisk": False,
    }


def test_a_wallet_that_is_not_named_is_not_asked_for():
    only = watching(("usdm",))
    first = [call.path for call in only.needed(wire.replies({KIND: PLAIN, PRO: REFUSAL}))]
    taken = only.read_account("main", wire.replies(told())).snapshot(wire.NOON)

    assert not [path for path in first if path.startswith("/dapi/")]
    assert taken.mode == "USDⓈ-M single-asset, one-way"


def test_coin_margined_futures_alone():
    only = watching(("coinm",))
    first = [call.path for call in only.needed(wire.replies({KIND: PLAIN, PRO: REFUSAL}))]
    row = coins.position("BTCUSD_PERP", "100", "26000", "25000")
    answers = coins.beside(told(), [row], {"BTC": "0.05"}, {"BTCUSD_PERP": "0.0016"})
    taken = only.read_account("main", wire.replies(answers)).snapshot(wire.NOON)

    assert first == ["/fapi/v1/accountConfig", "/dapi/v1/account", "/dapi/v1/positionRisk"]
    assert taken.mode == "COIN-M, one-way"
    assert [pool.id.name for pool in taken.pools] == ["BTC"]


def test_the_rates_of_all_assets_are_asked_for_in_multi_assets_mode_alone():
    answers = told()
    answers["GET /fapi/v1/accountConfig"]["multiAssetsMargin"] = True

    rounds, _ = asked_in_turn(answers)
    plain, _ = asked_in_turn(told())

    assert "GET /fapi/v1/assetIndex" in [request for asked in rounds for request in asked]
    assert "GET /fapi/v1/assetIndex" not in [request for asked in plain for request in asked]
