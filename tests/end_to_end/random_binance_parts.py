"""Parts of random Binance accounts: a draft of one, positions by chance, and wallets solved for."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random

from monitor.simulator.binance_accounts import NAME, BinanceAccount, open_account, prices_for
from monitor.simulator.binance_ledger import ALL_SYMBOLS
from monitor.simulator.binance_pools import Pool
from monitor.simulator.binance_prices import Prices
from monitor.simulator.binance_quotes import Quotes
from monitor.simulator.scenario import AccountSpec, OrderSpec, PositionSpec, Scenario, parse
from monitor.simulator.world import World
from tests.end_to_end import kinds

D = Decimal
# Beside the usual coins those of small and other contracts, so that a test can move them all.
MARKS = kinds.MARKS | {"BNB": "600", "XAU": "4100", "ACT": "0.0213377", "1000SATS": "0.0317123"}
_UNIT = D("0.00000001")
_ROUNDS = 40


def _world() -> World:
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = 'name = "x"\ndescription = "x"\nseed = 1\nduration_seconds = 60\naccounts = []\n'
    scenario: Scenario = parse(head + market, "random")
    world = World(scenario)
    for path in scenario.paths:
        world.pin(path.base, path.start)
    world.publish(NAME)
    return world


QUOTES = Quotes(_world(), NAME)


def cut(value: Decimal) -> Decimal:
    return value.quantize(_UNIT, rounding=ROUND_HALF_EVEN)


@dataclass(kw_only=True)
class Draft:
    """An account in the making."""

    draw: Random
    mode: str
    hedge: bool = False
    wallets: dict[str, Decimal] = field(default_factory=dict)
    positions: list[dict[str, object]] = field(default_factory=list)
    orders: list[dict[str, object]] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)

    def likely(self, chance: float) -> bool:
        return self.draw.random() < chance

    def between(self, low: float, high: float) -> Decimal:
        return D(str(round(self.draw.uniform(low, high), 9)))

    def table(self, name: str) -> dict[str, Decimal]:
        """A table of amounts within `extra`."""
        found = self.extra.setdefault(name, {})
        assert isinstance(found, dict)
        return found

    def opened(self) -> BinanceAccount:
        """The account in the simulator's own books."""
        return open_account(
            AccountSpec(
                name="a",
                exchange=NAME,
                mode=self.mode,
                position_mode="hedge" if self.hedge else "one_way",
                wallets=dict(self.wallets),
                positions=tuple(PositionSpec(**row) for row in self.positions),  # type: ignore[arg-type]  # as drafted
                orders=tuple(OrderSpec(**row) for row in self.orders),  # type: ignore[arg-type]  # as drafted
                key="k",
                secret="s",
                passphrase="p",
                permissions=("read",),
                extra=self.extra,
            ),
            0,
        )

    def pools(self) -> tuple[tuple[Pool, ...], Prices]:
        account = self.opened()
        return account.pools(), prices_for(account, QUOTES)

    def pool(self, name: str) -> tuple[Pool, Prices]:
        pools, prices = self.pools()
        return next(pool for pool in pools if pool.name == name), prices

    def ratios(self) -> list[Decimal]:
        pools, prices = self.pools()
        return [pool.truth(prices).ratio for pool in pools]

    def text(self) -> str:
        """The lines of a scenario's account but for name and exchange."""
        lines = [f'mode = "{self.mode}"', "stays = true"]
        if self.hedge:
            lines.append('position_mode = "hedge"')
        lines.append(f"wallets = {_toml(self.wallets)}")
        for name, rows in (("positions", self.positions), ("orders", self.orders)):
            lines += [f"{name} = [", *(f"  {_toml(row)}," for row in rows), "]"]
        lines.append(f"extra = {_toml(self.extra)}")
        return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{name} = {_toml(item)}" for name, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return f'"{value:f}"' if isinstance(value, Decimal) else str(value)


# --- positions and orders


def position(
    draft: Draft, symbol: str, side: str, *, contracts: Decimal | None = None
) -> dict[str, object]:
    """A position of tiny to huge size; every fourth beside a bracket's edge."""
    known = ALL_SYMBOLS[symbol]
    leverage = draft.draw.randint(1, known.brackets[0].leverage)
    move = draft.between(-0.12, 0.12) if draft.likely(0.9) else draft.between(-0.4, 0.6)
    entry = QUOTES.mark(symbol) * (1 + move)
    digits = known.price_decimals + draft.draw.randint(0, 4)
    return {
        "symbol": symbol,
        "side": side,
        "contracts": contracts or _contracts(draft, symbol),
        "entry_price": entry.quantize(D(1).scaleb(-min(digits, 8))),
        "leverage": leverage,
    }


def _contracts(draft: Draft, symbol: str) -> Decimal:
    known = ALL_SYMBOLS[symbol]
    if draft.likely(0.25):
        edges = [bracket.cap for bracket in known.brackets[:-1]]
        beside = draft.between(-0.0005, 0.0005) if draft.likely(0.7) else draft.between(-0.03, 0.03)
        notional = draft.draw.choice(edges) * (1 + beside)
    else:
        dollars = D(str(10 ** draft.draw.uniform(1.2, 7.3)))
        notional = dollars / _dollars(known.margin_asset)
    most = known.brackets[-2].cap * D("1.5")
    return sized(symbol, min(notional, most))


def sized(symbol: str, notional: Decimal) -> Decimal:
    """The contracts of about this notional in the margin asset, at least the least there is."""
    known, mark = ALL_SYMBOLS[symbol], QUOTES.mark(symbol)
    exact = (
        notional / mark if known.contract_size is None else notional * mark / known.contract_size
    )
    step = D(1).scaleb(-known.quantity_decimals)
    return max(exact.quantize(step), step)


def _dollars(asset: str) -> Decimal:
    return D(MARKS.get(asset, "1"))


def hold(draft: Draft, symbols: tuple[str, ...], most: int) -> None:
    """One to so many symbols; in hedge mode some with both legs, some nearly locked."""
    for symbol in draft.draw.sample(symbols, draft.draw.randint(1, min(most, len(symbols)))):
        side = draft.draw.choice(("long", "short"))
        row = position(draft, symbol, side)
        draft.positions.append(row)
        if draft.hedge and draft.likely(0.7):
            size = D(str(row["contracts"]))
            part = draft.between(0.97, 1.03) if draft.likely(0.6) else draft.between(0.05, 2)
            step = D(1).scaleb(-ALL_SYMBOLS[symbol].quantity_decimals)
            other = position(
                draft,
                symbol,
                "short" if side == "long" else "long",
                contracts=max((size * part).quantize(step), step),
            )
            draft.positions.append({**other, "leverage": row["leverage"]})


def order(draft: Draft, symbols: tuple[str, ...]) -> None:
    """Limit orders that wait far from the mark, and stops."""
    for symbol in draft.draw.sample(symbols, draft.draw.randint(1, 2)):
        known = ALL_SYMBOLS[symbol]
        mark, tick = QUOTES.mark(symbol), D(1).scaleb(-known.price_decimals)
        below = (mark * draft.between(0.8, 0.97)).quantize(tick)
        row: dict[str, object] = {"symbol": symbol}
        if draft.likely(0.6):
            row |= {"side": "buy", "kind": "limit", "price": below}
            row["contracts"] = sized(
                symbol, D(draft.draw.randint(50, 5000)) / _dollars(known.margin_asset)
            )
        else:
            row |= {"side": "sell", "kind": "stop", "trigger_price": below}
            row["closes_position"] = True
        if draft.hedge:
            row["position_side"] = "long"
        draft.orders.append(row)


def isolate(draft: Draft, symbol: str, side: str, ratio: Decimal) -> None:
    """An isolated position at this ratio."""
    row = position(draft, symbol, side)
    row |= {"margin_mode": "isolated", "isolated_margin": D(1)}
    alone = Draft(draw=draft.draw, mode=draft.mode, hedge=draft.hedge, positions=[row])
    (leg,) = (*(account := alone.opened()).ledger.legs, *account.coin.legs)
    mark = QUOTES.mark(symbol)
    needed = cut(leg.maint_margin(mark) / ratio - leg.unrealized_profit(mark))
    # An isolated wallet is never negative: then the entry is the mark, and no profit is there.
    if needed <= 0:
        row["entry_price"] = mark
        needed = max(cut(leg.maint_margin(mark) / ratio), _UNIT)
    row["isolated_margin"] = needed
    draft.positions.append(row)


# --- solving


def fund(draft: Draft, pool: str, wallet: dict[str, Decimal], asset: str, ratio: Decimal) -> None:
    """Solve the amount of an asset in a wallet so that the pool stands at this ratio."""
    wallet.setdefault(asset, D(0))
    amount = wallet[asset]
    for _ in range(_ROUNDS):
        wallet[asset] = amount
        found, prices = draft.pool(pool)
        missing = found.requirement(prices) / ratio - found.balance(prices)
        wallet[asset] = amount + max(abs(missing), D(1)) * _sign(missing)
        after = draft.pool(pool)[0].balance(prices)
        slope = (after - found.balance(prices)) / (wallet[asset] - amount)
        step = cut(missing / slope)
        amount = cut(amount + step)
        if abs(step) <= _UNIT:
            break
    wallet[asset] = amount


def _sign(value: Decimal) -> int:
    return -1 if value < 0 else 1
