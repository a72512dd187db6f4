"""
What a frame of the account's own stream says.

Knows the user-data events; must not know margin rules. Mark moves push nothing here, and a
changed symbol brings only its own rows: what an event leaves out is as it was.

Source: Binance «User Data Streams: Event: Balance and Position Update, Margin Call, Order
Update, Algo Order Update, Account Configuration Update, User Data Stream Expired», read
November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance.account import PositionRow, signed_amount
from monitor.exchanges.payload import Row, parse_json
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.exchanges.binance.account import PositionKey

# Events of the market streams: one of these on the account's feed was put there by mistake.
_MARKET_EVENTS = frozenset(
    {
        "markPriceUpdate",
        "assetIndexUpdate",
        "contractInfo",
        "24hrTicker",
        "24hrMiniTicker",
        "bookTicker",
        "aggTrade",
        "kline",
        "continuous_kline",
        "depthUpdate",
        "forceOrder",
        "compositeIndex",
    }
)
_MODES = {"isolated": True, "cross": False}
_SIDES = {side: side for side in ("BOTH", "LONG", "SHORT")}


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancesMoved:
    """
    ACCOUNT_UPDATE: new cross wallets by asset and the rows of changed positions.

    `closed` are keys whose amount is now 0. `at` is when it happened (the event's T).
    """

    at: datetime
    reason: str
    cross_wallets: dict[str, Decimal]
    positions: tuple[PositionRow, ...]
    closed: tuple[PositionKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageSet:
    """ACCOUNT_CONFIG_UPDATE of one symbol."""

    symbol: str
    leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiAssetsSet:
    """ACCOUNT_CONFIG_UPDATE of the account: the margin rules themselves have changed."""

    multi_assets: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsMoved:
    """ALGO_UPDATE: one conditional order of `symbol` came, changed or went."""

    symbol: str
    event: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class SaysNothing:
    """An event that changes neither balances nor positions; `what` names it."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """An event's kind, when Binance sent it (None where it doesn't say), and what it says."""

    kind: str
    at: datetime | None
    says: BalancesMoved | LeverageSet | MultiAssetsSet | StopsMoved | SaysNothing


def read_event(text: str | bytes) -> AccountEvent:
    """
    What a frame of the account's stream says, combined (``{"stream", "data"}``) or bare.

    Raises:
        Malformed: If it is no JSON object, no account event, or lacks a datum that it must have.
    """
    row = Row(parse_json(text, "frame"), "frame")
    if row.has("stream") and row.has("data"):
        row = row.row("data")
    if not row.has("e"):
        return AccountEvent(kind="acknowledgement", at=None, says=_acknowledged(row))
    kind = row.text("e")
    if kind in _MARKET_EVENTS:
        raise Malformed(row.at("e"), "an event of the account's stream", kind)
    return AccountEvent(kind=kind, at=row.optional_time("E"), says=_says(kind, row))


def _acknowledged(row: Row) -> SaysNothing:
    """``{"result": null, "id": 1}``: an answer to a request of ours, no event."""
    if "id" not in row.keys():  # noqa: SIM118 - a Row is no mapping
        raise Malformed(row.at("e"), "the kind of an event", "nothing")
    return SaysNothing(what="acknowledgement")


def _says(
    kind: str, row: Row
) -> BalancesMoved | LeverageSet | MultiAssetsSet | StopsMoved | SaysNothing:
    if row.optional_text("fs") == "CM":
        return SaysNothing(what=f"{kind} of COIN-M")
    if kind == "ACCOUNT_UPDATE":
        return _balances(row)
    if kind == "ACCOUNT_CONFIG_UPDATE":
        return _config(row)
    if kind == "ALGO_UPDATE":
        return StopsMoved(symbol=row.row("o").text("s"), event=row)
    # Among them MARGIN_CALL (guidance that may come after the end), ORDER_TRADE_UPDATE (its
    # fill comes as ACCOUNT_UPDATE) and listenKeyExpired (the feed's affair).
    return SaysNothing(what=kind)


def _balances(row: Row) -> BalancesMoved:
    """
    ``{"e": "ACCOUNT_UPDATE", "T": 1667881353112, "E": 1667881353115, "a": {"m": "ORDER",
    "B": [{"a": "USDT", "wb": "1127.95750089", "cw": "1040.82091149", "bc": "0"}],
    "P": [{"s": "BTCUSDT", "pa": "-0.089", "ep": "19700.03933", "up": "1.53058860",
    "mt": "isolated", "iw": "87.13658940", "ps": "BOTH", "ma": "USDT"}]}}``

    A FUNDING_FEE on a cross position brings B alone.
    """
    at = row.time("T")
    inner = row.row("a")
    positions = inner.rows("P") if inner.has("P") else ()
    still_open = [entry for entry in positions if entry.decimal("pa") != ZERO]
    return BalancesMoved(
        at=at,
        reason=inner.text("m"),
        cross_wallets={
            balance.text("a"): balance.decimal("cw")
            for balance in (inner.rows("B") if inner.has("B") else ())
        },
        positions=tuple(_position(entry, at) for entry in still_open),
        closed=tuple(
            (entry.text("s"), entry.one_of("ps", _SIDES))
            for entry in positions
            if entry.decimal("pa") == ZERO
        ),
    )


def _position(row: Row, at: datetime) -> PositionRow:
    side = row.one_of("ps", _SIDES)
    isolated = row.one_of("mt", _MODES)
    return PositionRow(
        symbol=row.text("s"),
        side=side,
        amount=signed_amount(row, "pa", side),
        entry_price=row.positive("ep"),
        asset=row.optional_text("ma"),
        isolated_wallet=row.decimal("iw") if isolated else None,
        mark_price=None,
        adl=None,
        updated_at=at,
        told=None,
    )


def _config(row: Row) -> LeverageSet | MultiAssetsSet | SaysNothing:
    """``{"ac": {"s": "BTCUSDT", "l": 25}}`` or ``{"ai": {"j": true}}``."""
    if row.has("ac"):
        changed = row.row("ac")
        return LeverageSet(symbol=changed.text("s"), leverage=changed.positive("l"))
    if row.has("ai"):
        return MultiAssetsSet(multi_assets=row.row("ai").boolean("j"))
    return SaysNothing(what="ACCOUNT_CONFIG_UPDATE")
