"""
An assessment for tests: one long of 320 SOL at 10×, the figures worked out by hand.

Entry 151.2, mark 132.4: notional 320 × 132.4 = 42368, PnL 320 × (132.4 − 151.2) = −6016.
Maintenance 0.5 % of notional + 23.95 of fees taken as fixed = 211.84 + 23.95 = 235.79.
Balance 6274.30 − 6016 = 258.30.
"""

from __future__ import annotations

from decimal import Decimal

from monitor.engine.effects import AccountAssessment, FeedHealth, PoolAssessment, State
from monitor.risk.model import (
    CloseFee,
    Collateral,
    Instrument,
    LeverageTier,
    MarginMode,
    MarginPool,
    Mark,
    Payoff,
    PoolId,
    Position,
    Reported,
    Side,
    TierMeasure,
    TierTable,
)
from monitor.risk.result import (
    Advice,
    CollateralValue,
    LiquidationPrices,
    Outlook,
    PoolRisk,
    PositionRisk,
    Reconciliation,
    Reduction,
    Requirement,
    Target,
    TopUp,
    Verdict,
)
from tests.alerting import NOON

D = Decimal
SOL = Instrument(
    symbol="SOL/USDT:USDT",
    exchange_symbol="SOLUSDT",
    base="SOL",
    quote="USDT",
    settle="USDT",
    payoff=Payoff.LINEAR,
    contract_size=D(1),
    lot=D("0.1"),
)
_TIERS = TierTable(
    tiers=(LeverageTier(floor=D(0), cap=None, maintenance_rate=D("0.005"), deduction=D(0)),),
    measured_in=TierMeasure.NOTIONAL,
)
LONG = Position(
    instrument=SOL,
    side=Side.LONG,
    contracts=D(320),
    entry_price=D("151.2"),
    tiers=_TIERS,
    leverage=D(10),
    close_fee=CloseFee(fixed=D("23.95")),
    adl_rank=3,
    has_stop_loss=False,
    reported_liquidation_price=D("132.33"),
)
POOL = MarginPool(
    id=PoolId(account="main", name="unified"),
    unit="USD",
    margin_mode=MarginMode.CROSS,
    collateral=(Collateral(asset="USDT", balance=D("6274.30")),),
    positions=(LONG,),
    top_up_asset="USDT",
    wallet="Unified Trading",
)
NEEDED = Requirement(
    unit="USD",
    margin_balance=D("258.30"),
    initial_margin=D("4260.75"),
    maintenance_margin=D("235.79"),
)
RISK = PoolRisk(
    pool=POOL,
    marks={SOL.symbol: Mark(price=D("132.4"), at=NOON)},
    at=NOON,
    requirement=NEEDED,
    positions=(
        PositionRisk(
            position=LONG,
            mark=Mark(price=D("132.4"), at=NOON),
            notional=D("42368.0"),
            unrealized_pnl=D("-6016.0"),
            initial_margin=D("4260.75"),
            maintenance_margin=D("235.79"),
        ),
    ),
    collateral=(
        CollateralValue(
            asset="USDT",
            balance=D("6274.30"),
            unrealized_pnl=D("-6016.0"),
            haircut=D(0),
            value=D("258.30"),
        ),
    ),
    gross_notional=D("42368.0"),
    oldest_mark_at=NOON,
)
THEIRS = Reported(
    at=NOON,
    margin_balance=D("258.31"),
    maintenance_margin=D("235.79"),
    initial_margin=D("4260.75"),
    ratio=D("0.9128"),
)
OUTLOOK = Outlook(
    liquidation={
        SOL.symbol: LiquidationPrices(
            symbol=SOL.symbol, nearest=D("132.33"), other=None, distance=D("-0.00053")
        )
    },
    uniform_move=D("-0.00053"),
    adverse_move=D("-0.00053"),
)
ADVICE = Advice(
    target=Target(ratio=D("0.50"), distance=D("0.05")),
    top_up=TopUp(
        asset="USDT",
        amount=D("2085.30"),
        wallet="Unified Trading",
        margin_ratio=D("0.1006"),
        adverse_move=D("-0.05"),
    ),
    reductions=(
        Reduction(
            position=LONG,
            contracts=D("287.6"),
            margin_ratio=D("0.0926"),
            adverse_move=D("-0.05"),
        ),
    ),
)


def a_pool(**changes: object) -> PoolAssessment:
    values: dict[str, object] = {
        "risk": RISK,
        "requirement": NEEDED,
        "state": State.FRESH,
        "age_seconds": 0.4,
        "rung": "critical",
        "reported": THEIRS,
        "reported_age_seconds": 2.1,
        "reconciliation": Reconciliation(
            ours=NEEDED, theirs=THEIRS, gap=D("0.0000002"), verdict=Verdict.AGREES
        ),
        "outlook": OUTLOOK,
        "advice": ADVICE,
    }
    return PoolAssessment(**(values | changes))  # type: ignore[arg-type] - given by the tests


def an_account(**changes: object) -> AccountAssessment:
    values: dict[str, object] = {
        "account": "main",
        "exchange": "bybit",
        "mode": "unified, cross",
        "state": State.FRESH,
        "because": "",
        "feeds": (FeedHealth(name="marks", state=State.FRESH, age_seconds=0.4),),
        "pools": (a_pool(),),
        "at": NOON,
    }
    return AccountAssessment(**(values | changes))  # type: ignore[arg-type] - given by the tests
