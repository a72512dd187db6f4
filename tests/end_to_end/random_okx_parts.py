"""What the random OKX accounts are made of: positions, loans, coins, and the solving of a ratio."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from monitor.simulator.okx_account import Account, Prices
from monitor.simulator.okx_accounts import opened
from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_pools import pool_of, room_and_need
from monitor.simulator.okx_rates import DISCOUNTS, LOAN_TIERS, PAIR_TIERS
from monitor.simulator.okx_tables import INSTRUMENTS, PAIRS, TIERS
from monitor.simulator.scenario import parse

D = Decimal
MARKS = {"BTC": "94321.7", "ETH": "3456.78", "SOL": "171.23", "XRP": "2.3457"}

LINEAR = ("BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP", "XRP-USDT-SWAP")
USDC = ("BTC-USDC-SWAP",)
INVERSE = ("BTC-USD-SWAP", "ETH-USD-SWAP", "SOL-USD-SWAP", "XRP-USD-SWAP")
DATED = (
    "BTC-USDT-261225",
    "BTC-USDT-270326",
    "ETH-USDT-261225",
    "ETH-USDT-270326",
    "XRP-USDT-261225",
)
DATED_INVERSE = ("BTC-USD-261225", "BTC-USD-270326", "ETH-USD-261225")
IN_USD = ("BTC-USD_UM-261225", "BTC-USD_UM-270326")
COINS = ("BTC", "ETH", "SOL", "XRP", "USDC")
_LEVERAGES = (2, 3, 5, 10, 20, 50)
_EIGHT = D("0.00000001")
_HALVINGS = 90


@dataclass
class Draft:
    """An account in the making."""

    draw: random.Random
    mode: str
    hedge: bool = False
    wallets: dict[str, Decimal] = field(default_factory=dict)
    positions: list[dict[str, object]] = field(default_factory=list)
    loans: list[dict[str, object]] = field(default_factory=list)
    others: list[dict[str, object]] = field(default_factory=list)
    orders: list[dict[str, object]] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """Its lines of TOML."""
        extra = dict(self.extra)
        if self.loans:
            extra["loans"] = self.loans
        if self.others:
            extra["others"] = self.others
        return (
            f'mode = "{self.mode}"\n'
            f'position_mode = "{"hedge" if self.hedge else "one_way"}"\n'
            "stays = true\n"
            f"wallets = {_toml(self.wallets)}\n"
            f"positions = {_toml(self.positions)}\n"
            f"orders = {_toml(self.orders)}\n"
            f"extra = {_toml(extra)}\n"
        )

    def opened(self) -> Account:
        head = 'name = "r"\ndescription = ""\nseed = 1\nduration_seconds = 1\n[market]\n'
        account = f'[[accounts]]\nname = "a"\nexchange = "okx"\n{self.text()}'
        return opened(parse(head + account, "random").accounts[0], 0, 0)

    def part(self, low: float, high: float, digits: int = 6) -> Decimal:
        return D(str(round(self.draw.uniform(low, high), digits)))

    def likely(self, chance: float) -> bool:
        return self.draw.random() < chance


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case dict():
            return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(_toml(one) for one in value) + "]"
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


PRICES = Prices(coin=lambda base: D(MARKS[base]), usdt=D("0.9998"), usdc=D("0.9999"))


def mark_of(symbol: str) -> Decimal:
    return PRICES.mark(INSTRUMENTS.get(symbol) or PAIRS[symbol])


# --- what is held


def size(draft: Draft, symbol: str) -> Decimal:
    """Contracts: of some value in USD, or a few lots beside a tier's edge."""
    it = INSTRUMENTS[symbol]
    usd = D(str(10 ** draft.draw.uniform(1.7, 7.2)))
    each = it.face * mark_of(symbol) if it.is_linear else it.face
    contracts = usd / each
    if draft.likely(0.4):
        tiers = TIERS[it.kind][it.family]
        edge = draft.draw.choice((*tiers[:6], tiers[-1])).max_size
        contracts = edge + it.lot * draft.draw.choice((-2, -1, 0, 1, 2, 40))
    lots = (contracts / it.lot).to_integral_value(rounding=ROUND_DOWN)
    return max(D(1), lots) * it.lot


def position(draft: Draft, symbol: str, side: str, **more: object) -> dict[str, object]:
    """A position whose entry lies up to a tenth beside the mark."""
    entry = (mark_of(symbol) * (1 + draft.part(-0.1, 0.1))).quantize(D("0.0000001"))
    return {
        "symbol": symbol,
        "side": side,
        "contracts": more.pop("contracts", None) or size(draft, symbol),
        "entry_price": entry,
        "leverage": draft.draw.choice(_LEVERAGES),
        **more,
    }


def hold(draft: Draft, symbols: Iterable[str], most: int) -> None:
    """Positions on up to so many of the contracts, hedged in long/short mode."""
    known = list(symbols)
    for symbol in draft.draw.sample(known, draft.draw.randint(1, min(most, len(known)))):
        first = draft.draw.choice(("long", "short"))
        draft.positions.append(position(draft, symbol, first))
        if draft.hedge and draft.likely(0.75):
            other = "short" if first == "long" else "long"
            contracts = None
            if draft.likely(0.5):  # nearly as large as the other side
                lot = INSTRUMENTS[symbol].lot
                mine = D(str(draft.positions[-1]["contracts"])) * draft.part(0.8, 1.2, 2)
                contracts = max(lot, (mine / lot).quantize(D(1)) * lot)
            draft.positions.append(position(draft, symbol, other, contracts=contracts))


def isolate(draft: Draft, symbol: str, ratio: Decimal) -> None:
    """An isolated position at this ratio, by its margin."""
    it = INSTRUMENTS[symbol]
    side = draft.draw.choice(("long", "short"))
    row = position(draft, symbol, side, margin_mode="isolated", isolated_margin=D(1))
    for _ in range(20):
        draft.positions.append(row)
        now = figures(draft.opened(), PRICES)
        mine = now.positions[len(draft.positions) - 1]
        draft.positions.pop()
        margin = cut((mine.mmr + mine.fee) / ratio - mine.upl)
        if margin > 0:
            row["isolated_margin"] = margin
            draft.positions.append(row)
            return
        # What it has gained already is more than it needs: it came in at a worse price.
        entry = D(str(row["entry_price"]))
        row["entry_price"] = (entry + mark_of(symbol)) / 2
        if abs(D(str(row["entry_price"])) / mark_of(symbol) - 1) < D("0.001"):
            worse = D("1.02") if side == "long" else D("0.98")
            row["entry_price"] = mark_of(symbol) * worse
        row["entry_price"] = D(str(row["entry_price"])).quantize(D("0.0000001"))
    raise AssertionError(f"no margin for {it.inst_id}")


def loan(draft: Draft, pair: str, *, cross: bool) -> dict[str, object]:
    """A MARGIN position: of some value, or with a debt beside a tier's edge."""
    long, mark = draft.likely(0.5), mark_of(pair)
    owed = D(str(10 ** draft.draw.uniform(2, 6))) / (1 if long else mark)
    interest = draft.part(0, 0.0005, 8)
    if draft.likely(0.4):
        tier = draft.draw.choice(PAIR_TIERS[pair][:5])
        edge = tier.most_quote if long else tier.most_base
        owed = edge * (1 + D(draft.draw.choice((-1, 0, 1))) / 1000)
        # Whether interest would carry the debt over the edge is not documented.
        interest = D(0) if cross else interest
    worth = owed / mark if long else owed * mark
    base, quote = pair.split("-")
    held_ccy, owed_ccy = (base, quote) if long else (quote, base)
    row: dict[str, object] = {
        "symbol": pair,
        "side": "long" if long else "short",
        "held": cut(worth * draft.part(0.97, 1.03)),
        "owed": cut(owed),
        "interest": cut(owed * interest),
        "entry_price": (mark * (1 + draft.part(-0.05, 0.05))).quantize(D("0.0000001")),
        "leverage": draft.draw.choice((2, 3, 5)),
    }
    return row | ({"ccy": draft.draw.choice((held_ccy, owed_ccy))} if cross else {})


def isolate_loan(draft: Draft, pair: str, ratio: Decimal) -> None:
    """An isolated MARGIN position at this ratio, by what it holds."""
    row = loan(draft, pair, cross=False) | {"isolated_margin": D(1)}
    draft.loans.append(row)

    def slack(held: Decimal) -> Decimal:
        row["held"] = held
        mine = figures(draft.opened(), PRICES).positions[-1]
        return mine.equity - (mine.mmr + mine.fee) / ratio

    row["held"] = cut(_root(slack, D(0), 3 * D(str(row["held"])), 45))
    row["isolated_margin"] = cut(D(str(row["held"])) * draft.part(0.02, 0.3))


def order(draft: Draft, symbol: str) -> dict[str, object]:
    """An open order, up to a fifth beside the mark."""
    side, far = draft.draw.choice((("buy", -1), ("sell", 1)))
    price = mark_of(symbol) * (1 + far * draft.part(0.001, 0.2))
    row: dict[str, object] = {
        "symbol": symbol,
        "side": side,
        "kind": "limit",
        "contracts": size(draft, symbol),
        "price": price.quantize(INSTRUMENTS[symbol].tick),
    }
    hedged = {"position_side": draft.draw.choice(("long", "short"))} if draft.hedge else {}
    return row | hedged


def option(draft: Draft, coin: str) -> dict[str, object]:
    """An option with the figures that the exchange gives it."""
    short = draft.likely(0.6)
    worth = draft.part(0.001, 0.2)
    return {
        "inst_type": "OPTION",
        "inst_id": f"{coin}-USD-261225-{'100000' if coin == 'BTC' else '4000'}-C",
        "ccy": coin,
        "pos": D(-1 if short else 1),
        "avg_px": D("0.04"),
        "mark_px": draft.part(0.01, 0.1, 4),
        "upl": draft.part(-0.01, 0.01),
        "value": -worth if short else worth,
        "mmr": draft.part(0.001, 0.1) if short else D(0),
        "imr": draft.part(0.1, 0.2) if short else D(0),
        "fee": draft.part(0.0001, 0.001) if short else D(0),
    }


# --- how it is brought to its ratio


def ratio_for(draft: Draft, seed: int) -> Decimal:
    if seed % 2 == 0:
        return draft.part(0.505, 1.195)
    return D(str(round(10 ** draft.draw.uniform(-2.3, -0.31), 8)))


def cut(value: Decimal) -> Decimal:
    return value.quantize(_EIGHT, rounding=ROUND_DOWN)


def _root(slack: Callable[[Decimal], Decimal], low: Decimal, high: Decimal, steps: int) -> Decimal:
    """Where a rising function crosses zero between the two."""
    for _ in range(steps):
        middle = (low + high) / 2
        if slack(middle) > 0:
            high = middle
        else:
            low = middle
    return high


def fund(draft: Draft, pool: str, coin: str, ratio: Decimal) -> None:
    """Put as much of the coin into its wallet as brings the pool to the ratio; it may be a debt."""
    account = draft.opened()

    def slack(amount: Decimal) -> Decimal:
        there = replace(account, cash=account.cash | {coin: amount})
        balance, needed = room_and_need(figures(there, PRICES), pool)
        return balance - needed / ratio

    high = D(1)
    while slack(high) <= 0:
        high *= 4
    low = -D(1)
    while slack(low) > 0:
        low *= 4
    draft.wallets[coin] = cut(_root(slack, low, high, _HALVINGS))


def fund_pools(draft: Draft, ratio: Decimal) -> None:
    """Every coin's pool of a futures mode account: one at the ratio, others at some below."""
    now = figures(draft.opened(), PRICES)
    cross = [p for p in now.positions if not p.position.is_isolated]
    pools = list(dict.fromkeys(pool_of(now, p) for p in cross))
    pools += [c.ccy for c in now.coins if c.requirement > 0 and c.ccy not in pools]
    for number, pool in enumerate(pools):
        fund(draft, pool, pool, ratio if number == 0 else ratio * draft.part(0.05, 1))


def back(draft: Draft, *, much: bool) -> None:
    """Coins as collateral: some, of little or of very different value; some switched off."""
    for coin in draft.draw.sample(COINS, draft.draw.randint(1, 4)):
        usd = D(str(10 ** draft.draw.uniform(2 if much else 0, 7 if much else 5)))
        amount = usd / PRICES.usd(coin)
        if draft.likely(0.3) and DISCOUNTS[coin][0].cap is not None:
            edge = draft.draw.choice([s.cap for s in DISCOUNTS[coin] if s.cap is not None])
            amount = edge * (1 + D(draft.draw.choice((-1, 0, 1, 60))) / 1000)
        draft.wallets[coin] = cut(amount)
    if draft.likely(0.15):
        draft.extra["switched_off"] = [draft.draw.choice(("SOL", "XRP"))]


def owe(draft: Draft, coin: str) -> None:
    """A debt in a coin, with interest not yet paid; sometimes beside a tier's edge."""
    amount = D(str(10 ** draft.draw.uniform(2, 6))) / PRICES.usd(coin)
    if draft.likely(0.3):
        edge = draft.draw.choice(LOAN_TIERS[coin][:3]).most
        amount = edge * (1 + D(draft.draw.choice((-2, -1, 1, 2))) / 1000)
    draft.wallets[coin] = -cut(amount)
    if draft.likely(0.6):
        interest = cut(amount * draft.part(0, 0.0005, 8))
        draft.extra["interest"] = {**_interest(draft), coin: interest}


def _interest(draft: Draft) -> dict[str, Decimal]:
    known = draft.extra.get("interest", {})
    return dict(known) if isinstance(known, dict) else {}
