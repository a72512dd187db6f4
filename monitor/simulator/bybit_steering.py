"""
I/O. `POST /sim/bybit/mode` and `/sim/bybit/funding`: what happens to an account beside trading.

The mode's body is `{"account", "margin_mode"?, "position_mode"?, "unified_status"?, "fixed_im"?,
"fixed_mm"?}`, with `cross`, `isolated` or `portfolio` and `one_way` or `hedge`; the two amounts,
in USD, are portfolio margin's. The funding's body is `{"seconds", "rates"?}`: so many seconds
from now every perpetual position is charged, at these rates by base coin.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from aiohttp import web

from monitor.simulator.bybit_accounts import BybitState
from monitor.simulator.bybit_modes import Switch, apply

Route = Callable[[web.Request], Awaitable[web.Response]]


def mount_steering(app: web.Application, state: BybitState) -> None:
    app.router.add_post("/sim/bybit/mode", _route(state, _mode))
    app.router.add_post("/sim/bybit/funding", _route(state, _funding))


def _route(state: BybitState, act: Callable[[BybitState, dict[str, object]], None]) -> Route:
    async def handle(request: web.Request) -> web.Response:
        try:
            act(state, await request.json())
        except (KeyError, StopIteration, TypeError, ValueError, InvalidOperation) as error:
            text = json.dumps({"ok": False, "error": f"the body is not as it should be: {error!r}"})
            raise web.HTTPBadRequest(text=text, content_type="application/json") from error
        return web.json_response({"ok": True})

    return handle


def _mode(state: BybitState, body: dict[str, object]) -> None:
    owner, switch = state.by_name(str(body["account"])), Switch.read(body)
    apply(owner.ledger, switch)
    mode = switch.margin_mode or owner.spec.mode
    sides = "hedge" if owner.ledger.hedge else "one_way"
    owner.spec = replace(owner.spec, mode=mode, position_mode=sides)
    state.world.record("mode", exchange=owner.spec.exchange, account=owner.spec.name, mode=mode)


def _funding(state: BybitState, body: dict[str, object]) -> None:
    rates = body.get("rates", {})
    if not isinstance(rates, dict):
        raise TypeError("rates: a table of rates by base coin")
    at_ms = state.server_ms() + int(float(str(body["seconds"])) * 1000)
    state.set_funding(at_ms, {str(base): Decimal(str(rate)) for base, rate in rates.items()})
