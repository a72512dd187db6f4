"""Portfolio margin Pro: read from its own endpoint, or from portfolio margin's."""

from __future__ import annotations

from decimal import Decimal

from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies
from monitor.risk import Verdict, reconcile
from monitor.risk.model import Basis
from tests.exchanges.binance import wire
from tests.exchanges.binance.test_portfolio import evaluated, example

D = Decimal


def pro(told):
    """The same account as Pro: where papi serves it not, its own endpoint and both wallets."""
    whole = told.pop("GET /papi/v1/account") | {"accountType": "PM_1"}
    balance = told.pop("GET /papi/v1/balance")
    (short,) = told.pop("GET /papi/v1/cm/positionRisk")
    del told["GET /papi/v1/um/positionRisk"]
    return told | {
        "GET /sapi/v1/account/info": {"isPortfolioMarginRetailEnabled": False},
        "GET /sapi/v1/portfolio/account": whole,
        "GET /sapi/v1/portfolio/balance": balance,
        "GET /fapi/v3/positionRisk": [wire.position("BTCUSDT", "0.3", "38000", "40000", "48")],
        "GET /dapi/v1/positionRisk": [short],
    }


def test_a_pro_account_is_read_from_its_own_endpoint_where_the_others_serve_it_not():
    taken, pool, risk = evaluated(pro(example()))

    assert taken.mode == "portfolio margin Pro, one-way"
    assert pool.basis is Basis.REPORTED
    assert abs(risk.requirement.margin_balance - 23866) < D("1e-9")
    assert reconcile(risk, taken.reported[pool.id]).verdict is Verdict.AGREES
    assert len(pool.positions) == 2
    assert {c.asset: c.balance for c in pool.collateral}["ETH"] == 5


def test_a_pro_account_whose_coins_are_not_told_stands_by_its_equity():
    told = pro(example())
    del told["GET /sapi/v1/portfolio/balance"]

    _, pool, risk = evaluated(told)

    assert {c.asset: c.balance for c in pool.collateral} == {"BTC": 0, "USDT": 0}
    assert abs(risk.requirement.margin_balance - 23866) < D("1e-9")


def test_a_pro_account_that_portfolio_endpoints_do_serve_is_read_from_them():
    told = example()
    told["GET /sapi/v1/portfolio/account"] = told["GET /papi/v1/account"] | {"accountType": "PM_1"}
    told["GET /sapi/v1/account/info"] = {"isPortfolioMarginRetailEnabled": False}

    taken, _, _ = evaluated(told)

    assert taken.mode == "portfolio margin Pro, one-way"


def test_pro_s_own_endpoints_are_asked_for_once_the_others_failed():
    said = [wire.reply(request, body) for request, body in pro(example()).items()]
    first = [reply for reply in said if reply.path.startswith("/sapi/v1/account")]
    first += [reply for reply in said if reply.path == "/sapi/v1/portfolio/account"]

    tried = [call.request for call in EXCHANGE.needed(Replies(first))]
    then = [call.request for call in EXCHANGE.needed(Replies(first, tried))]

    assert tried == ["GET /papi/v1/account"]
    assert then[:3] == [
        "GET /sapi/v1/portfolio/balance",
        "GET /fapi/v3/positionRisk",
        "GET /dapi/v1/positionRisk",
    ]
