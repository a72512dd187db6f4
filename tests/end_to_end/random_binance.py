"""
Random Binance accounts of every kind, each with the ratio that its seed asks for.

`account(kind, seed)` gives the lines of one account of a scenario, for the prices in `MARKS`. Its
worst pool stands at a ratio between 0.5 and 1.2 for an even seed, below 0.5 for an odd one: that is
solved by the simulator's own books, by the size of one wallet for each pool. It knows nothing of
the product.
"""

import random
from collections.abc import Callable
from decimal import Decimal

from monitor.simulator.binance_ledger import PORTFOLIO_MODES
from tests.end_to_end.random_binance_parts import (
    MARKS,
    D,
    Draft,
    cut,
    fund,
    hold,
    isolate,
    order,
    position,
    sized,
)

__all__ = ["KINDS", "MARKS", "account"]

_UNIFIED = "unified"
_USDT = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
_SMALL = ("ACTUSDT", "1000SATSUSDT", "XAUUSDT")
_USDC = ("BTCUSDC", "ETHUSDC")
_DOLLARS = ("BTCUSD1", "BTCU")
_QUOTED_IN_BTC = ("ETHBTC",)
_PERPETUAL = ("BTCUSD_PERP", "ETHUSD_PERP", "SOLUSD_PERP")
_DATED = ("BTCUSD_261225", "ETHUSD_261225")
_COINS = ("BTC", "ETH", "SOL", "XRP", "BNB")
_HALF, _MOST = D("0.5"), D("1.2")


# --- a pool for each asset


def _single(symbols: tuple[str, ...], most: int) -> Callable[[Draft, Decimal], None]:
    def made(draft: Draft, ratio: Decimal) -> None:
        hold(draft, symbols, most)
        if draft.likely(0.4):
            order(draft, symbols)
        _fund_assets(draft, ratio)

    return made


def _fund_assets(draft: Draft, ratio: Decimal) -> None:
    """Every cross pool of USD-M with a position: one at the ratio, the others below it."""
    book = draft.opened().ledger
    backed = dict.fromkeys(leg.margin_asset for leg in book.cross_legs())
    for number, asset in enumerate(backed):
        share = D(1) if number == 0 else draft.between(0.05, 1)
        fund(draft, asset, draft.wallets, asset, ratio * share)


def _isolated(draft: Draft, ratio: Decimal) -> None:
    symbols = (*_USDT, *_SMALL, *_USDC)
    for number, symbol in enumerate(draft.draw.sample(symbols, draft.draw.randint(1, 3))):
        share = D(1) if number == 0 else draft.between(0.05, 1)
        sides = ["long", "short"]
        draft.draw.shuffle(sides)
        isolate(draft, symbol, sides[0], ratio * share)
        if draft.hedge and draft.likely(0.7):
            isolate(draft, symbol, sides[1], ratio * draft.between(0.05, 1))
    draft.wallets["USDT"] = cut(draft.between(0, 5000))
    if draft.likely(0.5):
        held = {row["symbol"] for row in draft.positions}
        hold(draft, tuple(s for s in _USDT if s not in held), 2)
        _fund_assets(draft, ratio * draft.between(0.05, 1))


# --- one pool of all assets


def _back(draft: Draft, wallet: dict[str, Decimal], coins: tuple[str, ...]) -> None:
    """Some coins beside, worth a tenth to all of what is required."""
    for coin in draft.draw.sample(coins, draft.draw.randint(1, 3)):
        price = D(MARKS.get(coin, "1"))
        worth = _required(draft) * draft.between(0.1, 1.5)
        wallet[coin] = wallet.get(coin, D(0)) + cut(worth / price)


def _required(draft: Draft) -> Decimal:
    pool, prices = draft.pool(_UNIFIED)
    return max(pool.requirement(prices), D(1))


def _owe(draft: Draft, wallet: dict[str, Decimal], coins: tuple[str, ...]) -> None:
    """A negative asset: counted at its ask, paid for by the others."""
    coin = draft.draw.choice(coins)
    worth = _required(draft) * draft.between(0.1, 2)
    wallet[coin] = -cut(worth / D(MARKS.get(coin, "1")))


def _multi_in_btc(draft: Draft, ratio: Decimal) -> None:
    """A contract whose profit is in BTC, and whose mark is a rate of two coins."""
    hold(draft, _QUOTED_IN_BTC, 1)
    _multi(draft, ratio)


def _multi(draft: Draft, ratio: Decimal) -> None:
    hold(draft, (*_USDT, *_SMALL, *_USDC, *_DOLLARS), 4)
    _back(draft, draft.wallets, (*_COINS, "USDC", "FDUSD", "USD1", "U"))
    if draft.likely(0.4):
        _owe(draft, draft.wallets, ("USDT", "USDC"))
    if draft.likely(0.3):
        order(draft, _USDT)
    payers = [coin for coin in ("USDT", "USDC", "BTC", "ETH") if draft.wallets.get(coin, 0) >= 0]
    fund(draft, _UNIFIED, draft.wallets, draft.draw.choice(payers), ratio)


def _covered(draft: Draft, ratio: Decimal) -> None:
    """A short about as large as the coins that stand for it: it may end on both sides."""
    coin = draft.draw.choice(("BTC", "ETH", "SOL"))
    symbol = f"{coin}USDT"
    dollars = D(str(10 ** draft.draw.uniform(3, 6.5)))
    draft.positions.append(position(draft, symbol, "short", contracts=sized(symbol, dollars)))
    draft.wallets[coin] = cut(dollars / D(MARKS[coin]) * draft.between(0.9, 1.15))
    fund(draft, _UNIFIED, draft.wallets, "USDT", ratio)


def _credits(draft: Draft, ratio: Decimal) -> None:
    """Profit in credits, or in each contract's own asset: which it is, is not published."""
    settlement = draft.draw.choice(("credits", "contract"))
    draft.extra["settlement"] = settlement
    draft.wallets["BNFCR"] = D(0)
    hold(draft, (*_USDT, *_SMALL, *_USDC), 4)
    _back(draft, draft.wallets, ("BTC", "ETH", "BNB", "USDC"))
    if draft.likely(0.5):
        draft.wallets["BNFCR"] = cut(_required(draft) * draft.between(-2, 2))
    fund(draft, _UNIFIED, draft.wallets, draft.draw.choice(("BTC", "ETH", "BNFCR")), ratio)


# --- COIN-M


def _coin_wallets(draft: Draft) -> dict[str, Decimal]:
    return draft.table("coin_wallets")


def _fund_coins(draft: Draft, ratio: Decimal) -> None:
    backed = dict.fromkeys(leg.margin_asset for leg in draft.opened().coin.cross_legs())
    for number, coin in enumerate(backed):
        share = D(1) if number == 0 else draft.between(0.05, 1)
        fund(draft, coin, _coin_wallets(draft), coin, ratio * share)


def _coin(draft: Draft, ratio: Decimal) -> None:
    hold(draft, (*_PERPETUAL, *_DATED), 4)
    if draft.likely(0.3):
        order(draft, _PERPETUAL)
    _fund_coins(draft, ratio)
    if draft.likely(0.3):
        hold(draft, _USDT, 1)
        fund(draft, "USDT", draft.wallets, "USDT", ratio * draft.between(0.05, 1))


def _coin_isolated(draft: Draft, ratio: Decimal) -> None:
    symbols = draft.draw.sample((*_PERPETUAL, *_DATED), draft.draw.randint(1, 3))
    for number, symbol in enumerate(symbols):
        share = D(1) if number == 0 else draft.between(0.05, 1)
        sides = ["long", "short"]
        draft.draw.shuffle(sides)
        isolate(draft, symbol, sides[0], ratio * share)
        if draft.hedge and draft.likely(0.6):
            isolate(draft, symbol, sides[1], ratio * draft.between(0.05, 1))
    _coin_wallets(draft)["BTC"] = cut(draft.between(0, 1))
    if draft.likely(0.4):
        held = {row["symbol"] for row in draft.positions}
        free = tuple(s for s in (*_PERPETUAL, *_DATED) if s not in held)
        hold(draft, free, 2)
        _fund_coins(draft, ratio * draft.between(0.05, 1))


# --- portfolio margin


def _portfolio(draft: Draft, ratio: Decimal) -> None:
    draft.extra["loan_leverage"] = draft.draw.choice((3, 5, 10))
    hold(draft, (*_USDT, *_SMALL, *_USDC), 3)
    if draft.likely(0.6):
        hold(draft, (*_PERPETUAL, *_DATED), 2)
        for coin in ("BTC", "ETH", "SOL"):
            _coin_wallets(draft)[coin] = cut(draft.between(0, 1))
    margin = draft.table("margin")
    _back(draft, margin, (*_COINS, "USDC"))
    if draft.likely(0.5):
        coin = draft.draw.choice(("USDT", "USDC", "BTC", "ETH"))
        worth = _required(draft) * draft.between(0.1, 5)
        draft.table("borrowed")[coin] = cut(worth / D(MARKS.get(coin, "1")))
        if draft.likely(0.5):
            draft.table("interest")[coin] = cut(draft.table("borrowed")[coin] / 5000)
    if draft.likely(0.2):
        draft.extra["open_loss"] = cut(_required(draft) * draft.between(0.01, 0.1))
    if draft.likely(0.5):
        draft.wallets["USDT"] = cut(_required(draft) * draft.between(-0.5, 1))
    fund(draft, _UNIFIED, margin, draft.draw.choice(("USDT", "USDC", "BTC")), ratio)


_Kind = tuple[str, bool, Callable[[Draft, Decimal], None]]
_ALL = (*_USDT, *_SMALL)
_MADE: dict[str, _Kind] = {
    # kind: asset mode, whether in hedge mode, and how it is made
    "single": ("single_asset", False, _single(_ALL, 4)),
    "single hedge": ("single_asset", True, _single(_ALL, 3)),
    "single isolated": ("single_asset", False, _isolated),
    "single isolated hedge": ("single_asset", True, _isolated),
    "several margin assets": (
        "single_asset",
        False,
        _single((*_ALL, *_USDC, *_DOLLARS, *_QUOTED_IN_BTC), 6),
    ),
    "multi-assets": ("multi_assets", False, _multi),
    "multi-assets hedge": ("multi_assets", True, _multi),
    "multi-assets quoted in BTC": ("multi_assets", False, _multi_in_btc),
    "multi-assets covered": ("multi_assets", False, _covered),
    "credits": ("credits", False, _credits),
    "credits hedge": ("credits", True, _credits),
    "coin-m": ("single_asset", False, _coin),
    "coin-m hedge": ("single_asset", True, _coin),
    "coin-m isolated": ("single_asset", False, _coin_isolated),
    "coin-m isolated hedge": ("single_asset", True, _coin_isolated),
    "portfolio margin": ("portfolio_margin", False, _portfolio),
    "portfolio margin hedge": ("portfolio_margin", True, _portfolio),
    "pm pro": ("pm_pro", False, _portfolio),
}
KINDS = tuple(_MADE)
_MOST_ATTEMPTS = 60
_SMALLEST_PORTFOLIO = 50  # dollars that are required


def account(kind: str, seed: int) -> str:
    """The lines of TOML of one account of this kind."""
    mode, hedge, made = _MADE[kind]
    for attempt in range(_MOST_ATTEMPTS):
        draw = random.Random(f"binance/{kind}/{seed}/{attempt}")  # noqa: S311 - a seed, no secret
        draft = Draft(draw=draw, mode=mode, hedge=hedge)
        ratio = draft.between(0.5, 1.2) if seed % 2 == 0 else draft.between(0.01, 0.5)
        made(draft, ratio)
        if _is_as_asked(draft, seed):
            return draft.text()
    raise AssertionError(f"{kind} {seed}: no ratio as it should be")


def _is_as_asked(draft: Draft, seed: int) -> bool:
    """Not so small a portfolio that the eighth decimal of its dollars counts."""
    if draft.mode in PORTFOLIO_MODES and _required(draft) < _SMALLEST_PORTFOLIO:
        return False
    worst = max(draft.ratios())
    return _HALF <= worst <= _MOST if seed % 2 == 0 else worst < _HALF
