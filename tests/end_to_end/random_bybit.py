"""
Random Bybit accounts of every kind, each the same for the same seed, made with the simulator's
own ledger and nothing of the product.

An even seed aims at a margin ratio between 0.5 and 1.2, an odd one at one below 0.5: the wallet,
or what is posted for an isolated position, is solved for it. All accounts hold at the marks of
`MARKS`.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from random import Random

from monitor.simulator.bybit_account import Prices
from monitor.simulator.bybit_accounts import opened
from monitor.simulator.bybit_ledger import figures, risk_values, tier_of
from monitor.simulator.bybit_tables import COLLATERAL_RATIOS, INSTRUMENTS, RISK_LIMITS, Instrument
from monitor.simulator.scenario import parse
from tests.end_to_end import kinds
from tests.end_to_end.random_bybit_isolated import posted
from tests.end_to_end.random_bybit_text import Draft, Leg, digits

D = Decimal
_TRIES = 200
MARKS = {it.base: format(it.resting_price, "f") for it in INSTRUMENTS.values()} | kinds.MARKS
_LEVERAGES = ("2", "3", "5", "8", "10", "12.5", "20", "25", "33.33", "50")
_USDT = tuple(s for s, it in INSTRUMENTS.items() if s == f"{it.base}USDT")
_USDC = tuple(s for s, it in INSTRUMENTS.items() if s == f"{it.base}PERP")
_INVERSE = ("BTCUSD", "ETHUSD")
_EXPIRING = tuple(s for s, it in INSTRUMENTS.items() if it.delivery_ms)
PRICES = Prices(coin=lambda base: D(MARKS[base]))
Rules = Callable[[Random, Draft], str | None]


def account(kind: str, seed: int) -> str:
    """The lines of one account of a scenario, but for its name and exchange."""
    random = Random(f"bybit/{kind}/{seed}")  # noqa: S311 - repeatable on purpose
    for _ in range(_TRIES):
        draft = Draft()
        if random.random() < 0.3:
            draft.taker_rate = D(random.choice(("0.0004", "0.00055", "0.001")))
            draft.tax = D(random.choice(("0", "0.18", "0.2")))
        aims = (0.5, 1.2) if seed % 2 == 0 else (0.02, 0.5)
        target = D(str(round(random.uniform(*aims), 6)))
        coin = _KINDS[kind](random, draft)
        if not _lawful(draft):
            continue
        if draft.mode == "isolated":
            if posted(draft, PRICES, aims, random):
                return draft.toml()
        elif coin is not None and _funded(draft, coin, target):
            return draft.toml()
    raise RuntimeError(f"no account of kind {kind!r} for seed {seed}")


# --- what the kinds hold; each gives the coin whose amount is solved


def _cross_usdt(random: Random, draft: Draft) -> str:
    draft.legs = [_leg(random, s) for s in random.sample(_USDT, random.randint(1, 4))]
    return "USDT"


def _cross_usdc(random: Random, draft: Draft) -> str:
    draft.legs = [_leg(random, s) for s in random.sample(_USDC, random.randint(1, 3))]
    for leg in draft.legs:
        if random.random() < 0.3:
            draft.sessions[leg.symbol] = _near(random, leg.symbol, 0.03)
    return "USDC"


def _cross_inverse(random: Random, draft: Draft) -> str:
    draft.legs = [_leg(random, s) for s in random.sample(_INVERSE, random.randint(1, 2))]
    settles = [INSTRUMENTS[leg.symbol].settle for leg in draft.legs]
    for coin in settles:
        draft.wallets[coin] = D(0)
    if len(settles) > 1:
        draft.wallets[settles[1]] = digits(draft.gross(PRICES) / 50 / PRICES.index(settles[1]))
    return settles[0]


def _cross_mixed(random: Random, draft: Draft) -> str:
    symbols = [random.choice(_USDT), random.choice(_USDC), random.choice(_INVERSE)]
    symbols += random.sample(_USDT, random.randint(0, 2))
    draft.legs = [_leg(random, s) for s in dict.fromkeys(symbols)]
    _spread(random, draft, ("USDC", "BTC", "ETH", "SOL"), 0.02)
    return random.choice(("USDT", "USDT", "BTC"))


def _cross_hedge(random: Random, draft: Draft) -> str:
    draft.hedge = True
    if random.random() < 0.3:
        draft.legs = _at_an_edge(random)
        return "USDT"
    for symbol in random.sample(_USDT, random.randint(1, 2)):
        long = _leg(random, symbol, "long")
        short = _leg(random, symbol, "short")
        if random.random() < 0.6:  # nearly locked: a rise ends it as well as a fall
            short.contracts = _step(long.contracts * D(str(random.uniform(0.99, 1.01))), symbol)
        short.leverage = long.leverage
        draft.legs += [long, short]
    if random.random() < 0.5:
        held = {leg.symbol for leg in draft.legs}
        draft.legs.append(_leg(random, random.choice([s for s in _USDT if s not in held])))
    return "USDT"


def _at_an_edge(random: Random) -> list[Leg]:
    """
    A long and a shorter short, both just below a tier's edge: liquidated both ways.

    A fall takes more from the long than the lower tier's maintenance margins give back, a rise
    brings less than the higher tier's take.
    """
    edges = [
        (symbol, lower, upper)
        for symbol in _USDT
        for lower, upper in pairwise(RISK_LIMITS[symbol])
        if upper.maintenance_rate >= 2 * lower.maintenance_rate
    ]
    symbol, lower, upper = random.choice(edges)
    net = lower.maintenance_rate + upper.maintenance_rate
    size = lower.limit * D("0.9999") / PRICES.mark(INSTRUMENTS[symbol])
    long, short = _leg(random, symbol, "long"), _leg(random, symbol, "short")
    long.contracts, short.contracts = _step(size, symbol), _step(size * (1 - net), symbol)
    short.leverage = long.leverage
    return [long, short]


def _cross_orders(random: Random, draft: Draft) -> str:
    _cross_usdt(random, draft)
    for leg in list(draft.legs):
        if random.random() < 0.8:
            side = leg.side if random.random() < 0.7 else _other(leg.side)
            part = leg.contracts * D(str(random.uniform(0.05, 0.9)))
            draft.order(
                leg.symbol, side, _step(part, leg.symbol), _behind(random, leg.symbol, side)
            )
        if random.random() < 0.4:
            draft.stop(leg.symbol, _other(leg.side), _behind(random, leg.symbol, leg.side))
    if random.random() < 0.5:
        free = [s for s in _USDT if s not in {leg.symbol for leg in draft.legs}]
        extra = _leg(random, random.choice(free))
        draft.order(
            extra.symbol, extra.side, extra.contracts, _behind(random, extra.symbol, extra.side)
        )
    return "USDT"


def _cross_borrowing(random: Random, draft: Draft) -> str:
    """A settle coin below zero, a loan taken by hand, or both; other coins stand for them."""
    draft.legs = [
        _leg(random, s) for s in random.sample((*_USDT[:6], *_USDC), random.randint(1, 3))
    ]
    gross = draft.gross(PRICES)
    kind = random.choice(("below zero", "by hand", "ahead", "coin"))
    debt = gross * D(str(random.uniform(0.005, 0.2)))
    if kind == "below zero":
        draft.wallets["USDT"] = digits(-debt)
    elif kind == "by hand":
        draft.borrowed["USDT"] = digits(debt)
        draft.wallets["USDT"] = digits(debt * D(str(random.uniform(0.2, 1.5))))
    elif kind == "ahead":
        draft.wallets["USDT"] = digits(debt / 20)
    else:
        draft.borrowed["ETH"] = digits(min(debt / PRICES.index("ETH"), D(4000)))
        draft.wallets["ETH"] = digits(draft.borrowed["ETH"] * D(str(random.uniform(0, 1.2))))
    _spread(random, draft, ("USDC", "SOL"), 0.01)
    return "BTC" if gross < D(30_000_000) else "USDC"


def _cross_collateral(random: Random, draft: Draft) -> str:
    """Many floating coins, some past the edges of their ratios, one off, one that never counts."""
    symbols = ["BTCUSDT", "ETHUSDT", *random.sample(_USDT[2:], random.randint(0, 2))]
    draft.legs = [_leg(random, s) for s in random.sample(symbols, random.randint(1, len(symbols)))]
    share = random.choice((0.005, 0.02, 0.1))
    _spread(random, draft, ("BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "LTC"), share)
    if random.random() < 0.4:
        coin = random.choice(("BTC", "ETH", "SOL"))
        caps = [tier.cap for tier in COLLATERAL_RATIOS[coin] if tier.cap is not None]
        draft.wallets[coin] = digits(random.choice(caps) * D(str(random.uniform(0.95, 1.05))))
        draft.owes = True
    draft.owes = draft.owes or random.random() < 0.4
    if draft.wallets and random.random() < 0.3:
        draft.switched_off = [random.choice(list(draft.wallets))]
    if random.random() < 0.3:
        draft.wallets["VOXEL"] = digits(D(str(random.uniform(10, 10_000))))
    return "USDT"


def _cross_futures(random: Random, draft: Draft) -> str:
    symbols = random.sample(_EXPIRING, random.randint(1, 3))
    symbols += random.sample(("BTCUSDT", "ETHUSDT", "BTCPERP", "BTCUSD"), random.randint(0, 2))
    draft.legs = [_leg(random, s) for s in symbols]
    _spread(random, draft, ("USDC", "BTC", "ETH"), 0.01)
    return "USDT"


def _isolated(random: Random, draft: Draft) -> None:
    draft.mode = "isolated"
    symbols = (*_USDT, *_USDC, "BTCUSDT-31DEC27")
    draft.legs = [_leg(random, s) for s in random.sample(symbols, random.randint(1, 4))]


def _isolated_hedge(random: Random, draft: Draft) -> None:
    draft.mode, draft.hedge = "isolated", True
    for symbol in random.sample(_USDT, random.randint(1, 2)):
        draft.legs += [_leg(random, symbol, side) for side in ("long", "short")]


def _isolated_inverse(random: Random, draft: Draft) -> None:
    draft.mode = "isolated"
    symbols = (*_INVERSE, "BTCUSDZ27")
    draft.legs = [_leg(random, s) for s in random.sample(symbols, random.randint(1, 2))]


def _portfolio(random: Random, draft: Draft) -> str:
    random.choice((_cross_usdt, _cross_usdc, _cross_inverse, _cross_mixed))(random, draft)
    draft.mode = "portfolio"
    draft.fixed_mm = digits(draft.gross(PRICES) * D(str(random.uniform(0.003, 0.05))))
    draft.fixed_im = digits(draft.fixed_mm * D("1.3"))
    if random.random() < 0.5:
        _options(random, draft, margins=False)
    return random.choice(("USDT", "USDC"))


def _with_options(random: Random, draft: Draft) -> str:
    random.choice((_cross_usdt, _cross_usdc, _cross_mixed))(random, draft)
    _options(random, draft, margins=True)
    return random.choice(("USDT", "USDC"))


_KINDS: Mapping[str, Rules] = {
    "cross usdt": _cross_usdt,
    "cross usdc": _cross_usdc,
    "cross inverse": _cross_inverse,
    "cross mixed": _cross_mixed,
    "cross hedge": _cross_hedge,
    "cross orders": _cross_orders,
    "cross borrowing": _cross_borrowing,
    "cross collateral": _cross_collateral,
    "cross futures": _cross_futures,
    "isolated": _isolated,
    "isolated hedge": _isolated_hedge,
    "isolated inverse": _isolated_inverse,
    "portfolio": _portfolio,
    "options": _with_options,
}
KINDS: tuple[str, ...] = tuple(_KINDS)


# --- parts


def _leg(random: Random, symbol: str, side: str | None = None) -> Leg:
    it, mark = INSTRUMENTS[symbol], PRICES.mark(INSTRUMENTS[symbol])
    return Leg(
        symbol=symbol,
        side=side or random.choice(("long", "short")),
        contracts=_size(random, it, mark),
        entry=_near(random, symbol, random.choice((0.002, 0.02, 0.12))),
        leverage=D(random.choice(_LEVERAGES)),
    )


def _size(random: Random, it: Instrument, mark: Decimal) -> Decimal:
    """Tiny to huge, three in ten within a hundredth of a tier's edge."""
    limits = [tier.limit for tier in RISK_LIMITS[it.symbol]]
    if random.random() < 0.3:
        value = random.choice(limits[:8]) * D(str(1 + random.uniform(-0.01, 0.01)))
    else:
        usd = PRICES.index(it.settle)
        value = D(str(10 ** random.uniform(1.5, 7.3))) / usd
    value = min(value, limits[-1] * D("0.98"))
    size = value / mark if it.category == "linear" else value * mark
    return _step(size, it.symbol)


def _step(size: Decimal, symbol: str) -> Decimal:
    step = INSTRUMENTS[symbol].step
    return max(step, (size / step).to_integral_value(rounding=ROUND_DOWN) * step)


def _near(random: Random, symbol: str, most: float) -> Decimal:
    price = PRICES.mark(INSTRUMENTS[symbol]) * D(str(1 + random.uniform(-most, most)))
    return digits(price)


def _behind(random: Random, symbol: str, side: str) -> Decimal:
    """A price that an order of this side waits at: below the mark for a long, else above."""
    it = INSTRUMENTS[symbol]
    away = D(str(random.uniform(0.005, 0.1)))
    price = PRICES.mark(it) * (1 - away if side == "long" else 1 + away)
    return (price / it.tick).to_integral_value(rounding=ROUND_DOWN) * it.tick


def _other(side: str) -> str:
    return "short" if side == "long" else "long"


def _spread(random: Random, draft: Draft, coins: tuple[str, ...], share: float) -> None:
    """Put up to so much of the gross value into some of these coins."""
    gross = draft.gross(PRICES)
    for coin in random.sample(coins, random.randint(0, len(coins))):
        usd = gross * D(str(random.uniform(0, share)))
        draft.wallets[coin] = draft.wallets.get(coin, D(0)) + digits(usd / PRICES.index(coin))


def _options(random: Random, draft: Draft, *, margins: bool) -> None:
    gross = draft.gross(PRICES)
    for _ in range(random.randint(1, 3)):
        # Any strike: no two accounts of a scenario hold the same option with other figures.
        tether = "-USDT" if random.random() < 0.3 else ""
        mark = digits(D(str(random.uniform(5, 4000))))
        size = max(D("0.01"), digits(gross * D(str(random.uniform(0, 0.01))) / mark, "0.01"))
        draft.options.append(
            {
                "symbol": f"BTC-31DEC27-{random.randrange(10**7)}-{random.choice('CP')}{tether}",
                "side": random.choice(("Buy", "Sell")),
                "size": size,
                "entry": digits(mark * D(str(random.uniform(0.8, 1.2)))),
                "mark": mark,
                "initial_margin": digits(mark * size * D("0.4")) if margins else D(0),
                "maintenance_margin": digits(mark * size * D("0.15")) if margins else D(0),
            }
        )


# --- the amount that makes the ratio


def _lawful(draft: Draft) -> bool:
    """
    Bring each leverage down to what its tier allows, orders counted on either side.

    False where an order of a symbol that is not held would be past what 10x is allowed for.
    """
    ledger = opened(parse(draft.scenario(), "draft").accounts[0], 0)
    most: dict[str, Decimal] = {}
    for (symbol, _), value in risk_values(ledger, PRICES).items():
        allowed = tier_of(symbol, value).max_leverage
        most[symbol] = min(most.get(symbol, allowed), allowed)
    for leg in draft.legs:
        leg.leverage = min(leg.leverage, most[leg.symbol])
    held = {leg.symbol for leg in draft.legs}
    return all(allowed >= 10 for symbol, allowed in most.items() if symbol not in held)


def _funded(draft: Draft, coin: str, target: Decimal) -> bool:
    """Solve the coin's amount; False where no amount does, or only one that no wallet has."""
    spec = parse(draft.scenario(), "draft").accounts[0]
    ledger = opened(spec, 0)

    def enough(amount: Decimal) -> bool:
        ledger.wallets[coin] = amount
        now = figures(ledger, PRICES)
        return now.carrying * target > now.maintenance_margin

    high = draft.value(PRICES) / PRICES.index(coin) * 4 + 1
    low = -high if draft.owes else D(0)
    if enough(low) or not enough(high):
        return False
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    draft.wallets[coin] = digits(high)
    ledger.wallets[coin] = draft.wallets[coin]
    now = figures(ledger, PRICES)
    ratio = now.rate(now.maintenance_margin)
    return abs(ratio - target) < D("0.01")
