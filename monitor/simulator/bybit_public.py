"""
Bybit's public answers: instruments, tickers, risk limits, collateral tables.

Figures that nobody asks a margin monitor for (volumes, the order book) are plausible
constants; mark, index and funding come from the world. Field lists follow the V5
documentation (2026-07-24) and recorded answers.
"""

from decimal import Decimal

from monitor.simulator.bybit_account import Prices
from monitor.simulator.bybit_tables import (
    ANY_BORROW_TIER,
    BORROW_TIERS,
    COLLATERAL_RATIOS,
    INSTRUMENTS,
    RISK_LIMITS,
    Instrument,
)
from monitor.simulator.truth import plain

Row = dict[str, object]
SPOT_COINS = tuple(coin for coin in COLLATERAL_RATIOS if coin != "USDT")


def with_digits(value: Decimal, step: Decimal) -> str:
    """A price with the trailing zeros of its step, as the wire keeps them."""
    return format(value.quantize(step), "f")


def instrument(it: Instrument) -> Row:
    """A row of the instruments of category linear or inverse."""
    lowest, *_, highest = (RISK_LIMITS[it.symbol][0], RISK_LIMITS[it.symbol][-1])
    return {
        "symbol": it.symbol,
        "contractType": it.category.capitalize() + ("Futures" if it.delivery_ms else "Perpetual"),
        "status": "Trading",
        "baseCoin": it.base,
        "quoteCoin": it.quote,
        "launchTime": "1585526400000",
        "deliveryTime": str(it.delivery_ms),
        "deliveryFeeRate": "0.0005" if it.delivery_ms else "",
        "priceScale": str(-int(it.tick.normalize().as_tuple().exponent)),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": format(max(lowest.max_leverage, highest.max_leverage), ".2f"),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": plain(it.least_price),
            "maxPrice": plain(it.greatest_price),
            "tickSize": format(it.tick, "f"),
        },
        "lotSizeFilter": {
            "maxOrderQty": "1190000",
            "minOrderQty": plain(it.step),
            "qtyStep": plain(it.step),
            "postOnlyMaxOrderQty": "1190000",
            "maxMktOrderQty": "119000",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 0 if it.delivery_ms else 480,
        "settleCoin": it.settle,
        "copyTrading": "both" if it.quote == "USDT" else "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
        "displayName": "",
        "forbidUplWithdrawal": False,
        "symbolType": "",
    }


def spot_instrument(coin: str) -> Row:
    return {
        "symbol": f"{coin}USDT",
        "baseCoin": coin,
        "quoteCoin": "USDT",
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.00000001",
            "minOrderQty": "0.000001",
            "maxOrderQty": "1000000",
            "minOrderAmt": "5",
            "maxOrderAmt": "8000000",
        },
        "priceFilter": {"tickSize": "0.0001"},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
        "symbolType": "",
    }


def risk_limits(symbol: str) -> list[Row]:
    """All rows of a symbol; the lowest tier has no deduction on the wire."""
    tiers = RISK_LIMITS[symbol]
    return [
        {
            "id": tier.risk_id,
            "symbol": symbol,
            "riskLimitValue": plain(tier.limit),
            "maintenanceMargin": plain(tier.maintenance_rate),
            "initialMargin": plain(tier.initial_rate),
            "isLowestRisk": 1 if tier is tiers[0] else 0,
            "maxLeverage": format(tier.max_leverage, ".2f"),
            "mmDeduction": "" if tier is tiers[0] else plain(tier.deduction),
        }
        for tier in tiers
    ]


def ticker(it: Instrument, prices: Prices, funding: Decimal, next_ms: int) -> Row:
    """A row of the tickers of category linear or inverse; `next_ms` is the next funding's."""
    mark, last = prices.mark(it), prices.mark(it).quantize(it.tick)
    digits = format(last, "f")
    return {
        "symbol": it.symbol,
        "lastPrice": digits,
        "indexPrice": with_digits(prices.quoted_index(it), it.mark_step),
        "markPrice": with_digits(mark, it.mark_step),
        "prevPrice24h": digits,
        "price24hPcnt": "0",
        "highPrice24h": digits,
        "lowPrice24h": digits,
        "prevPrice1h": digits,
        "openInterest": "492373.72",
        "openInterestValue": plain((Decimal("492373.72") * mark).quantize(Decimal("0.01"))),
        "turnover24h": "4936790807.6521",
        "volume24h": "73191.3870",
        "fundingRate": "" if it.delivery_ms else plain(funding),
        "nextFundingTime": "0" if it.delivery_ms else str(next_ms),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basis": "",
        "deliveryFeeRate": "0.0005" if it.delivery_ms else "",
        "deliveryTime": str(it.delivery_ms),
        "ask1Size": "23775.469",
        "bid1Price": format(last - it.tick, "f"),
        "ask1Price": digits,
        "bid1Size": "23789.165",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": "" if it.delivery_ms else "8",
        "basisRateYear": "",
        "fundingCap": "" if it.delivery_ms else "0.005",
    }


def spot_ticker(coin: str, prices: Prices) -> Row:
    """A row of the spot tickers; only these carry the USD index of a coin."""
    usd = prices.index(coin)
    price = plain((usd / prices.usdt_index).quantize(Decimal("0.0001")))
    return {
        "symbol": f"{coin}USDT",
        "bid1Price": price,
        "bid1Size": "2",
        "ask1Price": price,
        "ask1Size": "1.21",
        "lastPrice": price,
        "prevPrice24h": price,
        "price24hPcnt": "0",
        "highPrice24h": price,
        "lowPrice24h": price,
        "turnover24h": "3243834531.5",
        "volume24h": "168.5",
        "usdIndexPrice": plain(usd) if coin in COLLATERAL_RATIOS else "",
    }


def collateral_ratios(coin: str) -> Row:
    return {
        "currency": coin,
        "collateralRatioList": [
            {
                "minQty": plain(tier.floor),
                "maxQty": "" if tier.cap is None else plain(tier.cap),
                "collateralRatio": plain(tier.ratio),
            }
            for tier in COLLATERAL_RATIOS[coin]
        ],
    }


def borrow_tiers(coin: str) -> Row:
    return {
        "currency": coin,
        "positionTiersRatioList": [
            {
                "tier": str(number),
                "borrowLimit": plain(tier.cap),
                "positionMMR": plain(tier.maintenance_rate),
                "positionIMR": plain(tier.initial_rate),
                "maxLeverage": plain((1 / tier.initial_rate).quantize(Decimal(1))),
            }
            for number, tier in enumerate(BORROW_TIERS.get(coin, (ANY_BORROW_TIER,)), 1)
        ],
    }


def adl_alert(it: Instrument) -> Row:
    return {
        "coin": it.settle,
        "symbol": it.symbol,
        "balance": "52000000.5",
        "maxBalance": "",
        "insurancePnlRatio": "-0.3",
        "pnlRatio": "-0.05",
        "adlTriggerThreshold": "10000",
        "adlStopRatio": "-0.25",
    }


def coin_info(coin: str) -> Row:
    return {
        "name": coin,
        "coin": coin,
        "remainAmount": "10000000",
        "chains": [
            {
                "chain": "ETH",
                "chainType": "Ethereum",
                "confirmation": "10000",
                "withdrawFee": "10",
                "depositMin": "0",
                "withdrawMin": "10",
                "minAccuracy": "6",
                "chainDeposit": "1",
                "chainWithdraw": "1",
                "withdrawPercentageFee": "0",
                "contractAddress": "",
                "safeConfirmNumber": "65",
            }
        ],
    }


def symbols_of(category: str) -> tuple[Instrument, ...]:
    """The contracts of a category in the exchange's order, by symbol."""
    found = (it for it in INSTRUMENTS.values() if it.category == category)
    return tuple(sorted(found, key=lambda it: it.symbol))
