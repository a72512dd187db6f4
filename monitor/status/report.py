"""
What is known, as plain data: the one shape of `status`, `evaluate` and HTTP.

Decimals become strings in plain notation with every digit that was computed (quotients are
cut to 28 significant digits by the arithmetic itself); unknown is null; a ratio without any
balance left is "Infinity".
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.risk.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.alerts.facts import NextFunding
    from monitor.engine.effects import AccountAssessment, FeedHealth, PoolAssessment
    from monitor.risk.cash import FreeBalance
    from monitor.risk.model import Reported
    from monitor.risk.result import (
        Advice,
        Closing,
        CollateralValue,
        PositionRisk,
        Proportional,
        Reduction,
        Requirement,
        TopUp,
    )

Data = dict[str, object]

SECONDS_STEP = Decimal("0.001")


def report(assessments: Iterable[AccountAssessment], at: datetime) -> Data:
    """Everything that is known of these accounts; `at` is when it was asked."""
    return {"at": _time(at), "accounts": [_account(assessment) for assessment in assessments]}


def to_json(data: object) -> str:
    """One line of JSON."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def plain(value: Decimal | None) -> str | None:
    """A number without an exponent; None stays None, an infinite one is "Infinity"."""
    if value is None:
        return None
    if value.is_infinite():
        return "Infinity"
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else plain(Decimal(str(seconds)).quantize(SECONDS_STEP))


def _account(assessment: AccountAssessment) -> Data:
    return {
        "name": assessment.account,
        "exchange": assessment.exchange,
        "mode": assessment.mode,
        "state": assessment.state.value,
        "because": assessment.because or None,
        "at": _time(assessment.at),
        "feeds": [_feed(feed) for feed in assessment.feeds],
        "pools": [_pool(pool) for pool in assessment.pools],
        "free": [_free(balance) for balance in assessment.free],
    }


def _feed(feed: FeedHealth) -> Data:
    return {
        "name": feed.name,
        "state": feed.state.value,
        "age_seconds": _seconds(feed.age_seconds),
        "because": feed.because or None,
    }


def _pool(pool: PoolAssessment) -> Data:
    risk, outlook = pool.risk, pool.outlook
    verdict = Verdict.UNKNOWN if pool.reconciliation is None else pool.reconciliation.verdict
    return {
        "id": str(risk.pool.id),
        "unit": risk.pool.unit,
        "basis": risk.pool.basis.value,
        "carried": list(risk.pool.carried),
        "margin_balance": plain(pool.requirement.margin_balance),
        "initial_margin": plain(pool.requirement.initial_margin),
        "maintenance_margin": plain(pool.requirement.maintenance_margin),
        "margin_ratio": plain(pool.requirement.ratio),
        "state": pool.state.value,
        "age_seconds": _seconds(pool.age_seconds),
        "rung": pool.rung or "none",
        "uniform_move": plain(outlook.uniform_move) if outlook else None,
        "adverse_move": plain(outlook.adverse_move) if outlook else None,
        "modelled": _figures(risk.requirement),
        "reported": _reported(pool.reported, pool.reported_age_seconds),
        "reconciliation": verdict.value,
        "reconciliation_gap": plain(pool.reconciliation.gap) if pool.reconciliation else None,
        "prediction_error": plain(pool.prediction_error),
        "largest_prediction_error": plain(pool.largest_prediction_error),
        "next_funding": _funding(pool.funding),
        "positions": [_position(position, pool) for position in risk.positions],
        "collateral": [_collateral(value) for value in risk.collateral],
        "advice": _advice(pool.advice),
    }


def _free(balance: FreeBalance) -> Data:
    return {"asset": balance.asset, "amount": plain(balance.amount), "wallet": balance.wallet}


def _funding(funding: NextFunding | None) -> Data | None:
    if funding is None:
        return None
    return {
        "at": _time(funding.at),
        "amounts": [{"asset": asset, "amount": plain(a)} for asset, a in funding.amounts],
        "margin_ratio": plain(funding.margin_ratio),
        "adverse_move": plain(funding.adverse_move),
    }


def _figures(requirement: Requirement) -> Data:
    return {
        "margin_ratio": plain(requirement.ratio),
        "margin_balance": plain(requirement.margin_balance),
        "maintenance_margin": plain(requirement.maintenance_margin),
    }


def _reported(reported: Reported | None, age_seconds: float | None) -> Data | None:
    if reported is None:
        return None
    return {
        "margin_ratio": plain(reported.ratio),
        "margin_balance": plain(reported.margin_balance),
        "maintenance_margin": plain(reported.maintenance_margin),
        "age_seconds": _seconds(age_seconds),
    }


def _maintenance(risk: PositionRisk) -> Decimal | None:
    """Ours, or the exchange's own where a position's margin is not modelled by itself."""
    ours = risk.maintenance_margin
    return risk.position.reported_maintenance_margin if ours is None else ours


def _position(risk: PositionRisk, pool: PoolAssessment) -> Data:
    position, instrument = risk.position, risk.position.instrument
    prices = pool.outlook.liquidation.get(instrument.symbol) if pool.outlook else None
    return {
        "symbol": instrument.symbol,
        "exchange_symbol": instrument.exchange_symbol,
        "side": position.side.value,
        "margin_mode": position.margin_mode.value,
        "contracts": plain(position.contracts),
        "entry_price": plain(position.entry_price),
        "mark_price": plain(risk.mark.price),
        "notional": plain(risk.notional),
        "unrealized_pnl": plain(risk.unrealized_pnl),
        "maintenance_margin": plain(_maintenance(risk)),
        "leverage": plain(position.leverage),
        "liquidation_price": plain(prices.nearest) if prices else None,
        "other_liquidation_price": plain(prices.other) if prices else None,
        "distance": plain(prices.distance) if prices else None,
        "reported_liquidation_price": plain(position.reported_liquidation_price),
        "adl_rank": position.adl_rank,
        "has_stop_loss": position.has_stop_loss,
        "above_last_tier": risk.above_last_tier,
    }


def _collateral(value: CollateralValue) -> Data:
    return {
        "asset": value.asset,
        "balance": plain(value.balance),
        "haircut": plain(value.haircut),
        "value": plain(value.value),
    }


def _advice(advice: Advice | None) -> Data | None:
    if advice is None:
        return None
    top_up, together = advice.top_up, advice.all_in_proportion
    return {
        "target_ratio": plain(advice.target.ratio),
        "target_distance": plain(advice.target.distance),
        "top_up": None
        if top_up is None
        else {"asset": top_up.asset, "amount": plain(top_up.amount), "wallet": top_up.wallet},
        "reductions": [
            _closing(reduction) | {"after": _after(reduction)} for reduction in advice.reductions
        ],
        "all_in_proportion": None
        if together is None
        else {
            "share": plain(together.share),
            "closings": [_closing(closing) for closing in together.closings],
            "after": _after(together),
        },
        "after_top_up": None if top_up is None else _after(top_up),
    }


def _closing(part: Closing | Reduction) -> Data:
    instrument = part.position.instrument
    return {
        "symbol": instrument.symbol,
        "exchange_symbol": instrument.exchange_symbol,
        "side": part.position.side.value,
        "contracts": plain(part.contracts),
    }


def _after(item: TopUp | Reduction | Proportional) -> Data:
    return {
        "margin_ratio": plain(item.margin_ratio),
        "adverse_move": plain(item.adverse_move),
    }
