"""
OKX's balance as the wire has it.

All numbers are texts of full precision; `""` means that a figure does not apply in this
account mode. Field lists follow the V5 documentation (2026-06 to 2026-07) and recorded
answers.
"""

from decimal import Decimal

from monitor.simulator.okx_account import FUTURES, SPOT, ZERO, Account
from monitor.simulator.okx_ledger import AccountFigures, CoinFigures, ratio_text_value
from monitor.simulator.okx_legs import PositionFigures
from monitor.simulator.okx_orders import text

Row = dict[str, object]


def balance(account: Account, now: AccountFigures, at_ms: int) -> Row:
    """`data[0]` of the balance, without prices of coins, which only the stream has."""
    unified = account.is_unified
    cross = [p for p in now.positions if not p.position.is_isolated]
    of = {
        kind: sum((usd_notional(now, p) for p in cross if p.instrument.kind == kind), ZERO)
        for kind in ("SWAP", "FUTURES")
    }
    options = sum((abs(o.pos) * o.mark_px for o in account.others if o.is_option), ZERO)
    owed = now.borrow_notional

    def usd(value: Decimal | None) -> str:
        return text(value) if unified else ""

    def in_margin(value: Decimal) -> str:
        return text(value) if unified and account.level != SPOT else ""

    iso = sum((c.iso_equity * c.usd for c in now.coins), ZERO)
    waiting = sum((c.order_imr * c.usd for c in now.coins), ZERO)
    return {
        "adjEq": usd(now.adjusted_equity),
        "availEq": in_margin(max(ZERO, now.adjusted_equity - now.imr)),
        "borrowFroz": in_margin(now.borrow_imr),
        "details": [_detail(account, coin, at_ms) for coin in now.coins],
        "imr": usd(now.imr),
        "isoEq": "" if account.level == SPOT else text(iso),
        "mgnRatio": text(
            ratio_text_value(now.adjusted_equity, now.requirement) if unified else None
        ),
        "mmr": usd(now.mmr),
        "notionalUsd": usd(sum(of.values(), ZERO) + options + owed),
        "notionalUsdForBorrow": usd(owed),
        "notionalUsdForFutures": usd(of["FUTURES"]),
        "notionalUsdForOption": usd(options),
        "notionalUsdForSwap": usd(of["SWAP"]),
        "ordFroz": in_margin(waiting),
        "totalEq": text(now.total_equity),
        "uTime": str(at_ms),
        "upl": in_margin(sum(((c.upl - c.iso_upl) * c.usd for c in now.coins), ZERO)),
        "delta": "",
        "deltaLever": "",
        "deltaNeutralStatus": "",
    }


def _detail(account: Account, coin: CoinFigures, at_ms: int) -> Row:
    pool = account.level == FUTURES and coin.has_cross
    borrows = account.is_unified
    spot = account.level == SPOT

    def pooled(value: Decimal | None) -> str:
        return text(value) if pool else ""

    def borrowing(value: Decimal) -> str:
        return text(value) if borrows else ""

    free = max(ZERO, coin.cross_equity - coin.imr)
    owed = max(ZERO, coin.borrowed - coin.interest)
    iso_debts = (p for p in account.loans if p.is_isolated and p.owed_ccy == coin.ccy)
    iso_owed = sum((p.owed for p in iso_debts), ZERO)
    return {
        "accAvgPx": "",
        "autoLendAmt": "0",
        "autoLendMtAmt": "0",
        "autoLendStatus": "unsupported",
        "autoStakingStatus": "unsupported",
        "availBal": text(max(ZERO, coin.cash) if spot else free),
        "availEq": "" if spot else text(free),
        "borrowFroz": borrowing(ZERO),
        "cashBal": text(coin.cash),
        "ccy": coin.ccy,
        "clSpotInUseAmt": "",
        "colBorrAutoConversion": "0",
        "colRes": "0",
        "collateralEnabled": coin.ccy not in account.switched_off,
        "collateralRestrict": False,
        "crossLiab": borrowing(owed),
        "disEq": text(coin.discounted),
        "eq": text(coin.equity),
        "eqUsd": text(coin.equity * coin.usd),
        "fixedBal": "0",
        "frozenBal": text(coin.iso_equity + coin.order_imr),
        "frpType": "0",
        "imr": pooled(coin.imr),
        "interest": borrowing(coin.interest),
        "isoEq": "" if spot else text(coin.iso_equity),
        "isoLiab": borrowing(iso_owed),
        "isoUpl": "" if spot else text(coin.iso_upl),
        "liab": borrowing(owed + iso_owed),
        "maxLoan": borrowing(ZERO),
        "maxSpotInUse": "",
        "mgnRatio": pooled(ratio_text_value(coin.cross_equity, coin.requirement)),
        "mmr": pooled(coin.mmr),
        "notionalLever": pooled(
            coin.notional / coin.cross_equity if coin.cross_equity > 0 else None
        ),
        "openAvgPx": "",
        "ordFrozen": text(coin.order_imr),
        "rewardBal": "",
        "smtSyncEq": "0",
        "spotBal": "",
        "spotCopyTradingEq": "0",
        "spotInUseAmt": "",
        "spotIsoBal": "0",
        "spotUpl": "",
        "spotUplRatio": "",
        "stgyEq": text(coin.strategy),
        "totalPnl": "",
        "totalPnlRatio": "",
        "twap": "0",
        "uTime": str(at_ms),
        "upl": "" if spot else text(coin.upl),
        "uplLiab": borrowing(owed if coin.cash >= 0 else ZERO),
    }


def as_streamed(row: Row, now: AccountFigures) -> Row:
    """The balance as the account channel words it: with prices, and one field renamed."""
    details = row["details"] if isinstance(row["details"], list) else []
    streamed = []
    for detail in details:
        kept = {key: value for key, value in detail.items() if key != "maxSpotInUse"}
        price = text(now.coin(str(detail["ccy"])).usd)
        streamed.append(kept | {"maxSpotInUseAmt": "", "coinUsdPrice": price})
    return row | {"details": streamed}


def usd_notional(now: AccountFigures, mine: PositionFigures) -> Decimal:
    """What a position is worth in US dollars; of a MARGIN one, what it holds."""
    if mine.instrument.kind == "MARGIN":
        held = mine.position.pos * (mine.mark if mine.position.direction > 0 else 1)
        return held * _quote_usd(now, mine)
    if mine.instrument.is_linear:
        return mine.notional * now.coin(mine.ccy).usd
    return mine.position.contracts * mine.instrument.face


def _quote_usd(now: AccountFigures, mine: PositionFigures) -> Decimal:
    """US dollars for the quote of a pair, by the coin that the position is margined in."""
    usd = now.coin(mine.ccy).usd
    return usd if mine.ccy == mine.instrument.quote else usd / mine.mark


def position_risk(account: Account, now: AccountFigures, at_ms: int) -> Row:
    """`data[0]` of account-position-risk: one snapshot without maintenance figures."""
    unified = account.is_unified
    return {
        "adjEq": text(now.adjusted_equity) if unified else "",
        "balData": [
            {"ccy": coin.ccy, "disEq": text(coin.discounted), "eq": text(coin.equity)}
            for coin in now.coins
        ],
        "posData": [
            {
                "baseBal": "",
                "ccy": mine.ccy,
                "instId": mine.instrument.inst_id,
                "instType": mine.instrument.kind,
                "mgnMode": "isolated" if mine.position.is_isolated else "cross",
                "notionalCcy": text(mine.notional),
                "notionalUsd": text(usd_notional(now, mine)),
                "pos": text(mine.position.pos),
                "posCcy": "",
                "posId": mine.position.pos_id,
                "posSide": mine.position.pos_side,
                "quoteBal": "",
            }
            for mine in now.positions
        ],
        "ts": str(at_ms),
    }
