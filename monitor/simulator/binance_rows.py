"""
Replies of Binance's signed USD-M calls, as rows of the wire.

Shapes: API documentation of USD-M futures (Account Information V3, Position Information V3,
Futures Account Balance V3, Notional and Leverage Brackets, Current All Algo Open Orders), held
against recorded answers in the tests.
"""

from collections.abc import Iterable
from decimal import Decimal

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import ZERO, Leg
from monitor.simulator.binance_orders import algo_order, plain_order
from monitor.simulator.binance_quotes import Row, wire
from monitor.simulator.binance_tables import ASSETS, CREDITS, Bracket, Symbol
from monitor.simulator.truth import plain

_TAKER_RATE = Decimal("0.0005")
_NONE_YET = "0"  # several figures read "0", not "0.00000000", where there is none
_ORDER_ID = 664_082_074
_ALGO_ID = 2_148_627


class Rows:
    """Builds the replies for one account from its ledger and the published quotes."""

    def __init__(self, state: BinanceState, account: BinanceAccount) -> None:
        self._state = state
        self._account = account
        self._ledger = account.ledger
        self._quotes = state.quotes

    # --- account

    def account(self) -> Row:
        """GET /fapi/v3/account. Single-asset totals cover USDT only, multi-assets ones all."""
        assets = [self.asset(name) for name in self._all_assets()]
        return {
            **self._totals(),
            "assets": assets,
            "positions": self.account_positions(),
        }

    def _totals(self) -> Row:
        names = self._rated_assets() if self._ledger.multi_assets else ("USDT",)
        figures = [self._asset_figures(name) for name in names]
        rates = self._quotes.rates()
        totals: dict[str, Decimal] = dict.fromkeys(_TOTALS, ZERO)
        for name, figure in zip(names, figures, strict=True):
            for total, (field, is_charge) in _TOTALS.items():
                amount = figure[field]
                if self._ledger.multi_assets:
                    rate = rates[name]
                    amount = amount * rate.ask if is_charge else rate.value(amount)
                totals[total] += amount
        return {total: wire(amount) for total, amount in totals.items()} | self._available(totals)

    def _available(self, totals: dict[str, Decimal]) -> Row:
        if not self._ledger.multi_assets:
            return {}
        free = max(totals["totalMarginBalance"] - totals["totalInitialMargin"], ZERO)
        return {"availableBalance": wire(free), "maxWithdrawAmount": wire(free)}

    def asset(self, name: str) -> Row:
        """One element of `assets`."""
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
            "crossWalletBalance": cross,
            "crossUnPnl": cross_profit,
            "availableBalance": free,
            "maxWithdrawAmount": min(free, max(cross, ZERO)),
        }

    def balances(self) -> list[Row]:
        """GET /fapi/v3/balance."""
        return [
            {
                "accountAlias": f"sim{self._ledger.spec.name}"[:12],
                "asset": row["asset"],
                "balance": row["walletBalance"],
                "crossWalletBalance": row["crossWalletBalance"],
                "crossUnPnl": row["crossUnPnl"],
                "availableBalance": row["availableBalance"],
                "maxWithdrawAmount": row["maxWithdrawAmount"],
                "marginAvailable": True,
                "updateTime": row["updateTime"],
            }
            for row in map(self.asset, self._all_assets())
        ]

    def _all_assets(self) -> tuple[str, ...]:
        """Every asset of the exchange; credits only where the account trades on them."""
        every = {**dict.fromkeys(ASSETS), **dict.fromkeys(self._ledger.assets())}
        return tuple(name for name in every if name != CREDITS or self._ledger.credits)

    def _rated_assets(self) -> tuple[str, ...]:
        rates = self._quotes.rates()
        return tuple(name for name in self._all_assets() if name in rates)

    # --- positions

    def legs(self, symbol: str | None = None) -> Iterable[Leg]:
        """Positions, and an empty one where a symbol has open orders only."""
        legs = [leg for leg in self._ledger.legs if symbol in {None, leg.symbol.name}]
        yield from legs
        held = {leg.symbol.name for leg in legs}
        for name in dict.fromkeys(order.symbol for order in self._ledger.orders):
            if name not in held and symbol in {None, name}:
                sides = ("LONG", "SHORT") if self._ledger.hedge else ("BOTH",)
                for side in sides:
                    yield Leg(
                        symbol=self._quotes.table[name],
                        side=side,
                        amount=ZERO,
                        entry_price=ZERO,
                        leverage=self._ledger.leverage(name),
                        settles_in=self._ledger.settles_in,
                    )

    def account_positions(self) -> list[Row]:
        return [self._account_position(leg) for leg in self.legs()]

    def _account_position(self, leg: Leg) -> Row:
        mark = self._quotes.mark(leg.symbol.name)
        notional = leg.notional(mark)
        return {
            "symbol": leg.symbol.name,
            "positionSide": leg.side,
            "positionAmt": _quantity(leg.symbol, leg.amount),
            "unrealizedProfit": wire(leg.unrealized_profit(mark)),
            "isolatedMargin": self._isolated_margin(leg, mark),
            "notional": _or_zero(notional),
            "isolatedWallet": _or_zero(leg.isolated_wallet or ZERO),
            "initialMargin": _or_zero(self._initial_margin(leg)),
            "maintMargin": _or_zero(leg.maint_margin(mark)),
            "updateTime": leg.updated_at,
        }

    def position_risk(self, symbol: str | None = None) -> list[Row]:
        """GET /fapi/v3/positionRisk."""
        return [self._risk(leg) for leg in self.legs(symbol)]

    def _risk(self, leg: Leg) -> Row:
        mark = self._quotes.mark(leg.symbol.name)
        position_margin = self._initial_margin(leg)
        order_margin = self._order_margin(leg.symbol)
        return {
            "symbol": leg.symbol.name,
            "positionSide": leg.side,
            "positionAmt": _quantity(leg.symbol, leg.amount),
            "entryPrice": plain(leg.entry_price) if leg.amount else "0.0",
            "breakEvenPrice": plain(_break_even(leg)) if leg.amount else "0.0",
            "markPrice": wire(mark),
            "unRealizedProfit": wire(leg.unrealized_profit(mark)),
            "liquidationPrice": self._liquidation_price(leg),
            "isolatedMargin": self._isolated_margin(leg, mark),
            "notional": _or_zero(leg.notional(mark)),
            "marginAsset": leg.margin_asset,
            "isolatedWallet": _or_zero(leg.isolated_wallet or ZERO),
            "initialMargin": _or_zero(position_margin + order_margin),
            "maintMargin": _or_zero(leg.maint_margin(mark)),
            "positionInitialMargin": _or_zero(position_margin),
            "openOrderInitialMargin": _or_zero(order_margin),
            "adl": self.adl(leg),
            "bidNotional": _NONE_YET,
            "askNotional": _NONE_YET,
            "updateTime": leg.updated_at,
        }

    def _liquidation_price(self, leg: Leg) -> str:
        if not leg.amount:
            return _NONE_YET
        prices = self._state.prices(self._account)
        price = self._account.pool_of(leg).told_price(leg, prices)
        return _NONE_YET if price is None else wire(price)

    def _initial_margin(self, leg: Leg) -> Decimal:
        return abs(leg.notional(self._quotes.mark(leg.symbol.name))) / leg.leverage

    def _order_margin(self, symbol: Symbol) -> Decimal:
        own = (order for order in self._ledger.orders if order.symbol == symbol.name)
        return sum((self._ledger.order_margin(order) for order in own), ZERO)

    @staticmethod
    def _isolated_margin(leg: Leg, mark: Decimal) -> str:
        if leg.isolated_wallet is None:
            return _NONE_YET
        return wire(leg.isolated_wallet + leg.unrealized_profit(mark))

    def adl(self, leg: Leg) -> int:
        """A rank from 0 to 4: by profit, as a share of the entry notional times leverage."""
        if not leg.amount:
            return 0
        mark = self._quotes.mark(leg.symbol.name)
        profit = leg.unrealized_profit(mark) / abs(leg.amount * leg.entry_price) * leg.leverage
        return max(0, min(4, int(profit * 4) + 1)) if profit > 0 else 0

    def adl_quantiles(self, symbol: str | None = None) -> list[Row]:
        """GET /fapi/v1/adlQuantile. Crossed in hedge mode has HEDGE, else there is BOTH."""
        found: dict[str, dict[str, int]] = {}
        for leg in self.legs(symbol):
            ranks = found.setdefault(leg.symbol.name, {"LONG": 0, "SHORT": 0})
            crossed_hedge = self._ledger.hedge and not leg.is_isolated
            ranks.setdefault("HEDGE" if crossed_hedge else "BOTH", 0)
            ranks[leg.side] = self.adl(leg)
        return [{"symbol": name, "adlQuantile": ranks} for name, ranks in found.items()]

    # --- settings

    def symbol_config(self, symbol: Symbol) -> Row:
        legs = [leg for leg in self._ledger.legs if leg.symbol.name == symbol.name]
        leverage = self._ledger.leverage(symbol.name)
        caps = [b.cap for b in symbol.brackets if b.leverage >= leverage]
        return {
            "symbol": symbol.name,
            "marginType": "ISOLATED" if any(leg.is_isolated for leg in legs) else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": int(leverage),
            "maxNotionalValue": plain(max(caps, default=symbol.brackets[0].cap)),
        }

    # --- orders

    def open_orders(self, symbol: str | None, at: int) -> list[Row]:
        return [
            plain_order(order, _ORDER_ID + number, at)
            for number, order in enumerate(self._ledger.orders)
            if order.kind == "limit" and symbol in {None, order.symbol}
        ]

    def open_algo_orders(self, symbol: str | None, at: int) -> list[Row]:
        return [
            algo_order(order, _ALGO_ID + number, at)
            for number, order in enumerate(self._ledger.orders)
            if order.kind == "stop" and symbol in {None, order.symbol}
        ]


# total of the account -> (field of the asset, whether it is a charge, valued at ask)
_TOTALS = {
    "totalInitialMargin": ("initialMargin", True),
    "totalMaintMargin": ("maintMargin", True),
    "totalWalletBalance": ("walletBalance", False),
    "totalUnrealizedProfit": ("unrealizedProfit", False),
    "totalMarginBalance": ("marginBalance", False),
    "totalPositionInitialMargin": ("positionInitialMargin", True),
    "totalOpenOrderInitialMargin": ("openOrderInitialMargin", True),
    "totalCrossWalletBalance": ("crossWalletBalance", False),
    "totalCrossUnPnl": ("crossUnPnl", False),
    "availableBalance": ("availableBalance", False),
    "maxWithdrawAmount": ("maxWithdrawAmount", False),
}
_ASSET_FIELDS = (
    "walletBalance",
    "unrealizedProfit",
    "marginBalance",
    "maintMargin",
    "initialMargin",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "crossWalletBalance",
    "crossUnPnl",
    "availableBalance",
    "maxWithdrawAmount",
)


def bracket_rows(symbol: Symbol) -> Row:
    """One element of GET /fapi/v1/leverageBracket; the numbers are bare."""
    return {
        "symbol": symbol.name,
        "brackets": [_bracket(number, b) for number, b in enumerate(symbol.brackets, 1)],
    }


def _bracket(number: int, bracket: Bracket) -> Row:
    return {
        "bracket": number,
        "initialLeverage": bracket.leverage,
        "notionalCap": int(bracket.cap),
        "notionalFloor": int(bracket.floor),
        "maintMarginRatio": float(bracket.rate),
        "cum": float(bracket.cum),
    }


def _quantity(symbol: Symbol, amount: Decimal) -> str:
    return format(amount.quantize(Decimal(1).scaleb(-symbol.quantity_decimals)), "f")


def _or_zero(amount: Decimal) -> str:
    return wire(amount) if amount else _NONE_YET


def _break_even(leg: Leg) -> Decimal:
    """The entry price with the taker fee of opening on top, or off for a short."""
    return leg.entry_price * (1 + (_TAKER_RATE if leg.amount > 0 else -_TAKER_RATE))
