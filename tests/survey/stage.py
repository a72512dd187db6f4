"""One exchange of the simulator with random accounts, prices held, and a client of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from yarl import URL

from monitor.exchanges.call import Replies, Reply
from monitor.exchanges.payload import parse_json
from monitor.exchanges.registry import EXCHANGES
from monitor.simulator.scenario import parse
from monitor.simulator.server import open_exchanges
from monitor.simulator.world import World
from tests.survey.paths import with_prices
from tests.survey.sources import account_of, exchange_of, market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.errors import ExchangeError
    from monitor.exchanges.call import RestCall
    from monitor.risk import AccountSnapshot, Mark
    from monitor.simulator.changes import Change
    from monitor.simulator.scenario import AccountSpec
    from monitor.simulator.truth import PoolTruth

_MOST_ROUNDS = 30
_PUBLIC_AGE = 3600
_NONE = Decimal(0)
_NEEDED = frozenset({"mmr", "fee", "maintenance_margin"})  # of a position without a model


class Stage:
    """Accounts of one kind, one for each seed, at an exchange whose time stands still."""

    def __init__(self, kind: str, seeds: Sequence[int]) -> None:
        self.kind = kind
        self.product = EXCHANGES[exchange_of(kind)]
        text = "\n".join(
            f'[[accounts]]\nname = "a{seed}"\nexchange = "{self.product.name}"\n'
            + account_of(kind, seed)
            for seed in seeds
        )
        head = f'name = "survey"\ndescription = "{kind}"\nseed = 1\nduration_seconds = 60\n'
        self._now = datetime.now(UTC)
        self.world = World(parse(head + market(kind) + text, f"{kind}.toml"), clock=self._clock)
        self._public: dict[str, Reply] = {}

    def _clock(self) -> datetime:
        return self._now

    def _pass_a_minute(self) -> None:
        """Every reading has the exchange's limits to itself."""
        self._now += timedelta(seconds=61)

    async def __aenter__(self) -> Self:
        app = web.Application()
        (self.exchange,) = open_exchanges(self.world)
        for path in self.world.scenario.paths:
            self.world.pin(path.base, path.start)
        self.world.publish(self.exchange.name)
        self.exchange.mount(app)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/{self.exchange.name}"
        self._session = aiohttp.ClientSession()
        self._specs = {spec.name: spec for spec in self.world.scenario.accounts}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    def fresh(self, seed: int, *, bare: bool = False) -> Fresh:
        """The account of this seed alone, as it was; `bare`: no orders, options need nothing."""
        spec = self._specs[f"a{seed}"]
        if bare:
            extra = {name: _without_margin(value) for name, value in spec.extra.items()}
            spec = replace(spec, orders=(), extra=extra)
        return Fresh(self.world, spec)

    def prices(self) -> dict[str, Decimal]:
        return {path.base: path.start for path in self.world.scenario.paths}

    def restore(self) -> None:
        self.move(self.prices())

    async def marks(self, snapshot: AccountSnapshot, seed: int) -> dict[str, Mark]:
        """The snapshot's marks, as far as the wire tells them anew."""
        instruments = snapshot.instruments()
        self._pass_a_minute()
        spec = self._specs[f"a{seed}"]
        asked = [await self._get(c, spec) for c in self.product.mark_calls(instruments)]
        replies = Replies(reply for reply in asked if reply is not None)
        return with_prices(snapshot, dict(self.product.read_marks(replies, instruments)))

    def truth(self, seed: int) -> Sequence[PoolTruth]:
        return self.exchange.pools(f"a{seed}")

    def move(self, prices: dict[str, Decimal]) -> None:
        """Publish these marks (and index prices), by base coin."""
        for base, price in prices.items():
            self.world.pin(base, price)
        self.world.publish(self.exchange.name)

    async def read(self, seed: int) -> AccountSnapshot:
        """The account as the product reads it."""
        replies: dict[str, Reply] = dict(self._public)
        refused: set[str] = set()
        self._pass_a_minute()
        for _ in range(_MOST_ROUNDS):
            held = Replies(replies.values(), refused)
            wanted = [
                call
                for call in self.product.needed(held)
                if call.request not in refused and not held.has(call)
            ]
            if not wanted:
                view = self.product.read_account(f"a{seed}", held)
                return view.snapshot(self._now)
            for call in wanted:
                reply = await self._get(call, self._specs[f"a{seed}"])
                if reply is not None:
                    replies[call.request] = reply
                    if call.max_age_seconds >= _PUBLIC_AGE and "/public/" in call.path:
                        self._public[call.request] = reply
                elif not call.optional:
                    raise AssertionError(f"{call.request} was refused")
                else:
                    refused.add(call.request)
        raise AssertionError("the readers never stop asking")

    async def _get(self, call: RestCall, account: AccountSpec) -> Reply | None:
        path, headers = _signed(self.exchange.name, call, account, self._now)
        async with self._session.get(
            URL(self._url + path, encoded=True), headers=headers
        ) as answer:
            text = await answer.read()
            body = parse_json(text)
            lowered = {name.lower(): value for name, value in answer.headers.items()}
            error = self.product.read_error(answer.status, lowered, body)
            if error is not None:
                if call.optional:
                    return None
                raise _placed(error, call)
            return Reply(request=call.request, status=answer.status, body=body, at=self._now)


class Fresh:
    """One simulated account that may be changed and thrown away."""

    def __init__(self, world: World, spec: AccountSpec) -> None:
        self._name = spec.name
        self._world = World(replace(world.scenario, accounts=(spec,)))
        (self._exchange,) = open_exchanges(self._world)
        self._hold({path.base: path.start for path in self._world.scenario.paths})

    def change(self, change: Change) -> None:
        self._exchange.change(self._name, change)

    def standing(self, pool: str) -> tuple[Decimal, Decimal]:
        """The pool's margin balance and its whole requirement; both 0 where it is gone."""
        found = (p for p in self._exchange.pools(self._name) if p.pool == pool)
        return next(((p.margin_balance, p.maintenance_margin) for p in found), (_NONE, _NONE))

    def shift(self, fractions: Mapping[str, Decimal]) -> None:
        """Move coins by a fraction."""
        self._hold(
            {
                path.base: path.start * (1 + fractions.get(path.base, Decimal(0)))
                for path in self._world.scenario.paths
            }
        )

    def _hold(self, prices: Mapping[str, Decimal]) -> None:
        for base, price in prices.items():
            self._world.pin(base, price)
        self._world.publish(self._exchange.name)


def _without_margin(value: object) -> object:
    if not isinstance(value, list | tuple):
        return value
    rows = [isinstance(row, dict) for row in value]
    return [{k: v for k, v in r.items() if k not in _NEEDED} for r in value] if all(rows) else value


def _placed(error: ExchangeError, call: RestCall) -> ExchangeError:
    return error.placed(call=call.request)


def _signed(
    exchange: str, call: RestCall, account: AccountSpec, now: datetime
) -> tuple[str, dict[str, str]]:
    """Path with query and headers, signed as the exchange documents it."""
    query = urlencode(call.query)
    milliseconds = str(int(now.timestamp() * 1000))
    secret = account.secret.encode()
    if exchange == "binance":
        query = "&".join(filter(None, [query, f"timestamp={milliseconds}&recvWindow=10000"]))
        signature = hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
        return f"{call.path}?{query}&signature={signature}", {"X-MBX-APIKEY": account.key}
    path = call.path + (f"?{query}" if query else "")
    if exchange == "bybit":
        text = milliseconds + account.key + "5000" + query
        return path, {
            "X-BAPI-API-KEY": account.key,
            "X-BAPI-TIMESTAMP": milliseconds,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": hmac.new(secret, text.encode(), hashlib.sha256).hexdigest(),
        }
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    digest = hmac.new(secret, (stamp + "GET" + path).encode(), hashlib.sha256).digest()
    return path, {
        "OK-ACCESS-KEY": account.key,
        "OK-ACCESS-TIMESTAMP": stamp,
        "OK-ACCESS-PASSPHRASE": account.passphrase,
        "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
    }
