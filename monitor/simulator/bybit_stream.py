"""
I/O. Bybit's WebSockets.

Public tickers begin with a snapshot; every further frame carries only what has changed, prices
and order book in frames of their own, so many frames have no mark price. The private stream is
silent until something happens: neither the wallet nor the positions follow the mark.
"""

import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from monitor.simulator import bybit_public as public
from monitor.simulator.bybit_accounts import NAME, BybitState
from monitor.simulator.bybit_auth import digest
from monitor.simulator.bybit_tables import INSTRUMENTS
from monitor.simulator.sockets import Hub, Socket

Row = dict[str, object]
Reply = Callable[[Socket, Row], Row]
_IDLE = timedelta(minutes=10)
_PRIVATE_TOPICS = ("position", "execution", "order", "wallet")
_CATEGORIES = ("linear", "inverse", "spot", "option")
_MAX_ARGS_TEXT = 21_000
_SPOT_ARGS = 10
# the REST row has these and the stream has not
_NOT_STREAMED = frozenset(
    {"predictedDeliveryPrice", "basisRate", "basis", "deliveryFeeRate", "deliveryTime"}
    | {"basisRateYear"}
)
_BOOK = ("bid1Price", "bid1Size", "ask1Price", "ask1Size")
# What the fault `login` says; one that strikes the key itself strikes the login as well.
_REFUSED_LOGINS = {
    "10003": "API key is invalid.",
    "10004": "error sign!",
    "10005": "Permission denied, please check your API key permissions.",
    "10010": "Unmatched IP, please check your API key's bound IP addresses.",
    "33004": "Your api key has expired.",
}
_REFUSED_KEYS = {"bad_key": "10003", "no_permission": "10005", "ip": "10010"}
_FIRST_SEQUENCE = 9_532_239_429


class BybitStream:
    """Serves the sockets and pushes what a tick brings about."""

    def __init__(self, state: BybitState) -> None:
        self._state = state
        self._hub = Hub(state.world, NAME)
        self._sent: dict[Socket, dict[str, Row]] = {}
        self._heard: dict[Socket, datetime] = {}
        self._sequence = _FIRST_SEQUENCE

    def mount(self, app: web.Application) -> None:
        for category in _CATEGORIES:
            app.router.add_get(f"/bybit/v5/public/{category}", self._public)
        app.router.add_get("/bybit/v5/private", self._private)

    # --- sockets

    async def _public(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._public_reply)

    async def _private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._private_reply)

    async def _serve(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        async with self._hub.opened(request) as socket:
            socket.notes["conn_id"] = secrets.token_hex(10)
            self._heard[socket] = self._state.world.now()
            self._sent[socket] = {}
            try:
                async for text in socket.texts():
                    self._heard[socket] = self._state.world.now()
                    answer = reply(socket, _message(text))
                    socket.answer(json.dumps(answer))
                    self._push_new_topics(socket)
            finally:
                self._sent.pop(socket, None)
                self._heard.pop(socket, None)
        return socket.response

    def _public_reply(self, socket: Socket, message: Row) -> Row:
        op, args = str(message.get("op")), _args(message)
        category = socket.path.rsplit("/", 1)[-1]
        if op == "ping":
            if category == "option":
                return self._pong(socket, message)
            return _acknowledged(socket, message, "ping", success=True, because="pong")
        because = _public_objection(category, op, args)
        if not because:
            _apply(socket, op, args)
        return _acknowledged(socket, message, op, success=not because, because=because)

    def _private_reply(self, socket: Socket, message: Row) -> Row:
        op, args = str(message.get("op")), _args(message)
        if op == "ping":
            return self._pong(socket, message)
        if op == "auth":
            return self._auth(socket, message)
        because = "" if socket.account else "Request not authorized"
        because = because or _private_objection(op, args)
        if not because:
            _apply(socket, op, args)
        return _acknowledged(socket, message, op, success=not because, because=because)

    def _pong(self, socket: Socket, message: Row) -> Row:
        at_ms = self._state.server_ms(socket.path)
        pong: Row = {"op": "pong", "args": [str(at_ms)], "conn_id": socket.notes["conn_id"]}
        return {"req_id": message["req_id"], **pong} if "req_id" in message else pong

    def _auth(self, socket: Socket, message: Row) -> Row:
        args = message.get("args")
        complete = isinstance(args, list) and len(args) == len(("key", "expires", "signature"))
        key, expires, signature = args if isinstance(args, list) and complete else ("", "", "")
        account = self._state.by_key(str(key))
        because = self._login_fault(socket.path)
        if because:
            pass
        elif account is None:
            because = "API key is invalid."
        elif not str(expires).isdecimal() or int(expires) <= self._state.server_ms(socket.path):
            because = "Params Error"
        elif digest(account.spec.secret, f"GET/realtime{expires}") != signature:
            because = "error sign!"
        else:
            socket.account = account.spec.name
        return _acknowledged(socket, message, "auth", success=not because, because=because)

    def _login_fault(self, path: str) -> str:
        """Bybit's words of a login that a fault refuses; empty where none does."""
        code = self._hub.fault_value("login", path, "Params Error")
        if code is not None:
            return _REFUSED_LOGINS.get(code, code)
        struck = (kind for kind in _REFUSED_KEYS if self._hub.has_fault(kind, path))
        return next((_REFUSED_LOGINS[_REFUSED_KEYS[kind]] for kind in struck), "")

    # --- pushes

    async def step(self, now: datetime) -> None:
        """Push what the newest marks and the ledgers' news bring to each socket."""
        self._hub.apply_drop()
        self._sequence += 1
        tickers = _Tickers(self._state)
        for socket in self._hub:
            if now - self._heard.get(socket, now) > _IDLE:
                socket.abort()
            for topic in socket.topics:
                self._push_ticker(socket, topic, tickers)
        self._push_private()

    def _push_new_topics(self, socket: Socket) -> None:
        tickers = _Tickers(self._state)
        for topic in socket.topics:
            if topic not in self._sent[socket]:
                self._push_ticker(socket, topic, tickers)

    def _push_ticker(self, socket: Socket, topic: str, tickers: "_Tickers") -> None:
        kind, _, symbol = topic.partition(".")
        if socket not in self._sent or kind != "tickers":
            return
        if symbol in self._hub.silent_symbols(socket.path):
            return
        row = tickers.row(socket.path.rsplit("/", 1)[-1], symbol, self._sequence)
        sent = self._sent[socket].get(topic)
        self._sent[socket][topic] = row
        if sent is None or "/spot" in socket.path:
            self._push_frame(socket, topic, "snapshot", row)
            return
        changed = {key: value for key, value in row.items() if sent.get(key) != value}
        book = {key: changed.pop(key) for key in _BOOK if key in changed}
        for part in (changed, book):
            if part:
                self._push_frame(socket, topic, "delta", {"symbol": symbol, **part})

    def _push_frame(self, socket: Socket, topic: str, kind: str, data: Row) -> None:
        frame: Row = {"topic": topic, "type": kind, "data": data}
        frame |= {"cs": self._sequence, "ts": self._state.server_ms(socket.path)}
        socket.push(json.dumps(frame))

    def _push_private(self) -> None:
        for account in self._state.accounts:
            for topic, data in account.outbox:
                for socket in self._hub:
                    if socket.account == account.spec.name:
                        self._push_event(socket, account.uid, topic, data)
            account.outbox.clear()

    def _push_event(self, socket: Socket, uid: int, topic: str, data: list[Row]) -> None:
        at_ms = self._state.server_ms(socket.path)
        for subscribed in socket.topics:
            kind, _, category = subscribed.partition(".")
            mine = [row for row in data if not category or row.get("category") == category]
            if kind == topic and mine:
                frame = {
                    "id": f"{uid}_{subscribed}_{at_ms}",
                    "topic": subscribed,
                    "creationTime": at_ms,
                    "data": mine,
                }
                socket.push(json.dumps(frame))


class _Tickers:
    """The rows of one moment, made once for all sockets."""

    def __init__(self, state: BybitState) -> None:
        self._state = state
        self._prices = state.prices()
        self._rows: dict[tuple[str, str], Row] = {}

    def row(self, category: str, symbol: str, sequence: int) -> Row:
        key = (category, symbol)
        if key not in self._rows:
            self._rows[key] = self._made(category, symbol, sequence)
        return self._rows[key]

    def _made(self, category: str, symbol: str, sequence: int) -> Row:
        if category == "spot":
            row = public.spot_ticker(symbol.removesuffix("USDT"), self._prices)
            return {key: row[key] for key in row if key[:3] not in {"bid", "ask"}}
        it = INSTRUMENTS[symbol]
        rate = self._state.funding_rate(it.base)
        row = public.ticker(it, self._prices, rate, self._state.next_funding_ms())
        kept = {key: row[key] for key in row if key not in _NOT_STREAMED}
        # What moves at every frame on a live exchange: the sizes in the book.
        return {"tickDirection": "PlusTick"} | kept | {"bid1Size": f"{sequence % 97 + 1}.5"}


def _public_objection(category: str, op: str, args: list[str]) -> str:
    """Why a public request is refused; empty where it isn't."""
    if op not in {"subscribe", "unsubscribe"}:
        return f"error:op {op} not found"
    if len("".join(args)) > _MAX_ARGS_TEXT:
        return "error:args too long"
    if category == "spot" and len(args) > _SPOT_ARGS:
        return "error:args size >10"
    wrong = next((arg for arg in args if not _is_public(category, arg)), None)
    return "" if wrong is None else f"error:handler not found,topic:{wrong}"


def _private_objection(op: str, args: list[str]) -> str:
    """Why a private request is refused; empty where it isn't."""
    if op not in {"subscribe", "unsubscribe"}:
        return f"error:op {op} not found"
    wrong = next((arg for arg in args if arg.partition(".")[0] not in _PRIVATE_TOPICS), None)
    if wrong is not None:
        return f"error:handler not found,topic:{wrong}"
    if any(arg.partition(".")[0] in args for arg in args if "." in arg):
        return "error:all-in-one and categorised topics can't be in one request"
    return ""


def _is_public(category: str, topic: str) -> bool:
    kind, _, symbol = topic.partition(".")
    if kind == "adlAlert":
        return symbol in {"USDT", "USDC", "inverse"} and category in {"linear", "inverse"}
    if kind != "tickers":
        return False
    if category == "spot":
        return symbol in {f"{coin}USDT" for coin in public.SPOT_COINS}
    return symbol in INSTRUMENTS and INSTRUMENTS[symbol].category == category


def _message(text: str) -> Row:
    try:
        message = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _args(message: Row) -> list[str]:
    args = message.get("args")
    return [str(arg) for arg in args] if isinstance(args, list) else []


def _apply(socket: Socket, op: str, args: list[str]) -> None:
    if op == "subscribe":
        socket.topics |= dict.fromkeys(args)
    else:
        for arg in args:
            socket.topics.pop(arg, None)


def _acknowledged(socket: Socket, message: Row, op: str, *, success: bool, because: str) -> Row:
    answer: Row = {
        "success": success,
        "ret_msg": because,
        "conn_id": socket.notes["conn_id"],
    }
    if "req_id" in message:
        answer["req_id"] = message["req_id"]
    return answer | {"op": op}
