"""
Replies of Binance's portfolio margin calls, as rows of the wire.

Shapes: API documentation of portfolio margin (Account Information, Account Balance, Get UM
Account Detail V2, Get CM Account Detail, Query UM and CM Position Information) and of portfolio
margin pro (Get Portfolio Margin Pro Account Info), held against recorded answers in the tests.
"""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_coin_rows import CoinRows, break_even, max_quantity
from monitor.simulator.binance_ledger import ZERO, Leg, bracket_of
from monitor.simulator.binance_quotes import Row, milliseconds, wire
from monitor.simulator.binance_rows import Rows
from monitor.simulator.truth import plain

_TYPES = {"pm_pro": "PM_1", "portfolio_margin": "PM_2"}
_UM_ASSET_FIELDS = (
    "asset",
    "crossWalletBalance",
    "crossUnPnl",
    "maintMargin",
    "initialMargin",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "updateTime",
)
_CM_POSITION_FIELDS = (
    "symbol",
    "positionAmt",
    "initialMargin",
    "maintMargin",
    "unrealizedProfit",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "leverage",
    "positionSide",
    "entryPrice",
    "maxQty",
    "notionalValue",
    "updateTime",
    "breakEvenPrice",
)


def short(value: Decimal) -> str:
    """Give a figure as portfolio margin's lists send it: eight decimals, no trailing zeros."""
    text = plain(value.quantize(Decimal("0.00000001"), rounding=ROUND_DOWN))
    return text if "." in text else f"{text}.0"


class PortfolioRows:
    """Builds the replies for one portfolio margin account."""

    def __init__(self, state: BinanceState, account: BinanceAccount) -> None:
        self._state = state
        self._account = account
        self._book = account.portfolio
        self._prices = state.prices(account)
        self._usd = Rows(state, account)
        self._coin = CoinRows(state, account)

    # --- the whole

    def account(self) -> Row:
        """GET /papi/v1/account."""
        book, prices = self._book, self._prices
        equity = book.account_equity(prices)
        free = max(equity - book.account_initial_margin(prices), ZERO)
        loss = self._account.extras.open_loss
        return {
            "uniMMR": wire(book.uni_mmr(prices)),
            "accountEquity": wire(equity),
            "actualEquity": wire(book.actual_equity(prices)),
            "accountInitialMargin": wire(book.account_initial_margin(prices)),
            "accountMaintMargin": wire(book.account_maint_margin(prices)),
            "accountStatus": book.status(prices),
            "virtualMaxWithdrawAmount": wire(free),
            "totalAvailableBalance": "",
            "totalMarginOpenLoss": wire(loss) if loss else "",
            "updateTime": milliseconds(self._state.server_time()),
        }

    def pro_account(self) -> Row:
        """GET /sapi/v1/portfolio/account."""
        whole = self.account()
        told = ("uniMMR", "accountEquity", "actualEquity", "accountMaintMargin")
        return {
            **{name: whole[name] for name in told},
            "accountInitialMargin": whole["accountInitialMargin"],
            "totalAvailableBalance": "",
            "accountStatus": whole["accountStatus"],
            "accountType": _TYPES[self._account.spec.mode],
        }

    def balances(self, asset: str | None = None) -> list[Row]:
        """GET /papi/v1/balance. What is borrowed stands beside the totals, not in them."""
        return [self._balance(name) for name in self._book.assets() if asset in {None, name}]

    def _balance(self, asset: str) -> Row:
        margin = self._book.margin(asset)
        marks = self._prices.marks
        usd, coin = self._account.ledger, self._account.coin
        usd_wallet = usd.cross_wallets.get(asset, ZERO)
        coin_wallet = coin.cross_wallets.get(asset, ZERO)
        return {
            "asset": asset,
            "totalWalletBalance": short(margin.total + usd_wallet + coin_wallet),
            "crossMarginAsset": short(margin.total),
            "crossMarginBorrowed": short(margin.borrowed),
            "crossMarginFree": short(margin.free),
            "crossMarginInterest": short(margin.interest),
            "crossMarginLocked": short(margin.locked),
            "umWalletBalance": short(usd_wallet),
            "umUnrealizedPNL": short(usd.cross_un_pnl(asset, marks)),
            "cmWalletBalance": short(coin_wallet),
            "cmUnrealizedPNL": short(coin.cross_un_pnl(asset, marks)),
            "updateTime": max(usd.touched_at.get(asset, 0), coin.touched_at.get(asset, 0)),
            "negativeBalance": short(-min(usd_wallet + coin_wallet, ZERO)),
        }

    # --- USD-M

    def um_account(self) -> Row:
        """GET /papi/v2/um/account."""
        assets = [self._usd.asset(name) for name in self._account.ledger.assets()]
        told = (
            "symbol",
            "initialMargin",
            "maintMargin",
            "unrealizedProfit",
            "positionSide",
            "positionAmt",
            "updateTime",
            "notional",
        )
        positions = self._usd.account_positions()
        return {
            "assets": [{name: row[name] for name in _UM_ASSET_FIELDS} for row in assets],
            "positions": [{name: row[name] for name in told} for row in positions],
        }

    def um_account_v1(self) -> Row:
        """GET /papi/v1/um/account."""
        rows = []
        positions = self._usd.account_positions()
        for leg, row in zip(self._usd.legs(), positions, strict=True):
            del row["isolatedMargin"], row["isolatedWallet"]
            row |= {
                "positionInitialMargin": row["initialMargin"],
                "openOrderInitialMargin": "0",
                "leverage": plain(leg.leverage),
                "entryPrice": short(leg.entry_price),
                "maxNotional": plain(_most(leg)),
                "bidNotional": "0",
                "askNotional": "0",
                "breakEvenPrice": break_even(leg),
            }
            rows.append(row)
        return {**self.um_account(), "positions": rows}

    def um_position_risk(self, symbol: str | None) -> list[Row]:
        """GET /papi/v1/um/positionRisk: no margin figures, nothing isolated."""
        return [self._um_risk(leg) for leg in self._held(self._usd.legs(symbol))]

    def _um_risk(self, leg: Leg) -> Row:
        mark = self._prices.mark(leg)
        return {
            "symbol": leg.symbol.name,
            "positionAmt": plain(leg.amount),
            "entryPrice": short(leg.entry_price),
            "markPrice": short(mark),
            "unRealizedProfit": short(leg.unrealized_profit(mark)),
            "liquidationPrice": self._liquidation_price(leg),
            "leverage": plain(leg.leverage),
            "positionSide": leg.side,
            "updateTime": leg.updated_at,
            "maxNotionalValue": short(_most(leg)),
            "notional": short(leg.notional(mark)),
            "breakEvenPrice": short(Decimal(break_even(leg))),
        }

    # --- COIN-M

    def cm_account(self) -> Row:
        """GET /papi/v1/cm/account."""
        whole = self._coin.account()
        assets, positions = whole["assets"], whole["positions"]
        return {
            "assets": _cut(assets, _UM_ASSET_FIELDS),
            "positions": _cut(positions, _CM_POSITION_FIELDS),
        }

    def cm_position_risk(self, pair: str | None, asset: str | None) -> list[Row]:
        """GET /papi/v1/cm/positionRisk."""
        return [
            self._cm_risk(leg)
            for leg in self._held(self._account.coin.legs)
            if pair in {None, leg.symbol.pair} and asset in {None, leg.margin_asset}
        ]

    def _cm_risk(self, leg: Leg) -> Row:
        mark = self._prices.mark(leg)
        return {
            "symbol": leg.symbol.name,
            "positionAmt": plain(leg.amount),
            "entryPrice": plain(leg.entry_price),
            "markPrice": short(mark),
            "unRealizedProfit": short(leg.unrealized_profit(mark)),
            "liquidationPrice": self._liquidation_price(leg),
            "leverage": plain(leg.leverage),
            "positionSide": leg.side,
            "updateTime": leg.updated_at,
            "maxQty": max_quantity(leg.symbol, leg.leverage),
            "notionalValue": short(leg.notional(mark)),
            "breakEvenPrice": short(Decimal(break_even(leg))),
        }

    @staticmethod
    def _held(legs: Iterable[Leg]) -> Iterable[Leg]:
        return (leg for leg in legs if leg.amount)

    def _liquidation_price(self, leg: Leg) -> str:
        price = self._account.pool_of(leg).told_price(leg, self._prices)
        return "0" if price is None else short(price)


def _most(leg: Leg) -> Decimal:
    """Give the largest notional at this leverage."""
    held = [b.cap for b in leg.symbol.brackets if b.leverage >= leg.leverage]
    return max(held, default=bracket_of(leg.symbol, ZERO).cap)


def _cut(rows: object, fields: tuple[str, ...]) -> list[Row]:
    return (
        [{name: row[name] for name in fields} for row in rows if isinstance(row, dict)]
        if isinstance(rows, list)
        else []
    )
