"""
Bybit's private answers, row by row, as the wire has them.

All numbers are texts; `""` means that a figure does not apply. Coin figures are cut to eight
decimals and the account rates to four. Field lists follow the V5 documentation (2026-07-24)
and recorded answers.
"""

from decimal import ROUND_DOWN, Decimal

from monitor.simulator.bybit_account import ZERO, Account, Order, Position, Prices
from monitor.simulator.bybit_estimate import estimated_liquidation_price
from monitor.simulator.bybit_isolated import liquidation_price as isolated_price
from monitor.simulator.bybit_ledger import (
    AccountFigures,
    CoinFigures,
    PositionFigures,
    counts,
)
from monitor.simulator.bybit_pools import UNIFIED_2
from monitor.simulator.bybit_tables import COLLATERAL_RATIOS, INSTRUMENTS
from monitor.simulator.truth import plain

Row = dict[str, object]
_EIGHT = Decimal("0.00000001")
_FOUR = Decimal("0.0001")
_ACCOUNT_WIDE = (
    "accountIMRate",
    "accountIMRateByMp",
    "accountMMRate",
    "accountMMRateByMp",
    "totalInitialMargin",
    "totalInitialMarginByMp",
    "totalMaintenanceMargin",
    "totalMaintenanceMarginByMp",
    "totalMarginBalance",
    "totalAvailableBalance",
)


def coin_text(value: Decimal) -> str:
    """Cut to eight decimals."""
    return plain(value.quantize(_EIGHT, rounding=ROUND_DOWN))


def rate_text(value: Decimal) -> str:
    """Cut, not rounded, to four decimals."""
    return plain(value.quantize(_FOUR, rounding=ROUND_DOWN)) if value.is_finite() else "9999"


def wallet_kinds(account: Account) -> tuple[str, ...]:
    """The account types that the wallet balance is told for; before 2.0 inverse lies apart."""
    return {1: ("CONTRACT", "SPOT"), 3: ("UNIFIED", "CONTRACT"), 4: ("UNIFIED", "CONTRACT")}.get(
        account.unified_status, ("UNIFIED",)
    )


def wallet(account: Account, now: AccountFigures, kind: str = "UNIFIED") -> Row:
    """`result.list[0]` of the wallet balance, and `data[0]` of the wallet stream."""
    coins = now.coins if account.unified_status in UNIFIED_2 else _coins_of(now, kind)
    initial, maintenance = coin_text(now.initial_margin), coin_text(now.maintenance_margin)
    row: Row = {
        "accountType": kind,
        "totalEquity": coin_text(now.total_equity),
        "totalWalletBalance": coin_text(now.wallet_balance),
        "totalMarginBalance": coin_text(now.margin_balance),
        "totalPerpUPL": coin_text(now.unrealised_pnl),
        "totalInitialMargin": initial,
        "totalInitialMarginByMp": initial,
        "totalMaintenanceMargin": maintenance,
        "totalMaintenanceMarginByMp": maintenance,
        "totalAvailableBalance": coin_text(now.available),
        "accountIMRate": rate_text(now.rate(now.initial_margin)),
        "accountIMRateByMp": rate_text(now.rate(now.initial_margin)),
        "accountMMRate": rate_text(now.rate(now.maintenance_margin)),
        "accountMMRateByMp": rate_text(now.rate(now.maintenance_margin)),
        "accountLTV": "0",
        "coin": [_coin(account, coin) for coin in coins],
    }
    if account.isolated or kind != "UNIFIED":
        row |= dict.fromkeys(_ACCOUNT_WIDE, "")
    return row


def _coins_of(now: AccountFigures, kind: str) -> tuple[CoinFigures, ...]:
    """Of an account that is older than unified 2.0: inverse contracts' coins are CONTRACT's."""
    inverse = {p.instrument.settle for p in now.positions if p.instrument.category == "inverse"}
    return tuple(coin for coin in now.coins if (coin.coin in inverse) == (kind == "CONTRACT"))


def _coin(account: Account, coin: CoinFigures) -> Row:
    blank = account.portfolio
    return {
        "coin": coin.coin,
        "equity": coin_text(coin.equity),
        "usdValue": coin_text(coin.equity * coin.index),
        "walletBalance": coin_text(coin.wallet),
        "free": "",
        "locked": "0",
        "spotHedgingQty": "0",
        "borrowAmount": coin_text(coin.borrowed),
        "spotBorrow": coin_text(account.spot_borrow.get(coin.coin, ZERO)),
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "accruedInterest": "0",
        "totalOrderIM": "" if blank else coin_text(coin.order_im),
        "totalPositionIM": "" if blank else coin_text(coin.position_im),
        "totalPositionMM": "" if blank else coin_text(coin.position_mm),
        "unrealisedPnl": coin_text(coin.unrealised_pnl),
        "cumRealisedPnl": "0",
        "bonus": "0",
        "marginCollateral": coin.coin in COLLATERAL_RATIOS,
        "collateralSwitch": counts(account, coin.coin),
        "colRes": "0",
    }


def position(account: Account, now: AccountFigures, mine: PositionFigures) -> Row:
    """A row of the position list; its `seq` is that of the last trade in the symbol."""
    it = mine.position
    portfolio = account.portfolio
    liquidation = None if portfolio else _liquidation_price(account, now, mine)
    initial = "" if portfolio else coin_text(mine.initial_margin)
    maintenance = "" if portfolio else coin_text(mine.maintenance_margin)
    row = _blank_position(it.symbol, it.idx)
    return row | {
        "positionStatus": it.status,
        "isReduceOnly": it.only_reduces,
        "mmrSysUpdatedTime": str(it.rate_rises_ms) if it.rate_rises_ms else "",
        "leverage": "" if portfolio else plain(it.leverage),
        "avgPrice": plain(it.entry),
        "liqPrice": "" if liquidation is None else coin_text(liquidation),
        "riskId": 0 if portfolio else mine.tier.risk_id,
        "riskLimitValue": "" if portfolio else plain(mine.tier.limit),
        "side": it.side,
        "size": plain(it.size),
        # at the entry price, as the wire has it: not what picks the tier
        "positionValue": coin_text(
            it.size * it.entry if mine.instrument.category == "linear" else it.size / it.entry
        ),
        "markPrice": plain(mine.mark),
        "positionIM": initial,
        "positionIMByMp": initial,
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "unrealisedPnl": coin_text(mine.unrealised_pnl),
        "stopLoss": _stop_loss(account, it),
        "adlRankIndicator": 2 if mine.unrealised_pnl > 0 else 1,
        "breakEvenPrice": plain(it.entry),
        "sessionAvgPrice": plain(it.pnl_from) if mine.instrument.settle == "USDC" else "",
        "createdTime": str(it.opened_ms),
        "updatedTime": str(it.opened_ms),
        "openTime": it.opened_ms,
        "seq": account.sequences.get(it.symbol, it.opened_ms),
    }


def _stop_loss(account: Account, it: Position) -> str:
    """The trigger of a stop on the whole position, which is an open order as well."""
    triggers = (
        order.trigger
        for order in account.orders
        if (order.symbol, order.idx) == (it.symbol, it.idx)
        and order.side != it.side
        and order.closes_position
    )
    trigger = next(triggers, None)
    return "" if trigger is None else plain(trigger)


def _liquidation_price(
    account: Account, now: AccountFigures, mine: PositionFigures
) -> Decimal | None:
    if account.margin_mode == "REGULAR_MARGIN":
        return estimated_liquidation_price(now, mine)
    # Isolated: it follows neither the mark nor the orders.
    return isolated_price(mine.position)


def flat_position(symbol: str, idx: int) -> Row:
    """The row of a symbol without a position, as it comes when asked for by symbol."""
    return _blank_position(symbol, idx)


def closed_leg(account: Account, symbol: str, idx: int, mark: Decimal, at_ms: int) -> Row:
    """The row that tells that a leg holds nothing, or nothing any more."""
    return _blank_position(symbol, idx) | {
        "markPrice": plain(mark),
        "updatedTime": str(at_ms),
        "seq": account.sequences.get(symbol, at_ms),
    }


def _blank_position(symbol: str, idx: int) -> Row:
    return {
        "positionIdx": idx,
        "riskId": 1,
        "riskLimitValue": "",
        "symbol": symbol,
        "side": "",
        "size": "0",
        "avgPrice": "0",
        "positionValue": "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": "10",
        "positionBalance": "0",
        "markPrice": "",
        "liqPrice": "0",
        "bustPrice": "",
        "positionMM": "",
        "positionMMByMp": "",
        "positionIM": "",
        "positionIMByMp": "",
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": "0",
        "curRealisedPnl": "0",
        "cumRealisedPnl": "0",
        "sessionAvgPrice": "",
        "breakEvenPrice": "",
        "createdTime": "0",
        "updatedTime": "0",
        "openTime": 0,
        "seq": 0,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
    }


def as_pushed(row: Row, category: str) -> Row:
    """A row of the position list as the stream words it."""
    pushed = {("entryPrice" if key == "avgPrice" else key): row[key] for key in row}
    return pushed | {"category": category}


def open_order(order: Order, at_ms: int, status: str | None = None) -> Row:
    """A row of the open orders; `status` overrides what an open one has."""
    stop = order.trigger is not None
    price = order.price or ZERO
    left = ZERO if status == "Cancelled" else order.qty
    closing_long = order.side == "Sell"
    return {
        "orderId": order.order_id,
        "orderLinkId": "",
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": plain(price),
        "qty": plain(order.qty),
        "side": order.side,
        "isLeverage": "",
        "positionIdx": order.idx,
        "orderStatus": status or ("Untriggered" if stop else "New"),
        "createType": "CreateByStopLoss" if order.closes_position else "CreateByUser",
        "cancelType": "CancelAllBeforeLiq" if status == "Cancelled" else "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": "",
        "leavesQty": plain(left),
        "leavesValue": coin_text(left * price),
        "cumExecQty": "0",
        "cumExecValue": "0",
        "cumExecFee": "0",
        "cumFeeDetail": {},
        "timeInForce": "IOC" if stop else "GTC",
        "orderType": "Market" if stop else "Limit",
        "stopOrderType": ("StopLoss" if order.closes_position else "Stop") if stop else "",
        "orderIv": "",
        "marketUnit": "",
        "triggerPrice": plain(order.trigger) if order.trigger is not None else "",
        "takeProfit": "",
        "stopLoss": "",
        "tpslMode": "Full" if order.closes_position else "",
        "ocoTriggerBy": "",
        "tpLimitPrice": "0",
        "slLimitPrice": "0",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": (2 if closing_long else 1) if stop else 0,
        "triggerBy": "MarkPrice" if stop else "",
        "lastPriceOnCreated": plain(price),
        "reduceOnly": order.reduce_only or order.closes_position,
        "closeOnTrigger": order.closes_position,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(at_ms),
        "updatedTime": str(at_ms),
        "extraFees": "",
    }


def collateral_info(account: Account, prices: Prices, coin: str) -> Row:
    """A row of the collateral switches; `collateralRatio` there is a stale figure."""
    borrowed = account.spot_borrow.get(coin, ZERO)
    return {
        "currency": coin,
        "hourlyBorrowRate": "0.00000085",
        "maxBorrowingAmount": "8000000",
        "freeBorrowingLimit": "",
        "freeBorrowAmount": "0",
        "borrowAmount": coin_text(borrowed),
        "otherBorrowAmount": "0",
        "borrowUsageRate": "0",
        "availableToBorrow": coin_text(8_000_000 / prices.index(coin)),
        "borrowable": True,
        "marginCollateral": coin in COLLATERAL_RATIOS,
        "collateralSwitch": counts(account, coin),
        "collateralRatio": plain(COLLATERAL_RATIOS[coin][0].ratio),
        "freeBorrowingAmount": "",
    }


def category_of(symbol: str) -> str:
    instrument = INSTRUMENTS.get(symbol)
    return "option" if instrument is None else instrument.category
