"""
Random OKX accounts of every kind, each with the ratio that its seed asks for.

`account(kind, seed)` gives the lines of one account of a scenario, for the prices in `MARKS`.
Its first pool stands at a ratio between 0.5 and 1.2 for an even seed, below 0.5 for an odd one:
that is solved by the simulator's own books, by the size of one wallet (or margin, or declared
requirement). It knows nothing of the product.
"""

import random
from collections.abc import Callable
from decimal import Decimal

from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_pools import UNIFIED, pools
from monitor.simulator.okx_rates import DISCOUNTS, PAIR_TIERS
from monitor.simulator.okx_tables import INSTRUMENTS
from tests.end_to_end.random_okx_parts import (
    COINS,
    DATED,
    DATED_INVERSE,
    IN_USD,
    INVERSE,
    LINEAR,
    MARKS,
    PRICES,
    USDC,
    D,
    Draft,
    back,
    cut,
    fund,
    fund_pools,
    hold,
    isolate,
    isolate_loan,
    loan,
    option,
    order,
    owe,
    position,
    ratio_for,
)

__all__ = ["KINDS", "MARKS", "account"]


def _spot(draft: Draft, ratio: Decimal) -> None:
    draft.extra["spot_borrow"] = True
    coins = [*COINS, "USDT"]
    owed = draft.draw.sample(coins, draft.draw.randint(1, 2))
    held = [coin for coin in coins[:5] if coin not in owed]
    for coin in draft.draw.sample(held, draft.draw.randint(1, min(3, len(held)))):
        draft.wallets[coin] = cut(D(str(10 ** draft.draw.uniform(1, 5))) / PRICES.usd(coin))
    for coin in owed:
        owe(draft, coin)
    paying = draft.draw.choice([c for c in draft.wallets if c not in owed])
    fund(draft, UNIFIED, paying, ratio)


def _futures(symbols: tuple[str, ...], most: int = 4) -> Callable[[Draft, Decimal], None]:
    def made(draft: Draft, ratio: Decimal) -> None:
        hold(draft, symbols, most)
        fund_pools(draft, ratio)

    return made


def _isolated(draft: Draft, ratio: Decimal) -> None:
    symbols = (*LINEAR, *INVERSE, *DATED)
    for number, symbol in enumerate(draft.draw.sample(symbols, draft.draw.randint(1, 3))):
        isolate(draft, symbol, ratio if number == 0 else ratio * draft.part(0.05, 1))
    if draft.likely(0.5):
        hold(draft, LINEAR, 2)
    draft.wallets["USDT"] = draft.part(0, 5000, 4)
    fund_pools(draft, ratio * draft.part(0.05, 1))


def _margin_cross(draft: Draft, ratio: Decimal) -> None:
    for pair in draft.draw.sample(list(PAIR_TIERS), draft.draw.randint(1, 2)):
        draft.loans.append(loan(draft, pair, cross=True))
    if draft.likely(0.5):
        hold(draft, LINEAR, 2)
    fund_pools(draft, ratio)


def _margin_isolated(draft: Draft, ratio: Decimal) -> None:
    for number, pair in enumerate(draft.draw.sample(list(PAIR_TIERS), draft.draw.randint(1, 2))):
        isolate_loan(draft, pair, ratio if number == 0 else ratio * draft.part(0.05, 1))
    draft.wallets["USDT"] = draft.part(0, 5000, 4)
    if draft.likely(0.5):
        hold(draft, LINEAR, 2)
        fund_pools(draft, ratio * draft.part(0.05, 1))


def _futures_options(draft: Draft, ratio: Decimal) -> None:
    draft.others += [option(draft, "BTC") for _ in range(draft.draw.randint(1, 2))]
    hold(draft, ("BTC-USD-SWAP", "BTC-USD-261225"), 2)
    fund_pools(draft, ratio)


def _multi(symbols: tuple[str, ...], most: int = 5) -> Callable[[Draft, Decimal], None]:
    def made(draft: Draft, ratio: Decimal) -> None:
        hold(draft, symbols, most)
        back(draft, much=False)
        fund(draft, UNIFIED, "USDT", ratio)

    return made


def _multi_borrowing(draft: Draft, ratio: Decimal) -> None:
    hold(draft, (*LINEAR, *USDC, *INVERSE), 3)
    back(draft, much=True)
    owed = draft.draw.choice(("USDT", "USDT", "USDC", "BTC", "ETH", "SOL"))
    owe(draft, owed)
    others = [coin for coin in ("BTC", "ETH", "USDC") if coin != owed]
    paying = draft.draw.choice(others)
    fund(draft, UNIFIED, paying, ratio)


def _multi_neutral(draft: Draft, ratio: Decimal) -> None:
    """
    A short about as large as the coins that stand behind it, and a debt elsewhere.

    Below, the short pays for what the coins lose; above, its loss is borrowed and costs margin
    of its own: such an account may end on both sides.
    """
    if ratio > HALF:
        ratio = draft.part(0.75, 1.1)
    coin = draft.draw.choice(("BTC", "ETH", "SOL"))
    symbol = f"{coin}-USDT-SWAP"
    row = position(draft, symbol, "short")
    draft.positions.append(row)
    mine = figures(draft.opened(), PRICES).positions[0]
    held = (mine.mmr + mine.fee) / mine.notional + draft.part(0.009, 0.0205)
    face = D(str(row["contracts"])) * INSTRUMENTS[symbol].face
    draft.wallets[coin] = cut(face * (1 + held) / DISCOUNTS[coin][0].rate)
    draft.wallets["USDT"] = cut(mine.notional * draft.part(0, 0.004) - mine.upl)
    fund(draft, UNIFIED, "USDC", ratio)


def _orders(
    made: Callable[[Draft, Decimal], None],
) -> Callable[[Draft, Decimal], None]:
    """
    With open orders, whose whole cost the exchange does not publish.

    On contracts in USDT alone: their cost stands still when a coin moves.
    """

    def with_orders(draft: Draft, ratio: Decimal) -> None:
        for _ in range(draft.draw.randint(1, 3)):
            draft.orders.append(order(draft, draft.draw.choice(LINEAR)))
        made(draft, ratio)

    return with_orders


def _multi_isolated(draft: Draft, ratio: Decimal) -> None:
    if draft.likely(0.3):
        draft.extra["strategy"] = {"USDT": cut(draft.part(1, 2000))}
    for symbol in draft.draw.sample((*LINEAR, *INVERSE, *DATED), draft.draw.randint(1, 2)):
        isolate(draft, symbol, ratio * draft.part(0.05, 1))
    _multi(LINEAR, 3)(draft, ratio)


def _multi_margin(draft: Draft, ratio: Decimal) -> None:
    isolate_loan(draft, draft.draw.choice(list(PAIR_TIERS)), ratio * draft.part(0.05, 1))
    _multi(LINEAR, 3)(draft, ratio)


def _multi_options(draft: Draft, ratio: Decimal) -> None:
    """On a coin that no other position is on: what an option does when it moves is not known."""
    draft.others.append(option(draft, "ETH"))
    _multi(("BTC-USDT-SWAP", "SOL-USDT-SWAP", "BTC-USD-SWAP"), 3)(draft, ratio)


def _portfolio(draft: Draft, ratio: Decimal) -> None:
    hold(draft, (*LINEAR, *INVERSE, *DATED), 4)
    back(draft, much=True)
    draft.extra["fixed_mmr"] = D(1)
    now = figures(draft.opened(), PRICES)
    lost = now.adjusted_equity - cut(D(str(10 ** draft.draw.uniform(3, 6))))
    if lost < 0:
        usdt = D(str(draft.wallets.get("USDT", D(0))))
        draft.wallets["USDT"] = usdt + cut(-lost / PRICES.usd("USDT"))
    needed = figures(draft.opened(), PRICES).adjusted_equity * ratio
    draft.extra["fixed_fee"] = cut(needed * draft.part(0.02, 0.12))
    draft.extra["fixed_mmr"] = cut(needed) - D(str(draft.extra["fixed_fee"]))


_SWAPS = (*LINEAR, *USDC, *INVERSE)
_MADE: dict[str, tuple[str, bool, Callable[[Draft, Decimal], None]]] = {
    # kind: account mode, whether in long/short mode, and how it is made
    "spot borrowing": ("spot", False, _spot),
    "futures linear": ("futures", False, _futures(LINEAR)),
    "futures inverse": ("futures", False, _futures(INVERSE, 3)),
    "futures several pools": ("futures", False, _futures(_SWAPS, 6)),
    "futures long-short": ("futures", True, _futures(_SWAPS, 3)),
    "futures expiry": ("futures", False, _futures((*DATED, *DATED_INVERSE, *LINEAR), 5)),
    "futures expiry long-short": ("futures", True, _futures((*DATED, *DATED_INVERSE), 3)),
    "futures in USD": ("futures", False, _futures((*IN_USD, *USDC), 3)),
    "futures isolated": ("futures", False, _isolated),
    "futures isolated long-short": ("futures", True, _isolated),
    "futures margin cross": ("futures", False, _margin_cross),
    "futures margin isolated": ("futures", False, _margin_isolated),
    "futures orders": ("futures", False, _orders(_futures(LINEAR))),
    "futures options": ("futures", False, _futures_options),
    "multi": ("multi_currency", False, _multi(LINEAR)),
    "multi long-short": ("multi_currency", True, _multi(LINEAR, 3)),
    "multi several settle coins": ("multi_currency", False, _multi(_SWAPS)),
    "multi inverse": ("multi_currency", False, _multi(INVERSE)),
    "multi expiry": ("multi_currency", False, _multi((*DATED, *DATED_INVERSE, *LINEAR))),
    "multi in USD": ("multi_currency", False, _multi((*IN_USD, *USDC), 3)),
    "multi borrowing": ("multi_currency", False, _multi_borrowing),
    "multi hedged by its coins": ("multi_currency", False, _multi_neutral),
    "multi isolated": ("multi_currency", False, _multi_isolated),
    "multi margin isolated": ("multi_currency", False, _multi_margin),
    "multi orders": ("multi_currency", False, _orders(_multi(LINEAR))),
    "multi options": ("multi_currency", False, _multi_options),
    "portfolio": ("portfolio", False, _portfolio),
}
KINDS = tuple(_MADE)
_MOST_ATTEMPTS = 50
HALF = D("0.5")


def account(kind: str, seed: int) -> str:
    """The lines of TOML of one account of this kind."""
    mode, hedge, made = _MADE[kind]
    for attempt in range(_MOST_ATTEMPTS):
        draw = random.Random(f"{kind}/{seed}/{attempt}")  # noqa: S311 - a seed, no secret
        draft = Draft(draw=draw, mode=mode, hedge=hedge)
        if draft.likely(0.3):
            draft.extra["taker_rate"] = D("0.0004")
            draft.extra["futures_taker_rate"] = draft.draw.choice((D("0.0004"), D("0.001")))
            draft.extra["spot_taker_rate"] = draft.draw.choice((D("0.0008"), D("0.0015")))
        made(draft, ratio_for(draft, seed))
        if _is_as_asked(draft, seed):
            return draft.text()
    raise AssertionError(f"{kind} {seed}: no ratio as it should be")


def _is_as_asked(draft: Draft, seed: int) -> bool:
    """Not where the requirement jumps, at a tier's edge, over the ratio that was asked for."""
    worst = max(pool.ratio for pool in pools(draft.opened(), PRICES))
    return HALF <= worst <= D("1.2") if seed % 2 == 0 else worst < HALF
