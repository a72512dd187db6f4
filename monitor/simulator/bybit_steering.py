"""
I/O. `POST /sim/bybit/…`: what happens to an account beside the deposits and trades of `change`.

- `mode`: `{"account", "margin_mode"?, "position_mode"?, "unified_status"?, "fixed_im"?,
  "fixed_mm"?}`, with `cross`, `isolated` or `portfolio` and `one_way` or `hedge`; the two
  amounts, in USD, are portfolio margin's.
- `funding`: `{"seconds", "rates"?}`: so many seconds from now every perpetual position is
  charged, at these rates by base coin.
- `open`: `{"account", "symbol", "side", "contracts", "leverage"?}`: a new position at the mark.
- `order`: `{"account", "id", "symbol", "side", "contracts", "price"?, "trigger"?,
  "reduce_only"?}`: an order, with 0 contracts the end of one.
- `take`: `{"account", "symbol", "side", "contracts", "cause"}`: the exchange takes so much of a
  position: `liquidation` (a step of its ladder), `takeover`, `adl` or `settlement`.
- `standing`: `{"account", "symbol", "side", "status"?, "reduce_only"?, "rises_in_seconds"?}`:
  `Normal`, `Liq` or `Adl`; a lowered risk limit, and when its maintenance rate is raised.

Sides are `long` and `short`, of an order `buy` and `sell`.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from aiohttp import web

from monitor.simulator import bybit_changes as changes
from monitor.simulator.bybit_account import Order, Position
from monitor.simulator.bybit_accounts import BybitAccount, BybitState
from monitor.simulator.bybit_changes import Moment
from monitor.simulator.bybit_fills import CAUSES
from monitor.simulator.bybit_modes import Switch
from monitor.simulator.bybit_tables import INSTRUMENTS, has_legs

Body = dict[str, object]
Route = Callable[[web.Request], Awaitable[web.Response]]
Act = Callable[[BybitState, Body], None]
_SIDES = {"long": "Buy", "short": "Sell", "buy": "Buy", "sell": "Sell"}
_DEFAULT_LEVERAGE = 10


def mount_steering(app: web.Application, state: BybitState) -> None:
    acts: dict[str, Act] = {
        "mode": _mode,
        "funding": _funding,
        "open": _open,
        "order": _order,
        "take": _take,
        "standing": _standing,
    }
    for name, act in acts.items():
        app.router.add_post(f"/sim/bybit/{name}", _route(state, act))


def _route(state: BybitState, act: Act) -> Route:
    async def handle(request: web.Request) -> web.Response:
        try:
            act(state, await request.json())
        except (KeyError, StopIteration, TypeError, ValueError, InvalidOperation) as error:
            text = json.dumps({"ok": False, "error": f"the body is not as it should be: {error!r}"})
            raise web.HTTPBadRequest(text=text, content_type="application/json") from error
        return web.json_response({"ok": True})

    return handle


def _mode(state: BybitState, body: Body) -> None:
    owner, switch = _owner(state, body), Switch.read(body)
    changes.switched(owner, _moment(state), switch)
    mode = switch.margin_mode or owner.spec.mode
    sides = "hedge" if owner.ledger.hedge else "one_way"
    owner.spec = replace(owner.spec, mode=mode, position_mode=sides)
    state.world.record("mode", exchange=owner.spec.exchange, account=owner.spec.name, mode=mode)


def _funding(state: BybitState, body: Body) -> None:
    rates = body.get("rates", {})
    if not isinstance(rates, dict):
        raise TypeError("rates: a table of rates by base coin")
    at_ms = state.server_ms() + int(float(str(body["seconds"])) * 1000)
    state.set_funding(at_ms, {str(base): Decimal(str(rate)) for base, rate in rates.items()})


def _open(state: BybitState, body: Body) -> None:
    owner, moment = _owner(state, body), _moment(state)
    symbol, side = str(body["symbol"]), _SIDES[str(body["side"])]
    legs = owner.ledger.hedge and has_legs(symbol)
    if any(it.symbol == symbol and (it.side == side or not legs) for it in owner.ledger.positions):
        raise ValueError(f"{symbol}: there is a position already")
    mine = Position(
        symbol=symbol,
        side=side,
        size=Decimal(str(body["contracts"])),
        entry=moment.prices.mark(INSTRUMENTS[symbol]),
        leverage=Decimal(str(body.get("leverage", _DEFAULT_LEVERAGE))),
        idx=(1 if side == "Buy" else 2) if legs else 0,
        opened_ms=moment.at_ms,
    )
    changes.opened(owner, moment, mine)


def _order(state: BybitState, body: Body) -> None:
    owner, symbol = _owner(state, body), str(body["symbol"])
    side = _SIDES[str(body["side"])]
    reduces = bool(body.get("reduce_only", False))
    legs = owner.ledger.hedge and has_legs(symbol)
    order = Order(
        order_id=str(body["id"]),
        symbol=INSTRUMENTS[symbol].symbol,
        side=side,
        qty=Decimal(str(body["contracts"])),
        price=_number(body, "price"),
        trigger=_number(body, "trigger"),
        reduce_only=reduces,
        idx=(1 if (side == "Buy") is not reduces else 2) if legs else 0,
    )
    changes.ordered(owner, _moment(state), order)


def _take(state: BybitState, body: Body) -> None:
    owner, cause = _owner(state, body), CAUSES[str(body["cause"])]
    mine, taken = _position(owner, body), Decimal(str(body["contracts"]))
    if not 0 < taken <= mine.size:
        raise ValueError(f"contracts: above 0, at most {mine.size}")
    changes.resized(owner, _moment(state), mine, mine.size - taken, cause)


def _standing(state: BybitState, body: Body) -> None:
    owner = _owner(state, body)
    mine, moment = _position(owner, body), _moment(state)
    rises = body.get("rises_in_seconds")
    then = 0 if rises is None else moment.at_ms + int(float(str(rises)) * 1000)
    changes.treated(
        owner,
        moment,
        mine,
        status=str(body.get("status", mine.status)),
        only_reduces=bool(body.get("reduce_only", mine.only_reduces)),
        rate_rises_ms=then,
    )


def _owner(state: BybitState, body: Body) -> BybitAccount:
    return state.by_name(str(body["account"]))


def _position(owner: BybitAccount, body: Body) -> Position:
    return owner.ledger.held(str(body["symbol"]), _SIDES[str(body["side"])])


def _moment(state: BybitState) -> Moment:
    return Moment(prices=state.prices(), at_ms=state.server_ms())


def _number(body: Body, key: str) -> Decimal | None:
    return Decimal(str(body[key])) if key in body else None
