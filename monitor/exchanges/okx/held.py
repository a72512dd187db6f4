"""
OKX's own rows of positions, of every kind.

Knows fields, their presence and their signs; must not know a margin rule. REST and the
private streams send the same rows, so both are read here.

Source: OKX API guide, «Get positions», «Positions channel», «Balance and position channel»,
copies of July 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.exchanges.okx.products import CONTRACTS, MARGIN, MODELLED, OPTION, coins_in
from monitor.exchanges.okx.rows import stated, updated
from monitor.risk.model import ZERO, MarginMode, Side

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.payload import Row

_MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_POSITION_SIDES = {"net": None, "long": Side.LONG, "short": Side.SHORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """
    One position row, contracts signed by direction; `contracts` is 0 once closed.

    `named_side` is the side in long/short mode, None in net mode. `margin` is None for a
    cross position. `maintenance`, `initial` and `pnl` are in `ccy`, without fees. `protected`
    tells of a stop-loss attached for the whole. `told_at` is when the row came, or was
    asked for, and so since when the mark in it holds; `pushed_ms` is when the positions channel
    sent it, 0 for REST's.

    Of margin trading `contracts` are the coins that the position has, in `assets_ccy`: what
    was bought, or what a short sale brought. `owed` are the coins borrowed for it and
    `interest` what came on top, both in `debt_ccy`, never negative; `owed` is None where it
    is not told (yet). `option_value` is what an option is worth, negative for one sold.
    """

    inst_type: str
    inst_id: str
    pos_id: str
    contracts: Decimal
    margin_mode: MarginMode = MarginMode.CROSS
    named_side: Side | None = None
    ccy: str = ""
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    pnl: Decimal | None = None
    leverage: Decimal | None = None
    initial: Decimal | None = None
    maintenance: Decimal | None = None
    margin_ratio: Decimal | None = None
    margin: Decimal | None = None
    liquidation_price: Decimal | None = None
    notional_usd: Decimal | None = None
    usd_price: Decimal | None = None
    index_price: Decimal | None = None
    adl_rank: int | None = None
    protected: bool = False
    assets_ccy: str = ""
    debt_ccy: str = ""
    owed: Decimal | None = None
    interest: Decimal = ZERO
    option_value: Decimal = ZERO
    updated_ms: int = 0
    pushed_ms: int = 0
    told_at: datetime | None = None
    path: str = ""

    @property
    def is_open(self) -> bool:
        return self.contracts != ZERO

    @property
    def is_cross(self) -> bool:
        return self.margin_mode is MarginMode.CROSS

    @property
    def is_modelled(self) -> bool:
        """
        Whether its margin can be figured; that of others is OKX's word.

        A margin trade that owes nothing (any more) needs none, and can't be liquidated.
        """
        return self.inst_type in MODELLED and self.owed != ZERO

    def is_older_than(self, known: Held) -> bool:
        """
        Whether it says less than what is known: it changed earlier, or was sent earlier.

        Of rows that tell of no sending (REST's, those of a trade) the last one that came holds.
        """
        if self.updated_ms != known.updated_ms:
            return self.updated_ms < known.updated_ms
        return 0 < self.pushed_ms < known.pushed_ms

    @property
    def is_put(self) -> bool:
        """Whether it is an option to sell: BTC-USD-261225-100000-P."""
        return self.inst_type == OPTION and self.inst_id.endswith("-P")

    @property
    def side(self) -> Side:
        return Side.LONG if self.contracts > ZERO else Side.SHORT


def held(row: Row) -> Held:
    """
    One position row of REST or of the positions channel.

    ``{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "mgnMode": "cross", "posSide": "net",
    "posId": "1", "ccy": "USDT", "pos": "20", "avgPx": "100000", "markPx": "96000",
    "upl": "-800", "lever": "50", "imr": "384", "margin": "", "mmr": "76.8", …}``

    Of contracts `pos` is signed in net mode and positive in long/short mode. Of margin
    trading it is positive, and `posCcy` tells the side: ``{"instType": "MARGIN", "instId":
    "BTC-USDT", "pos": "0.0019", "posCcy": "BTC", "liab": "-99.99", "liabCcy": "USDT", …}``.
    """
    contracts, inst_type = row.decimal("pos"), row.text("instType")
    if contracts == ZERO:
        return Held(
            inst_type=inst_type,
            inst_id=row.text("instId"),
            pos_id=row.text("posId"),
            contracts=contracts,
            updated_ms=updated(row),
            pushed_ms=_pushed(row),
            path=row.path,
        )
    side = _named_side(row, inst_type)
    mode = row.one_of("mgnMode", _MARGIN_MODES)
    known = inst_type in MODELLED
    return Held(
        inst_type=inst_type,
        inst_id=row.text("instId"),
        pos_id=row.text("posId"),
        contracts=_signed(row, contracts, side),
        margin_mode=mode,
        named_side=side,
        ccy=row.text("ccy") if known else (row.optional_text("ccy") or ""),
        entry_price=row.positive("avgPx") if known else _above_zero(row, "avgPx"),
        mark_price=row.positive("markPx") if row.has("markPx") else None,
        pnl=_figure(row, "upl", known=known),
        leverage=_above_zero(row, "lever"),
        initial=row.optional_decimal("imr"),
        maintenance=_figure(row, "mmr", known=known),
        margin_ratio=_figure(row, "mgnRatio", known=known),
        margin=_margin(row, mode, known=known),
        liquidation_price=_above_zero(row, "liqPx"),
        notional_usd=row.optional_decimal("notionalUsd"),
        usd_price=_above_zero(row, "usdPx"),
        index_price=_above_zero(row, "idxPx"),
        adl_rank=row.integer("adl") if row.has("adl") else None,
        protected=_protected(row),
        assets_ccy=row.text("posCcy") if inst_type == MARGIN else "",
        debt_ccy=row.optional_text("liabCcy") or "",
        owed=abs(stated(row, "liab") or ZERO) if inst_type == MARGIN else None,
        interest=abs(row.optional_decimal("interest") or ZERO) if inst_type == MARGIN else ZERO,
        option_value=row.optional_decimal("optVal") or ZERO,
        updated_ms=updated(row),
        pushed_ms=_pushed(row),
        path=row.path,
    )


def traded(row: Row) -> Held:
    """
    One position of the balance_and_position channel: what changed, without a figure of risk.

    ``{"posId": "1", "instId": "BTC-USDT-SWAP", "instType": "SWAP", "mgnMode": "cross",
    "posSide": "net", "pos": "12", "ccy": "USDT", "avgPx": "99000", "uTime": "1790000000500"}``
    """
    contracts, inst_type = row.decimal("pos"), row.text("instType")
    is_open = contracts != ZERO
    known = inst_type in MODELLED and is_open
    side = _named_side(row, inst_type) if is_open else None
    return Held(
        inst_type=inst_type,
        inst_id=row.text("instId"),
        pos_id=row.text("posId"),
        contracts=_signed(row, contracts, side) if is_open else contracts,
        margin_mode=row.one_of("mgnMode", _MARGIN_MODES) if is_open else MarginMode.CROSS,
        named_side=side,
        ccy=row.text("ccy") if known else (row.optional_text("ccy") or ""),
        entry_price=row.positive("avgPx") if known else None,
        assets_ccy=row.text("posCcy") if known and inst_type == MARGIN else "",
        updated_ms=updated(row),
        path=row.path,
    )


def _pushed(row: Row) -> int:
    return row.integer("pTime") if row.has("pTime") else 0


def _named_side(row: Row, inst_type: str) -> Side | None:
    if inst_type in CONTRACTS:
        return row.one_of("posSide", _POSITION_SIDES)
    return _POSITION_SIDES.get(row.optional_text("posSide") or "net")


def _signed(row: Row, contracts: Decimal, side: Side | None) -> Decimal:
    if row.text("instType") == MARGIN:
        base, quote = coins_in(row.text("instId"))
        return row.one_of("posCcy", {base: Side.LONG, quote: Side.SHORT}).sign * abs(contracts)
    return contracts if side is None else side.sign * abs(contracts)


def _figure(row: Row, key: str, *, known: bool) -> Decimal | None:
    """A figure of risk, None where it is empty; kinds that are not figured may leave it out."""
    return stated(row, key) if known else row.optional_decimal(key)


def _margin(row: Row, mode: MarginMode, *, known: bool) -> Decimal | None:
    """An isolated position's margin; of kinds that are not figured it may be left empty."""
    if mode is MarginMode.CROSS:
        return None
    return row.decimal("margin") if known else row.optional_decimal("margin")


def _above_zero(row: Row, key: str) -> Decimal | None:
    """A number above 0; None where it is absent or empty, or where 0 or less says «none»."""
    number = row.optional_decimal(key)
    return number if number is not None and number > ZERO else None


def _protected(row: Row) -> bool:
    if not row.has("closeOrderAlgo"):
        return False
    return any(algo.has("slTriggerPx") for algo in row.rows("closeOrderAlgo"))
