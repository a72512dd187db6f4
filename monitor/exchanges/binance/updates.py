"""
What a frame of the account's own stream says.

Knows the user-data events; must not know margin rules. Mark moves push nothing here, and a
changed symbol brings only its own rows: what an event leaves out is as it was.

Source: Binance «User Data Streams: Event: Balance and Position Update, Margin Call, Order
Update, Algo Order Update, Account Configuration Update, User Data Stream Expired», the same of
COIN-M and of Portfolio Margin, read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import Malformed
from monitor.exchanges.binance.account import SIDES, PositionRow, Product, signed_amount
from monitor.exchanges.binance.contracts import product_of
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
_PRODUCTS = {"UM": Product.USDM, "CM": Product.COINM}
# USDⓈ-M's stream and portfolio margin's have paths of their own; COIN-M's has none.
_COIN_PATH = "/ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancesMoved:
    """
    ACCOUNT_UPDATE: new cross wallets by asset and the rows of changed positions.

    `closed` are keys whose amount is now 0. `at` is when it happened (the event's T).
    `product` is the wallet meant, None where the event does not tell.
    """

    at: datetime
    product: Product | None
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


def read_event(text: str | bytes, path: str | None = None) -> AccountEvent:
    """
    What a frame of the account's stream says, combined (``{"stream", "data"}``) or bare.

    Args:
        path: The path of its socket, None where that was not recorded.

    Raises:
        Malformed: If it is no JSON object, no account event, or lacks a datum that it must have.
    """
    row = event_row(text)
    if not row.has("e"):
        return AccountEvent(kind="acknowledgement", at=None, says=_acknowledged(row))
    kind = row.text("e")
    if kind in _MARKET_EVENTS:
        raise Malformed(row.at("e"), "an event of the account's stream", kind)
    return AccountEvent(kind=kind, at=row.optional_time("E"), says=_says(kind, row, path))


def event_row(text: str | bytes) -> Row:
    """The event itself, out of its combined form or bare. Raises Malformed if it is no object."""
    row = Row(parse_json(text, "frame"), "frame")
    return row.row("data") if row.has("stream") and row.has("data") else row


def _acknowledged(row: Row) -> SaysNothing:
    """``{"result": null, "id": 1}``: an answer to a request of ours, no event."""
    if "id" not in row.keys():  # noqa: SIM118 - a Row is no mapping
        raise Malformed(row.at("e"), "the kind of an event", "nothing")
    return SaysNothing(what="acknowledgement")


def _says(
    kind: str, row: Row, path: str | None
) -> BalancesMoved | LeverageSet | MultiAssetsSet | StopsMoved | SaysNothing:
    if kind == "ACCOUNT_UPDATE":
        return _balances(row, path)
    if kind == "ACCOUNT_CONFIG_UPDATE":
        return _config(row)
    if kind == "ALGO_UPDATE":
        return StopsMoved(symbol=row.row("o").text("s"), event=row)
    # Among them MARGIN_CALL (guidance that may come after the end), ORDER_TRADE_UPDATE (its
    # fill comes as ACCOUNT_UPDATE) and listenKeyExpired: what they are is told in `news.py`.
    return SaysNothing(what=kind)


def _product(row: Row, path: str | None) -> Product | None:
    """
    The wallet that an ACCOUNT_UPDATE is of: it says so, or its symbols or its socket do.

    COIN-M's carries an account alias (`i`), which USDⓈ-M's does not.
    """
    if row.has("fs"):
        return row.one_of("fs", _PRODUCTS)
    inner = row.row("a")
    named = [entry.text("s") for entry in (inner.rows("P") if inner.has("P") else ())]
    if inner.has("S"):
        named.append(inner.text("S"))
    if named:
        return product_of(named[0])
    if row.has("i") or (path is not None and path.partition("?")[0].startswith(_COIN_PATH)):
        return Product.COINM
    return None if path is None else Product.USDM


def _balances(row: Row, path: str | None) -> BalancesMoved:
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
        product=_product(row, path),
        reason=inner.text("m"),
        cross_wallets={
            balance.text("a"): balance.decimal("cw")
            for balance in (inner.rows("B") if inner.has("B") else ())
        },
        positions=tuple(_position(entry, at) for entry in still_open),
        closed=tuple(
            (entry.text("s"), entry.one_of("ps", SIDES))
            for entry in positions
            if entry.decimal("pa") == ZERO
        ),
    )


def _position(row: Row, at: datetime) -> PositionRow:
    side = row.one_of("ps", SIDES)
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
