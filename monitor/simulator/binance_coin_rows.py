"""
Replies of Binance's signed COIN-M calls, as rows of the wire.

Shapes: API documentation of COIN-M futures (Account Information, Position Information, Futures
Account Balance, Notional Bracket for Symbol), held against recorded answers in the tests.
"""

from collections.abc import Iterable
from decimal import Decimal

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_coin_tables import NO_CAP
from monitor.simulator.binance_ledger import ZERO, Leg
from monitor.simulator.binance_orders import algo_order, plain_order
from monitor.simulator.binance_quotes import Row, wire
from monitor.simulator.binance_tables import Symbol
from monitor.simulator.truth import plain

_COINS = ("BTC", "ETH", "SOL", "XRP", "BNB")  # every account has a row for these
_TAKER_RATE = Decimal("0.0005")
_NONE = "0"
_ORDER_ID = 597_368_542
_ALGO_ID = 3_148_627
_ASSET_FIELDS = (
    "walletBalance",
    "unrealizedProfit",
    "marginBalance",
    "maintMargin",
    "initialMargin",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "maxWithdrawAmount",
    "crossWalletBalance",
    "crossUnPnl",
    "availableBalance",
)


class CoinRows:
    """Builds the replies for one account's COIN-M book."""

    def __init__(self, state: BinanceState, account: BinanceAccount) -> None:
        self._state = state
        self._account = account
        self._ledger = account.coin
        self._quotes = state.quotes

    # --- account

    def account(self) -> Row:
        """GET /dapi/v1/account; positions of every symbol, empty ones included."""
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "updateTime": 0,
            "assets": [self.asset(name) for name in self._assets()],
            "positions": [self._account_position(leg) for leg in self._every_leg()],
        }

    def asset(self, name: str) -> Row:
        figures = self._asset_figures(name)
        return {
            "asset": name,
            **{field: wire(figures[field]) for field in _ASSET_FIELDS},
            "updateTime": self._ledger.touched_at.get(name, 0),
        }

    def _asset_figures(self, name: str) -> dict[str, Decimal]:
        book, marks = self._ledger, self._quotes.mark
        own = [leg for leg in book.legs if leg.margin_asset == name]
        cross = book.cross_wallets.get(name, ZERO)
        wallet = cross + book.isolated_wallets(name)
        profit = sum((leg.unrealized_profit(marks(leg.symbol.name)) for leg in own), ZERO)
        cross_profit = book.cross_un_pnl(name, marks)
        position_margin = sum((self._initial_margin(leg) for leg in own), ZERO)
        order_margin = book.order_initial_margin(name)
        used = book.cross_initial_margin(name, marks) + order_margin
        free = max(cross + cross_profit - used, ZERO)
        return {
            "walletBalance": wallet,
            "unrealizedProfit": profit,
            "marginBalance": wallet + profit,
            "maintMargin": sum((leg.maint_margin(marks(leg.symbol.name)) for leg in own), ZERO),
            "initialMargin": position_margin + order_margin,
            "positionInitialMargin": position_margin,
            "openOrderInitialMargin": order_margin,
            "maxWithdrawAmount": min(free, max(cross, ZERO)),
            "crossWalletBalance": cross,
            "crossUnPnl": cross_profit,
            "availableBalance": free,
        }

    def balances(self) -> list[Row]:
        """GET /dapi/v1/balance."""
        return [
            {
                "accountAlias": f"sim{self._ledger.spec.name}"[:12],
                "asset": row["asset"],
                "balance": row["walletBalance"],
                "withdrawAvailable": row["maxWithdrawAmount"],
                "crossWalletBalance": row["crossWalletBalance"],
                "crossUnPnl": row["crossUnPnl"],
                "availableBalance": row["availableBalance"],
                "updateTime": row["updateTime"],
            }
            for row in map(self.asset, self._assets())
        ]

    def _assets(self) -> tuple[str, ...]:
        return tuple({**dict.fromkeys(_COINS), **dict.fromkeys(self._ledger.assets())})

    # --- positions

    def _every_leg(self, pair: str | None = None, asset: str | None = None) -> Iterable[Leg]:
        """Give the legs of every symbol; where there is none, an empty row of each side."""
        for symbol in self._quotes.coin_symbols:
            if pair in {None, symbol.pair} and asset in {None, symbol.margin_asset}:
                held = {
                    leg.side: leg for leg in self._ledger.legs if leg.symbol.name == symbol.name
                }
                sides = ("BOTH", "LONG", "SHORT") if self._ledger.hedge else ("BOTH",)
                for side in sides:
                    yield held.get(side) or self._empty(symbol, side)

    def _empty(self, symbol: Symbol, side: str) -> Leg:
        return Leg(
            symbol=symbol,
            side=side,
            amount=ZERO,
            entry_price=ZERO,
            leverage=self._ledger.leverage(symbol.name),
        )

    def _account_position(self, leg: Leg) -> Row:
        mark = self._quotes.mark(leg.symbol.name)
        order_margin = self._order_margin(leg)
        position_margin = self._initial_margin(leg)
        return {
            "symbol": leg.symbol.name,
            "positionAmt": plain(leg.amount),
            "initialMargin": _or_zero(position_margin + order_margin),
            "maintMargin": _or_zero(leg.maint_margin(mark)),
            "unrealizedProfit": wire(leg.unrealized_profit(mark)),
            "positionInitialMargin": _or_zero(position_margin),
            "openOrderInitialMargin": _or_zero(order_margin),
            "leverage": plain(leg.leverage),
            "isolated": leg.is_isolated,
            "positionSide": leg.side,
            "entryPrice": entry_price(leg),
            "breakEvenPrice": break_even(leg),
            "maxQty": max_quantity(leg.symbol, leg.leverage),
            "notionalValue": _or_zero(leg.notional(mark)),
            "isolatedWallet": _or_zero(leg.isolated_wallet or ZERO),
            "updateTime": leg.updated_at,
        }

    def position_risk(self, pair: str | None, asset: str | None) -> list[Row]:
        """GET /dapi/v1/positionRisk: all symbols, or those of a pair or a margin asset."""
        return [self._risk(leg) for leg in self._every_leg(pair, asset)]

    def _risk(self, leg: Leg) -> Row:
        mark = self._quotes.mark(leg.symbol.name)
        profit = leg.unrealized_profit(mark)
        isolated = leg.isolated_wallet
        return {
            "symbol": leg.symbol.name,
            "positionAmt": plain(leg.amount),
            "entryPrice": entry_price(leg),
            "breakEvenPrice": break_even(leg),
            "markPrice": wire(mark if leg.amount else ZERO),
            "unRealizedProfit": wire(profit),
            "liquidationPrice": self.liquidation_price(leg),
            "leverage": plain(leg.leverage),
            "maxQty": max_quantity(leg.symbol, leg.leverage),
            "marginType": "isolated" if leg.is_isolated else "cross",
            "isolatedMargin": wire(ZERO if isolated is None else isolated + profit),
            "isAutoAddMargin": "false",
            "positionSide": leg.side,
            "notionalValue": _or_zero(leg.notional(mark)),
            "isolatedWallet": _or_zero(isolated or ZERO),
            "updateTime": leg.updated_at,
        }

    def liquidation_price(self, leg: Leg) -> str:
        if not leg.amount:
            return _NONE
        prices = self._state.prices(self._account)
        price = self._account.pool_of(leg).told_price(leg, prices)
        return _NONE if price is None else wire(price)

    def _initial_margin(self, leg: Leg) -> Decimal:
        return abs(leg.notional(self._quotes.mark(leg.symbol.name))) / leg.leverage

    def _order_margin(self, leg: Leg) -> Decimal:
        own = (order for order in self._ledger.orders if order.symbol == leg.symbol.name)
        sides = {"BOTH", (leg.side or "BOTH")}
        return sum(
            (
                self._ledger.order_margin(order)
                for order in own
                if (order.position_side or "both").upper() in sides
            ),
            ZERO,
        )

    def adl_quantiles(self, symbol: str | None = None) -> list[Row]:
        """GET /dapi/v1/adlQuantile."""
        found: dict[str, dict[str, int]] = {}
        for leg in self._ledger.legs:
            if symbol in {None, leg.symbol.name}:
                ranks = found.setdefault(leg.symbol.name, {"LONG": 0, "SHORT": 0})
                crossed_hedge = self._ledger.hedge and not leg.is_isolated
                ranks.setdefault("HEDGE" if crossed_hedge else "BOTH", 0)
                ranks[leg.side] = self._rank(leg)
        return [{"symbol": name, "adlQuantile": ranks} for name, ranks in found.items()]

    def _rank(self, leg: Leg) -> int:
        mark = self._quotes.mark(leg.symbol.name)
        share = leg.unrealized_profit(mark) / abs(leg.notional(mark)) * leg.leverage
        return max(0, min(4, int(share * 4) + 1)) if share > 0 else 0

    # --- orders

    def open_orders(self, symbol: str | None) -> list[Row]:
        at = self._account.opened_at
        return [
            plain_order(order, _ORDER_ID + number, at, pair=self._quotes.table[order.symbol].pair)
            for number, order in enumerate(self._ledger.orders)
            if order.kind == "limit" and symbol in {None, order.symbol}
        ]

    def open_algo_orders(self, symbol: str | None) -> list[Row]:
        at = self._account.opened_at
        return [
            algo_order(order, _ALGO_ID + number, at)
            for number, order in enumerate(self._ledger.orders)
            if order.kind == "stop" and symbol in {None, order.symbol}
        ]


def entry_price(leg: Leg) -> str:
    return wire(leg.entry_price if leg.amount else ZERO)


def break_even(leg: Leg) -> str:
    """The entry price with the taker fee of opening on top, or off for a short."""
    if not leg.amount:
        return "0.00000000"
    return wire(leg.entry_price * (1 + (_TAKER_RATE if leg.amount > 0 else -_TAKER_RATE)))


def max_quantity(symbol: Symbol, leverage: Decimal) -> str:
    """The largest position in coins at this leverage."""
    held = [b.cap for b in symbol.brackets if b.leverage >= leverage and b.cap != NO_CAP]
    return plain(max(held, default=symbol.brackets[0].cap))


def coin_bracket_row(symbol: Symbol, floor_key: str) -> Row:
    """One element of /dapi/v2/leverageBracket; portfolio margin spells the floor otherwise."""
    return {
        "symbol": symbol.name,
        "brackets": [
            {
                "bracket": number,
                "initialLeverage": bracket.leverage,
                "qtyCap": int(bracket.cap),
                floor_key: int(bracket.floor),
                "maintMarginRatio": float(bracket.rate),
                "cum": float(bracket.cum),
            }
            for number, bracket in enumerate(symbol.brackets, 1)
        ],
    }


def _or_zero(amount: Decimal) -> str:
    return wire(amount) if amount else _NONE
