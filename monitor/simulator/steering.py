"""I/O. `/sim/`: look at the truth, pin prices, switch faults."""

import json
from decimal import Decimal, InvalidOperation

from aiohttp import web

from monitor.simulator.world import World


def mount_steering(app: web.Application, world: World) -> None:
    """Add the `/sim/` routes."""
    steering = _Steering(world)
    app.router.add_get("/sim/ledger", steering.ledger)
    app.router.add_get("/sim/events", steering.events)
    app.router.add_get("/sim/accounts", steering.accounts)
    app.router.add_post("/sim/price", steering.price)
    app.router.add_post("/sim/fault", steering.fault)
    app.router.add_post("/sim/fault/clear", steering.clear)


class _Steering:
    def __init__(self, world: World) -> None:
        self._world = world

    async def ledger(self, _: web.Request) -> web.Response:
        """Answer with every pool at the published marks, exact."""
        accounts = [
            {
                "account": account.spec.name,
                "exchange": exchange.name,
                "mode": account.spec.mode,
                "pools": [pool.row() for pool in exchange.pools(account.spec.name)],
            }
            for exchange in self._world.exchanges
            for account in exchange.accounts
        ]
        return web.json_response(
            {
                "at": self._world.now().isoformat(timespec="milliseconds"),
                "elapsed_seconds": format(self._world.elapsed(), ".3f"),
                "accounts": accounts,
            }
        )

    async def events(self, _: web.Request) -> web.Response:
        return web.json_response(self._world.events)

    async def accounts(self, request: web.Request) -> web.Response:
        base = f"{request.url.host}:{request.url.port}"
        rows = [
            {
                "account": account.name,
                "exchange": account.exchange,
                "rest_url": f"http://{base}/{account.exchange}",
                "ws_url": f"ws://{base}/{account.exchange}",
                "api_key": account.key,
                "api_secret": account.secret,
                "passphrase": account.passphrase if account.exchange == "okx" else None,
            }
            for account in self._world.scenario.accounts
        ]
        return web.json_response(rows)

    async def price(self, request: web.Request) -> web.Response:
        body = await _body(request)
        base = _text(body, "base")
        price = body.get("price")
        try:
            pinned = None if price is None else Decimal(str(price))
        except InvalidOperation:
            raise _wrong(f"price: expected a number or null, got {price!r}") from None
        if pinned is not None and not (pinned.is_finite() and pinned > 0):
            raise _wrong(f"price: expected a number above zero, got {price!r}")
        self._world.pin(base, pinned, _optional_text(body, "exchange"))
        return web.json_response({"ok": True})

    async def fault(self, request: web.Request) -> web.Response:
        body = await _body(request)
        seconds = body.get("seconds")
        value = body.get("value")
        try:
            self._world.fault(
                _text(body, "exchange"),
                _text(body, "kind"),
                path=_optional_text(body, "path") or "",
                seconds=None if seconds is None else float(str(seconds)),
                value=None if value is None else str(value),
            )
        except ValueError as error:
            raise _wrong(str(error)) from error
        return web.json_response({"ok": True})

    async def clear(self, request: web.Request) -> web.Response:
        body = await _body(request) if request.can_read_body else {}
        self._world.clear_faults(_optional_text(body, "exchange"), _optional_text(body, "kind"))
        return web.json_response({"ok": True})


async def _body(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise _wrong(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _wrong("the body is not a JSON object")
    return body


def _text(body: dict[str, object], key: str) -> str:
    value = _optional_text(body, key)
    if value is None:
        raise _wrong(f"{key}: missing")
    return value


def _optional_text(body: dict[str, object], key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"{key}: expected a text, got {value!r}")
    return value


def _wrong(because: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(
        text=json.dumps({"ok": False, "error": because}), content_type="application/json"
    )
