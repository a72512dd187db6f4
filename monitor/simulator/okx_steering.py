"""I/O. `/sim/okx/`: notices, closed sockets, another mode, funding, stops, what OKX takes."""

import json
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from aiohttp import web

from monitor.simulator.changes import Change
from monitor.simulator.okx_accounts import OkxAccount, OkxState
from monitor.simulator.okx_changes import (
    cancel_stops,
    change_mode,
    charge_funding,
    claw_back,
    place_stop,
    take,
)
from monitor.simulator.okx_stream import OkxStream

_LEAVE_SECONDS = 60.0


class OkxSteering:
    def __init__(self, state: OkxState, stream: OkxStream) -> None:
        self._state = state
        self._stream = stream

    def mount(self, app: web.Application) -> None:
        app.router.add_post("/sim/okx/notice", self._notice)
        app.router.add_post("/sim/okx/close", self._close)
        app.router.add_post("/sim/okx/mode", self._mode)
        app.router.add_post("/sim/okx/funding", self._funding)
        app.router.add_post("/sim/okx/take", self._take)
        app.router.add_post("/sim/okx/stop", self._stop)

    def step(self, now: datetime) -> None:
        """Charge the funding that is due."""
        due = self._state.funding_due_at
        if due is not None and now >= due:
            self._state.funding_due_at = None
            for owner in self._state.accounts:
                charge_funding(self._state, owner)

    async def _notice(self, request: web.Request) -> web.Response:
        """Announce an upgrade; `{"seconds": n}` until the sockets are closed."""
        body = await _body(request)
        seconds = float(str(body.get("seconds", _LEAVE_SECONDS)))
        self._stream.give_notice(self._state.world.now() + timedelta(seconds=seconds))
        return web.json_response({"ok": True})

    async def _close(self, request: web.Request) -> web.Response:
        """Close sockets with a code, 4007 where `{"code": n}` says nothing else."""
        body = await _body(request)
        account = body.get("account")
        name = None if account is None else str(account)
        self._stream.close_all(int(str(body.get("code", 4007))), name)
        return web.json_response({"ok": True})

    async def _mode(self, request: web.Request) -> web.Response:
        """`{"account", "mode"?, "position_mode"?, "spot_borrow"?}`, in a scenario's words."""
        body = await _body(request)
        borrow = body.get("spot_borrow")
        if not isinstance(borrow, bool | None):
            raise _wrong(f"spot_borrow: expected true or false, got {borrow!r}")
        try:
            change_mode(
                self._state,
                self._owner(body),
                mode=_text(body.get("mode")),
                position_mode=_text(body.get("position_mode")),
                spot_borrow=borrow,
            )
        except ValueError as error:
            raise _wrong(str(error)) from None
        return web.json_response({"ok": True})

    async def _funding(self, request: web.Request) -> web.Response:
        """
        Charge funding now, or after so many `seconds`, which is then the next funding time.

        `{"account"?, "base"?, "rate"?, "seconds"?}`; a rate stays the coin's own from then on.
        """
        body = await _body(request)
        if "rate" in body:
            self._state.set_funding_rate(_text(body.get("base")), _number(body, "rate"))
        if "seconds" in body:
            after = timedelta(seconds=float(str(body["seconds"])))
            self._state.funding_due_at = self._state.world.now() + after
            return web.json_response({"ok": True})
        owners = [self._owner(body)] if "account" in body else self._state.accounts
        for owner in owners:
            charge_funding(self._state, owner)
        return web.json_response({"ok": True})

    async def _take(self, request: web.Request) -> web.Response:
        """
        Take something as the exchange does by itself.

        `{"account", "event", "symbol", "side"?, "contracts"?}`: a position down to so many
        contracts, by `liquidation`, `adl` or `delivered`; `{"account", "event": "claw_back",
        "coin", "amount"}`.
        """
        body = await _body(request)
        owner, event = self._owner(body), str(body.get("event"))
        try:
            if event == "claw_back":
                claw_back(self._state, owner, str(body.get("coin")), _number(body, "amount"))
            else:
                wish = Change(
                    symbol=_text(body.get("symbol")),
                    side=str(body.get("side", "long")),
                    contracts=_number(body, "contracts"),
                )
                take(self._state, owner, event, wish)
        except ValueError as error:
            raise _wrong(str(error)) from None
        except StopIteration:
            raise _wrong(f"there is no such position in {body.get('symbol')!r}") from None
        return web.json_response({"ok": True})

    async def _stop(self, request: web.Request) -> web.Response:
        """`{"account", "symbol", "trigger"?}`: a stop-loss on a position; without it none more."""
        body = await _body(request)
        owner, symbol = self._owner(body), str(body.get("symbol"))
        try:
            if "trigger" in body:
                place_stop(self._state, owner, symbol, _number(body, "trigger"))
            else:
                cancel_stops(self._state, owner, symbol)
        except StopIteration:
            raise _wrong(f"there is no position in {symbol!r}") from None
        return web.json_response({"ok": True})

    def _owner(self, body: dict[str, object]) -> OkxAccount:
        name = body.get("account")
        for owner in self._state.accounts:
            if owner.spec.name == name:
                return owner
        raise _wrong(f"account: there is no {name!r}")


async def _body(request: web.Request) -> dict[str, object]:
    if not request.can_read_body:
        return {}
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise _wrong(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _wrong("the body is not a JSON object")
    return body


def _number(body: dict[str, object], key: str) -> Decimal:
    try:
        return Decimal(str(body.get(key, 0)))
    except InvalidOperation:
        raise _wrong(f"{key}: expected a number, got {body[key]!r}") from None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _wrong(because: str) -> web.HTTPBadRequest:
    text = json.dumps({"ok": False, "error": because})
    return web.HTTPBadRequest(text=text, content_type="application/json")
