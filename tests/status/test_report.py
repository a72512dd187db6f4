"""The JSON of `status`, `evaluate` and HTTP: interface section 4, key by key."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.alerts.facts import NextFunding
from monitor.engine.effects import FeedHealth, State
from monitor.risk.cash import FreeBalance
from monitor.risk.result import INFINITE, Closing, Proportional, Requirement
from monitor.status.report import plain, report, to_json
from tests.alerting import at
from tests.assessing import ADVICE, LONG, NEEDED, OUTLOOK, RISK, SOL, a_pool, an_account


def figures(**changes: object) -> dict[str, object]:
    (account,) = json.loads(to_json(report([an_account(pools=(a_pool(**changes),))], at(1))))[
        "accounts"
    ]
    return dict(account["pools"][0])


def test_a_report_has_the_documented_shape_and_figures() -> None:
    found = json.loads(to_json(report([an_account()], at(1.5))))
    (account,) = found["accounts"]
    (pool,) = account["pools"]
    (position,) = pool["positions"]

    assert found["at"] == "2026-11-22T12:00:01.500Z"
    assert {k: account[k] for k in ("name", "exchange", "mode", "state")} == {
        "name": "main",
        "exchange": "bybit",
        "mode": "unified, cross",
        "state": "fresh",
    }
    assert account["feeds"][0] | {"because": None} == {
        "name": "marks",
        "state": "fresh",
        "age_seconds": "0.4",
        "because": None,
    }
    assert {k: v for k, v in pool.items() if isinstance(v, str) or v is None} == {
        "id": "main/unified",
        "unit": "USD",
        "basis": "modelled",
        "margin_balance": "258.3",
        "initial_margin": "4260.75",
        "maintenance_margin": "235.79",
        "margin_ratio": "0.912853271389856755710414247",  # 235.79 ÷ 258.30
        "state": "fresh",
        "age_seconds": "0.4",
        "rung": "critical",
        "uniform_move": "-0.00053",
        "adverse_move": "-0.00053",
        "reconciliation": "agrees",
        "reconciliation_gap": "0.0000002",
        "prediction_error": None,
        "largest_prediction_error": None,
        "next_funding": None,
    }
    assert pool["modelled"]["margin_balance"] == "258.3"
    assert pool["reported"] == {
        "margin_ratio": "0.9128",
        "margin_balance": "258.31",
        "maintenance_margin": "235.79",
        "age_seconds": "2.1",
    }
    assert position | {"above_last_tier": False} == {
        "symbol": "SOL/USDT:USDT",
        "exchange_symbol": "SOLUSDT",
        "side": "long",
        "margin_mode": "cross",
        "contracts": "320",
        "entry_price": "151.2",
        "mark_price": "132.4",
        "notional": "42368",
        "unrealized_pnl": "-6016",
        "maintenance_margin": "235.79",
        "leverage": "10",
        "liquidation_price": "132.33",
        "other_liquidation_price": None,
        "distance": "-0.00053",
        "reported_liquidation_price": "132.33",
        "adl_rank": 3,
        "has_stop_loss": False,
        "above_last_tier": False,
    }
    assert pool["collateral"] == [
        {"asset": "USDT", "balance": "6274.3", "haircut": "0", "value": "258.3"}
    ]
    assert pool["advice"] == {
        "target_ratio": "0.5",
        "target_distance": "0.05",
        "top_up": {"asset": "USDT", "amount": "2085.3", "wallet": "Unified Trading"},
        "reductions": [
            {
                "symbol": "SOL/USDT:USDT",
                "exchange_symbol": "SOLUSDT",
                "side": "long",
                "contracts": "287.6",
                "after": {"margin_ratio": "0.0926", "adverse_move": "-0.05"},
            }
        ],
        "all_in_proportion": None,
        "after_top_up": {"margin_ratio": "0.1006", "adverse_move": "-0.05"},
    }


def test_the_worse_pair_stands_on_top_while_both_are_shown() -> None:
    theirs = replace(NEEDED, margin_balance=Decimal(240))
    pool = figures(requirement=theirs)

    assert pool["margin_balance"] == "240"
    assert pool["modelled"]["margin_balance"] == "258.3"  # type: ignore[index] - an object


def test_a_ratio_without_any_balance_left_is_infinity() -> None:
    gone = replace(NEEDED, margin_balance=Decimal(-1))

    assert gone.ratio == INFINITE
    assert figures(requirement=gone)["margin_ratio"] == "Infinity"


def test_what_is_unknown_is_null() -> None:
    bare = figures(
        reported=None, reported_age_seconds=None, reconciliation=None, outlook=None,
        advice=None, rung=None,
    )  # fmt: skip

    assert {k: bare[k] for k in ("reported", "uniform_move", "adverse_move", "advice")} == {
        "reported": None,
        "uniform_move": None,
        "adverse_move": None,
        "advice": None,
    }
    assert bare["reconciliation"] == "unknown"
    assert bare["rung"] == "none"
    position = bare["positions"][0]  # type: ignore[index] - a list
    assert position["liquidation_price"] is None


def test_where_no_price_ends_it_there_is_none() -> None:
    nowhere = replace(OUTLOOK.liquidation[SOL.symbol], nearest=None, distance=None)
    outlook = replace(OUTLOOK, liquidation={SOL.symbol: nowhere})
    advice = replace(ADVICE, top_up=None, reductions=())
    pool = figures(outlook=outlook, advice=advice)

    assert pool["positions"][0]["distance"] is None  # type: ignore[index] - a list
    assert pool["advice"]["top_up"] is None  # type: ignore[index] - an object
    assert pool["advice"]["reductions"] == []  # type: ignore[index] - an object


def test_closing_all_in_proportion_names_every_part() -> None:
    together = Proportional(
        share=Decimal("0.25"),
        closings=(Closing(position=LONG, contracts=Decimal(80)),),
        margin_ratio=Decimal("0.5"),
        adverse_move=None,
    )
    advice = figures(advice=replace(ADVICE, all_in_proportion=together))["advice"]

    assert advice["all_in_proportion"] == {  # type: ignore[index] - an object
        "share": "0.25",
        "closings": [
            {
                "symbol": "SOL/USDT:USDT",
                "exchange_symbol": "SOLUSDT",
                "side": "long",
                "contracts": "80",
            }
        ],
        "after": {"margin_ratio": "0.5", "adverse_move": None},
    }


def test_a_blind_account_says_why_and_shows_no_pool_that_it_never_knew() -> None:
    feeds = (FeedHealth(name="marks", state=State.BLIND, age_seconds=None, because="silent"),)
    blind = an_account(state=State.BLIND, because="key refused", mode=None, pools=(), feeds=feeds)
    (account,) = json.loads(to_json(report([blind], at(0))))["accounts"]

    assert (account["state"], account["because"], account["pools"]) == ("blind", "key refused", [])
    assert account["feeds"][0]["age_seconds"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal("0.50"), "0.5"),
        (Decimal("-0.0"), "0"),
        (Decimal(100), "100"),
        (Decimal(1) / Decimal(3), "0.3333333333333333333333333333"),
        (INFINITE, "Infinity"),
        (None, None),
    ],
)
def test_numbers_are_plain_and_keep_their_digits(value: Decimal | None, text: str | None) -> None:
    assert plain(value) == text


def test_a_sum_shows_what_it_is_made_of() -> None:
    half = Requirement(
        unit="USD",
        margin_balance=Decimal("0.1"),
        initial_margin=Decimal(0),
        maintenance_margin=Decimal("0.2"),
    )

    assert figures(requirement=half + half)["margin_balance"] == "0.2"


def test_how_true_the_predictions_came_is_shown() -> None:
    pool = figures(prediction_error=Decimal("-0.00012"), largest_prediction_error=Decimal("0.002"))

    assert (pool["prediction_error"], pool["largest_prediction_error"]) == ("-0.00012", "0.002")


def test_what_is_taken_over_and_what_funding_takes_is_shown() -> None:
    risk = replace(RISK, pool=replace(RISK.pool, carried=("margin of 3 open orders",)))
    funding = NextFunding(
        at=at(3600),
        amounts=(("USDT", Decimal("-4.24")),),
        margin_ratio=Decimal("0.93"),
        adverse_move=None,
    )
    pool = figures(risk=risk, funding=funding)

    assert pool["carried"] == ["margin of 3 open orders"]
    assert pool["next_funding"] == {
        "at": "2026-11-22T13:00:00.000Z",
        "amounts": [{"asset": "USDT", "amount": "-4.24"}],
        "margin_ratio": "0.93",
        "adverse_move": None,
    }


def test_what_lies_free_elsewhere_is_shown() -> None:
    free = (FreeBalance(asset="USDT", amount=Decimal(1200), wallet="Funding Account"),)
    (account,) = json.loads(to_json(report([an_account(free=free)], at(0))))["accounts"]

    assert account["free"] == [{"asset": "USDT", "amount": "1200", "wallet": "Funding Account"}]
