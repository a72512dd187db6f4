"""
Portfolio margin: cross margin, USD-M and COIN-M as one pool, in Binance's words.

`uniMMR = (sum min(n x index x rate, n x index) - openLoss) / (sum futures MM x index + sum loan
x loan rate x index)`, where n is margin asset - loan + futures wallets + futures profit of a
coin; the collateral rate does not count for debts. Liquidation is at 105 %. (Binance support:
"Portfolio Margin Pro: Unified Maintenance Margin Ratio"; 105 % for the plain program is said by
third parties.) Here the bid of an asset is its index times the collateral rate, the ask its index.
"""

from dataclasses import dataclass
from decimal import Decimal

from monitor.simulator.binance_declared import Extras, MarginAsset
from monitor.simulator.binance_ledger import ZERO, Ledger
from monitor.simulator.binance_pools import UNIFIED, Pool
from monitor.simulator.binance_prices import Prices

LIQUIDATION_MMR = Decimal("1.05")
# From which uniMMR downwards; PM Pro's bands.
_STATUS = (
    (Decimal(1), "BANKRUPTED"),
    (LIQUIDATION_MMR, "FORCE_LIQUIDATION"),
    (Decimal("1.2"), "REDUCE_ONLY"),
    (Decimal("1.5"), "MARGIN_CALL"),
)
_NO_MARGIN_MMR = Decimal(99999999)  # what stands where nothing is required; of our choosing


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The three wallets of a portfolio margin account."""

    usd: Ledger
    coin: Ledger
    extras: Extras

    def assets(self) -> tuple[str, ...]:
        """Give the coins of which there is anything."""
        names = (*self.extras.margin, *self.usd.assets(), *self.coin.assets())
        return tuple(dict.fromkeys(names))

    def margin(self, asset: str) -> MarginAsset:
        return self.extras.margin.get(asset) or MarginAsset()

    def net(self, asset: str, prices: Prices) -> Decimal:
        """Margin asset less loan, plus futures wallets and profit."""
        margin = self.margin(asset)
        futures = self.usd.cross_balance(asset, prices.marks)
        coin = self.coin.cross_balance(asset, prices.marks)
        return margin.total - margin.owed + futures + coin

    def account_equity(self, prices: Prices) -> Decimal:
        """In dollars, after collateral rates and the loss of open orders."""
        worth = (prices.rates[asset].value(self.net(asset, prices)) for asset in self.assets())
        return sum(worth, ZERO) - self.extras.open_loss

    def actual_equity(self, prices: Prices) -> Decimal:
        """In dollars, every coin at its index."""
        worth = (prices.rates[asset].ask * self.net(asset, prices) for asset in self.assets())
        return sum(worth, ZERO)

    def account_maint_margin(self, prices: Prices) -> Decimal:
        """Of all futures and loans, in dollars."""
        return self.futures_maint_margin(prices) + self.loan_maint_margin(prices)

    def futures_maint_margin(self, prices: Prices) -> Decimal:
        return sum(
            (
                leg.maint_margin(prices.mark(leg)) * prices.rates[leg.margin_asset].ask
                for leg in (*self.usd.legs, *self.coin.legs)
            ),
            ZERO,
        )

    def loan_maint_margin(self, prices: Prices) -> Decimal:
        return sum(
            (
                margin.owed * self.extras.loan_rate * prices.rates[asset].ask
                for asset, margin in self.extras.margin.items()
                if margin.owed
            ),
            ZERO,
        )

    def account_initial_margin(self, prices: Prices) -> Decimal:
        """Of futures by their leverage, of their open orders, and of loans as maintenance."""
        total = self.loan_maint_margin(prices)
        for ledger in (self.usd, self.coin):
            for asset in ledger.assets():
                used = ledger.cross_initial_margin(asset, prices.marks)
                used += ledger.order_initial_margin(asset)
                total += used * prices.rates[asset].ask if used else ZERO
        return total

    def uni_mmr(self, prices: Prices) -> Decimal:
        required = self.account_maint_margin(prices)
        return self.account_equity(prices) / required if required else _NO_MARGIN_MMR

    def status(self, prices: Prices) -> str:
        ratio = self.uni_mmr(prices)
        return next((word for below, word in _STATUS if ratio <= below), "NORMAL")

    def pool(self) -> Pool:
        """Give the one pool; it requires 1.05 times the maintenance margin."""
        return Pool(
            name=UNIFIED,
            unit="USD",
            legs=(*self.usd.legs, *self.coin.legs),
            balance=self.account_equity,
            requirement=lambda prices: LIQUIDATION_MMR * self.account_maint_margin(prices),
            net=self.net,
        )
