"""
I/O. `POST /sim/<exchange>/change`: a deposit, a withdrawal, or a position made larger or smaller.

The body is `{"account", "coin", "amount"}` or `{"account", "symbol", "side", "contracts"}`,
where `contracts` is what the position has afterwards, 0 for closed; or `"margin"` in its place,
so many coins from outside added to the margin of that isolated position. Where a symbol has a
cross position and an isolated one, `"isolated": true` says which.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from aiohttp import web

from monitor.simulator.world import Account

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Either `coin` and `amount`, or `symbol`, `side` and `contracts` or `margin`."""

    coin: str | None = None
    amount: Decimal = ZERO
    symbol: str | None = None
    side: str = "long"
    contracts: Decimal = ZERO
    margin: Decimal | None = None
    isolated: bool = False  # of a cross position and an isolated one, the latter


class Changeable(Protocol):
    """
    An exchange whose accounts can be changed from outside.

    `change` raises StopIteration where there is no such account or position.
    """

    @property
    def name(self) -> str: ...

    @property
    def accounts(self) -> Sequence[Account]: ...

    def change(self, account: str, change: Change) -> None: ...


def mount_changes(app: web.Application, exchange: Changeable) -> None:
    """Add the route of this exchange."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body = await request.json()
            account = str(body["account"])
            change = _read(body)
        except (json.JSONDecodeError, KeyError, TypeError, InvalidOperation) as error:
            raise _wrong(f"the body is not as it should be: {error!r}") from error
        if account not in {owner.spec.name for owner in exchange.accounts}:
            raise _wrong(f"account: there is no {account!r}")
        try:
            exchange.change(account, change)
        except StopIteration:
            raise _wrong(f"there is no {change.side} position in {change.symbol!r}") from None
        return web.json_response({"ok": True})

    app.router.add_post(f"/sim/{exchange.name}/change", handle)


def _read(body: dict[str, object]) -> Change:
    if "coin" in body:
        return Change(coin=str(body["coin"]), amount=Decimal(str(body["amount"])))
    symbol, side = str(body["symbol"]), str(body.get("side", "long"))
    if "margin" in body:
        return Change(symbol=symbol, side=side, margin=Decimal(str(body["margin"])))
    contracts, isolated = Decimal(str(body["contracts"])), body.get("isolated") is True
    return Change(symbol=symbol, side=side, contracts=contracts, isolated=isolated)


def _wrong(because: str) -> web.HTTPBadRequest:
    text = json.dumps({"ok": False, "error": because})
    return web.HTTPBadRequest(text=text, content_type="application/json")
