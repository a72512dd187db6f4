"""I/O. How a fault looks in a REST answer: a middleware before every exchange's routes."""

import asyncio
import json
import socket
import struct
from decimal import Decimal, InvalidOperation

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.simulator.faults import Fault
from monitor.simulator.world import Exchange, World

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_LOOK_AGAIN_SECONDS = 0.05


def faulty_rest(world: World) -> Middleware:
    """Give the middleware that shows the faults of `world` in REST answers."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange, path = _exchange_of(world, request)
        if exchange is None or "upgrade" in request.headers:
            return await handler(request)
        fault = world.faults.first_of_rest(exchange.name, path, world.now())
        if fault is None:
            return await handler(request)
        return await _show(world, exchange, fault, request, handler)

    return middleware


def _exchange_of(world: World, request: web.Request) -> tuple[Exchange | None, str]:
    for exchange in world.exchanges:
        prefix = f"/{exchange.name}"
        if request.path.startswith(f"{prefix}/"):
            return exchange, request.path.removeprefix(prefix)
    return None, request.path


async def _show(
    world: World, exchange: Exchange, fault: Fault, request: web.Request, handler: Handler
) -> web.StreamResponse:
    plain = _plain(fault)
    if plain is not None:
        return plain
    match fault.kind:
        case "truncated" | "wrong_numbers" | "slow_answer":
            return await _spoilt(fault, exchange, await handler(request))
        case "timeout":
            return await _hang(world, fault, request)
        case "reset":
            return _reset(request)
        case _:
            return exchange.refusal(fault.kind, fault.value)


async def _spoilt(
    fault: Fault, exchange: Exchange, answer: web.StreamResponse
) -> web.StreamResponse:
    """Give what the exchange answered, as the fault leaves it."""
    if fault.kind == "truncated":
        return _truncated(answer)
    if fault.kind == "wrong_numbers":
        return _falsified(answer, exchange.totals, fault.value or "0.5")
    await asyncio.sleep(float(fault.value or 2))
    return answer


def _plain(fault: Fault) -> web.Response | None:
    """Give the answer of a fault that looks alike everywhere, or None."""
    match fault.kind:
        case "html":
            return _page(200, "System upgrade in progress")
        case "403_html":
            return _page(403, "Request blocked")
        case "5xx":
            return _page(int(fault.value or 503), "Service unavailable")
        case "empty":
            return web.Response(content_type="application/json")
        case "null" | "body":
            text = "null" if fault.kind == "null" else fault.value or ""
            return web.Response(text=text, content_type="application/json")
        case _:
            return None


def _page(status: int, title: str) -> web.Response:
    return web.Response(status=status, text=_PAGE.format(title), content_type="text/html")


def _body(response: web.StreamResponse) -> str:
    if isinstance(response, web.Response) and response.text:
        return response.text
    return ""


def _truncated(response: web.StreamResponse) -> web.Response:
    body = _body(response)
    return web.Response(text=body[: len(body) // 2], content_type="application/json")


def _falsified(response: web.StreamResponse, totals: frozenset[str], factor: str) -> web.Response:
    wrong = _multiplied(json.loads(_body(response)), totals, Decimal(factor))
    return web.json_response(wrong, status=response.status)


def _multiplied(value: object, totals: frozenset[str], factor: Decimal) -> object:
    if isinstance(value, list):
        return [_multiplied(item, totals, factor) for item in value]
    if isinstance(value, dict):
        return {
            key: _times(item, factor) if key in totals else _multiplied(item, totals, factor)
            for key, item in value.items()
        }
    return value


def _times(value: object, factor: Decimal) -> object:
    """Give a figure on the wire times the factor, with as many decimals as it had."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return value
    return str((number * factor).quantize(number))


async def _hang(world: World, fault: Fault, request: web.Request) -> web.Response:
    while world.faults.first_of_rest(fault.exchange, fault.path, world.now()) is fault:
        if request.transport is None:
            break
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return _page(504, "Gateway time-out")


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        raw = request.transport.get_extra_info("socket")
        # Lingering for zero seconds makes the kernel send RST instead of FIN.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)
