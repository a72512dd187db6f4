"""
The world of a run: the simulator's exchanges at their addresses, prices that are led, owners
who act, and the truth of it all noted at every tick.

Quiet stretches tick once a second; around faults, crossings and moves each exchange ticks at
its own cadence.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from aiohttp import web

from monitor.simulator.changes import Change, Changeable
from monitor.simulator.faulty_rest import faulty_rest
from monitor.simulator.scenario import Scenario, parse
from monitor.simulator.server import Access, open_exchanges
from monitor.simulator.truth import PoolTruth
from monitor.simulator.world import Exchange, World
from tests.hunt import cash
from tests.hunt.plan import CHARGES, MARKS, Act, Move, Plan
from tests.hunt.record import Charge, Record, Sample
from tests.hunt.true_distance import TrueDistance

EPOCH = datetime(2026, 11, 22, 12, tzinfo=UTC)
CALM_SECONDS = 1.0
FASTEST_SECONDS = 0.2
NEAR = Decimal("0.02")
NOISE = Decimal("0.000005")
WAKE_SECONDS = 20.0
RUNGS = (Decimal("0.8"), Decimal("0.9"), Decimal(1))
PORT = 80
_D = Decimal
_STEPS = tuple(_D(n) / 200 for n in (1, 2, 4, 7, 11, 16, 24, 36, 52, 72, 100, 130))


@dataclass(slots=True)
class Path:
    """A price on its way, straight, from one to another."""

    start: float
    end: float
    before: Decimal
    after: Decimal

    def at(self, now: float) -> Decimal:
        if now >= self.end:
            return self.after
        share = _D(str((now - self.start) / (self.end - self.start)))
        return _rounded(self.before + (self.after - self.before) * share)


class Stage:
    """The exchanges of a plan; `now` gives the seconds of the world's clock."""

    def __init__(self, plan: Plan, record: Record, now: Callable[[], float]) -> None:
        self.plan = plan
        self.record = record
        self.now = now
        self.world = World(_scenario(plan), clock=self.clock)
        self.world.restart_clock()
        self.exchanges = {each.name: each for each in open_exchanges(self.world)}
        for exchange in self.exchanges.values():
            self._watch_takeovers(exchange)
        self.busy_until = dict.fromkeys(self.exchanges, 0.0)
        self._of = {account.name: account.exchange for account in plan.accounts}
        self._exact = {account.name for account in plan.accounts if account.is_exact}
        self._paths: dict[tuple[str, str], Path] = {}
        self._distance = TrueDistance(self.world, record)
        self._runner: web.AppRunner | None = None
        self._before: dict[tuple[str, str], int] = {}

    def _watch_takeovers(self, exchange: Exchange) -> None:
        """A pool that is taken over within a tick was at its end in that tick: it is noted."""
        liquidate = exchange.liquidate

        def taken(account: str, pool: str) -> dict[str, str]:
            self._sample(exchange, account)
            return liquidate(account, pool)

        exchange.liquidate = taken  # type: ignore[method-assign]

    def clock(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now())

    def access(self) -> tuple[Access, ...]:
        """Addresses and keys, for a config file."""
        return tuple(
            Access(
                account=spec.name,
                exchange=spec.exchange,
                rest_url=f"http://{spec.exchange}.test:{PORT}/{spec.exchange}",
                ws_url=f"ws://{spec.exchange}.test:{PORT}/{spec.exchange}",
                api_key=spec.key,
                api_secret=spec.secret,
                passphrase=spec.passphrase if spec.exchange == "okx" else None,
            )
            for spec in self.world.scenario.accounts
        )

    async def open(self) -> None:
        app = web.Application(middlewares=[faulty_rest(self.world)])
        for exchange in self.exchanges.values():
            exchange.mount(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "exchanges.test", PORT).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def wake(self, exchange: str, seconds: float = WAKE_SECONDS) -> None:
        """Full cadence for so long."""
        self.busy_until[exchange] = max(self.busy_until[exchange], self.now() + seconds)

    # --- ticks

    async def run(self, exchange: Exchange) -> None:
        """One exchange's ticks, for ever."""
        while True:
            await self.tick(exchange)
            is_busy = self.now() < self.busy_until[exchange.name]
            fast = max(exchange.cadence_seconds, FASTEST_SECONDS)
            await asyncio.sleep(fast if is_busy else CALM_SECONDS)

    async def tick(self, exchange: Exchange) -> None:
        now = self.now()
        for base in MARKS:
            path = self._paths.get((exchange.name, base))
            if path is not None and now < path.end + 1:
                self.wake(exchange.name)
            self.world.pin(base, self._price(exchange.name, base, now), exchange.name)
        await self.world.tick(exchange)
        for account in exchange.accounts:
            self._sample(exchange, account.spec.name)

    def _price(self, exchange: str, base: str, now: float) -> Decimal:
        """What a coin is led to, with a breath of noise: a market never stands still."""
        path = self._paths.get((exchange, base))
        price = _D(MARKS[base]) if path is None else path.at(now)
        phase = int(now * 5) * 2654435761 + sum(map(ord, base)) * 40503
        return _rounded(price * (1 + NOISE * (phase % 1000 - 500) / 500))

    def _sample(self, exchange: Exchange, account: str) -> None:
        now = self.now()
        there, held = set(), set()
        for pool in self._measured(exchange, account):
            there.add(pool.pool)
            self._note(account, pool.pool, pool.ratio, stakes=_stakes(pool))
            for position in pool.positions:
                symbol = position.exchange_symbol
                held.add(symbol)
                marks = self.record.marks.setdefault((exchange.name, symbol), {})
                marks[rounded_text(position.mark_price)] = now
        self._note_held(account, held)
        for name in self.record.pools(account):
            latest = self.record.latest(account, name)
            if name not in there and latest is not None and latest.stakes:
                self._note(account, name, _D(0), stakes=False)
        if any(
            abs(sample.ratio - rung) < NEAR
            for name in there
            if (sample := self.record.latest(account, name)) is not None
            for rung in RUNGS[:2]
        ):
            self.busy_until[exchange.name] = max(self.busy_until[exchange.name], now + 3)

    def _measured(self, exchange: Exchange, account: str) -> Sequence[PoolTruth]:
        """The pools of an account, their distances noted where the whole rule is known."""
        pools = exchange.pools(account)
        if account in self._exact:
            self._distance.sample(exchange, account, pools, self.now())
        return pools

    def _note_held(self, account: str, held: set[str]) -> None:
        """Since when each symbol is held; forgotten when it is held no more."""
        since = self.record.held_since
        for key in [k for k in since if k[0] == account and k[1] not in held]:
            del since[key]
        for symbol in sorted(held):
            since.setdefault((account, symbol), self.now())

    def _note(self, account: str, pool: str, ratio: Decimal, *, stakes: bool) -> None:
        now, key = self.now(), (account, pool)
        self.record.sample(account, pool, Sample(at=now, ratio=ratio, stakes=stakes))
        rung = sum(ratio >= each for each in RUNGS)
        before = self._before.get(key, 0)
        self._before[key] = rung
        if rung != before:
            way = "up" if rung > before else "down"
            self.record.note(now, "crossing", account, pool, way, rung)
            self.record.counts["crossings"] += 1
            for fault in self.record.active(now - 5, now + 1):
                if fault.where in {"", self._of[account]} or fault.where in self.plan.channels:
                    self.record.pairs.add((fault.kind, f"crossing {way} {max(rung, before)}"))
            self.wake(self._of[account])

    # --- moves

    def move(self, move: Move) -> bool:
        """Set out for a ratio; whether any price of the account's coins leads there."""
        exchange = self.exchanges[self._of[move.account]]
        found = self._price_for(exchange, move.account, _D(str(move.ratio)))
        if found is None:
            return False
        base, price = found
        now = self.now()
        before = self.world.mark(exchange.name, base)
        self._paths[exchange.name, base] = Path(
            start=now, end=now + move.seconds, before=before, after=price
        )
        self.wake(exchange.name, move.seconds + 10)
        self.record.note(now, "move", move.account, base, price)
        return True

    def _price_for(
        self, exchange: Exchange, account: str, ratio: Decimal
    ) -> tuple[str, Decimal] | None:
        """The coin and its nearest price at which the worst pool of an account stands there."""
        for base in self._bases(exchange, account):
            now = self.world.mark(exchange.name, base)
            try:
                price = self._solved(exchange, account, base, ratio)
            finally:
                self._supposed(exchange, base, now)
            if price is not None:
                return base, price
        return None

    def _bases(self, exchange: Exchange, account: str) -> list[str]:
        """The coins of the account's positions, the largest first."""
        worth: dict[str, Decimal] = {}
        for pool in exchange.pools(account):
            for position in pool.positions:
                for base in MARKS:
                    if position.exchange_symbol.startswith(base):
                        worth[base] = worth.get(base, _D(0)) + abs(position.notional)
        return sorted(worth, key=lambda base: (-worth[base], base))

    def _solved(
        self, exchange: Exchange, account: str, base: str, ratio: Decimal
    ) -> Decimal | None:
        start = self.world.mark(exchange.name, base)

        def above(price: Decimal) -> bool:
            self._supposed(exchange, base, price)
            return max((p.ratio for p in exchange.pools(account)), default=_D(0)) >= ratio

        is_above = above(start)
        low = {1: start, -1: start}
        for step in _STEPS:
            for sign in (1, -1):
                price = start * (1 + sign * step) if sign > 0 else start / (1 + step)
                if above(price) != is_above:
                    return self._between(above, low[sign], price, is_above)
                low[sign] = price
        return None

    def _between(
        self, above: Callable[[Decimal], bool], here: Decimal, there: Decimal, is_above: bool
    ) -> Decimal:
        """The price at which it turns; that on the far side."""
        for _ in range(24):
            middle = (here + there) / 2
            if above(middle) == is_above:
                here = middle
            else:
                there = middle
        return _rounded(there)

    def _supposed(self, exchange: Exchange, base: str, price: Decimal) -> None:
        self.world.pin(base, _rounded(price), exchange.name)
        self.world.publish(exchange.name)

    # --- owners

    def act(self, act: Act) -> str:
        """What an owner did, in words; empty where it could not be done."""
        exchange = self.exchanges[self._of[act.account]]
        if act.kind in CHARGES:
            return self._charge(exchange, act)
        change = self._change(exchange, act)
        if change is None:
            return ""
        try:
            self._carry_out(exchange, act.account, change)
        except (StopIteration, KeyError, ValueError, ArithmeticError, AttributeError):
            return ""
        self.record.changed_at[act.account] = self.now()
        # The word of it may be there, and told of, before the next tick.
        self._sample(exchange, act.account)
        self._measured(exchange, act.account)
        self.wake(exchange.name)
        words = f"{act.kind} {act.account} {change.coin or change.symbol}"
        self.record.note(self.now(), "act", words)
        return words

    def _charge(self, exchange: Exchange, act: Act) -> str:
        charge = cash.funding if act.kind == "funding" else cash.fee
        words = charge(exchange, act.account, _D(str(act.share)))
        if words:
            now, told = self.now(), act.kind == "funding"
            self.record.charges.append(Charge(at=now, account=act.account, is_announced=told))
            self.record.changed_at[act.account] = now
            self.record.counts[act.kind] += 1
            self.wake(exchange.name)
            # The word of it may be there, and told of, before the next tick.
            self._sample(exchange, act.account)
            self.record.note(now, "charge", act.kind, act.account, words)
        return words

    def _carry_out(self, exchange: Exchange, account: str, change: Change) -> None:
        changeable: Changeable = exchange  # type: ignore[assignment] # all three are
        changeable.change(account, change)

    def _change(self, exchange: Exchange, act: Act) -> Change | None:
        pools = [pool for pool in exchange.pools(act.account) if pool.positions]
        if not pools:
            return None
        share, pool = _D(str(act.share)), pools[0]
        if act.kind in {"open", "close"}:
            position = pool.positions[0]
            sign = 1 if act.kind == "open" else -1
            contracts = position.contracts * (1 + sign * share)
            if act.share < 1 or sign > 0:
                # After a part was taken over, what is left has as many digits as there are.
                digits = max(int(position.contracts.as_tuple().exponent), -8)
                contracts = contracts.quantize(_D(1).scaleb(digits))
            return Change(symbol=position.exchange_symbol, side=position.side, contracts=contracts)
        coin = pool.unit if pool.unit != "USD" else "USDT"
        amount = (pool.margin_balance * share / 3).quantize(_D("0.000001"))
        return Change(coin=coin, amount=amount if act.kind == "deposit" else -amount / 2)


def _stakes(pool: PoolTruth) -> bool:
    return bool(pool.positions) or pool.maintenance_margin > 0


def rounded_text(price: Decimal) -> str:
    """A price to six digits, for comparing."""
    return format(+price.normalize(), ".6g")


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(_D(1).scaleb(price.adjusted() - 6))


def _scenario(plan: Plan) -> Scenario:
    market = "".join(f"[market.{base}]\nstart = {price}\n" for base, price in MARKS.items())
    head = f'name = "hunt"\ndescription = "{plan.seed}"\nseed = 1\nduration_seconds = 60\n'
    accounts = "".join(
        f'[[accounts]]\nname = "{each.name}"\nexchange = "{each.exchange}"\n'
        f'key = "{canary(each.name, "key")}"\nsecret = "{canary(each.name, "secret")}"\n'
        f'passphrase = "{canary(each.name, "passphrase")}"\n{each.text()}'
        for each in plan.accounts
    )
    scenario = parse(head + market + accounts, f"seed {plan.seed}")
    stays = {each.name: each.stays for each in plan.accounts}
    return replace(
        scenario,
        accounts=tuple(replace(spec, stays=stays[spec.name]) for spec in scenario.accounts),
    )


def canary(account: str, kind: str) -> str:
    """A secret that is found wherever it is written."""
    return f"CANARY{kind}{account}0123456789abcdef".replace("-", "x")
