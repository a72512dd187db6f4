"""
I/O. Binance's WebSockets.

Since 2026-04-23 each class of USD-M streams has its own path: `/market` carries marks, `/private`
user data. On an unrouted path a subscription is acknowledged and then nothing of USD-M comes:
those paths are COIN-M's, for marks and for user data (`/ws/<listenKey>`). `/pm/ws/<listenKey>` is
the user data of portfolio margin.
"""

import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

from aiohttp import web

from monitor.simulator import binance_frames as frames
from monitor.simulator.binance_accounts import NAME, BinanceState, UserStream
from monitor.simulator.binance_quotes import Row
from monitor.simulator.binance_tables import ASSETS, Symbol
from monitor.simulator.sockets import Hub, Socket

_SLOW_TICKS = 3  # marks come every 3 s where a stream does not ask for @1s
_PING_SECONDS = 180
_LIFE = timedelta(hours=24)
_MESSAGES_PER_SECOND = 10
_STREAMS_PER_SOCKET = 1024
_UNKNOWN_METHOD = "Invalid request: unknown variant `{}`"
_MARKET_PATHS = ("/market/ws", "/market/stream")
_COIN_PATHS = ("/ws", "/stream")
_PRIVATE_PATHS = {"/private": "usd", "/ws": "coin", "/pm-classic": "pro", "/pm": "portfolio"}
_PRO_TICKS = 5  # a pro account's figures come every 5 s
_LISTEN_KEY_LENGTH = 64
_MARKS = frozenset({"markPrice", "markPrice@1s"})
_ARRAYS = frozenset({"!markPrice@arr", "!markPrice@arr@1s"})


class BinanceStream:
    """Serves the sockets and pushes what a tick brings about."""

    def __init__(self, state: BinanceState) -> None:
        self._state = state
        self._hub = Hub(state.world, NAME)
        self._ticks = 0
        self._opened_at: dict[Socket, datetime] = {}
        self._contract_news: list[Symbol] = []

    def mount(self, app: web.Application) -> None:
        app.on_shutdown.append(self._hub.close)
        for prefix in ("", "/market", "/public"):
            app.router.add_get(f"/binance{prefix}/ws", self._market)
            app.router.add_get(f"/binance{prefix}/ws/{{streams:.+}}", self._market)
            app.router.add_get(f"/binance{prefix}/stream", self._market)
        app.router.add_get("/binance/private/ws", self._private)
        app.router.add_get("/binance/private/ws/{key}", self._private)
        app.router.add_get("/binance/private/stream", self._private)
        for prefix in ("/pm", "/pm-classic"):
            app.router.add_get(f"/binance{prefix}/ws", self._private)
            app.router.add_get(f"/binance{prefix}/ws/{{key}}", self._private)

    # --- sockets

    async def _market(self, request: web.Request) -> web.StreamResponse:
        if _private_key(request):
            return await self._private(request)
        async with self._hub.opened(request) as socket:
            self._opened_at[socket] = self._state.world.now()
            in_path = request.match_info.get("streams", "")
            wanted = in_path or request.query.get("streams", "")
            socket.topics |= dict.fromkeys(name for name in wanted.split("/") if name)
            recent: deque[datetime] = deque(maxlen=_MESSAGES_PER_SECOND + 1)
            async for text in socket.texts():
                if self._too_fast(recent):
                    await socket.response.close(code=1008, message=b"Too many requests")
                    break
                socket.answer(json.dumps(self._reply(socket, text)))
        self._opened_at.pop(socket, None)
        return socket.response

    def _too_fast(self, recent: deque[datetime]) -> bool:
        now = self._state.world.now()
        recent.append(now)
        full = len(recent) > _MESSAGES_PER_SECOND
        return full and now - recent[0] < timedelta(seconds=1)

    async def _private(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info.get("key") or _private_key(request)
        async with self._hub.opened(request) as socket:
            self._opened_at[socket] = self._state.world.now()
            found = self._state.by_listen_key(key, _stream_of(socket.path))
            # An unknown key is accepted too, and stays silent; so is one of another path.
            if found is not None:
                socket.account = found.spec.name
            socket.notes["listen_key"] = key
            async for text in socket.texts():
                socket.answer(json.dumps(self._reply(socket, text)))
        self._opened_at.pop(socket, None)
        return socket.response

    def _reply(self, socket: Socket, text: str) -> Row:
        try:
            message = json.loads(text)
        except json.JSONDecodeError:
            return _error(3, f"Invalid JSON: {text[:40]}", None)
        if not isinstance(message, dict):
            return _error(2, "Invalid request: request must be a JSON object", None)
        number = message.get("id")
        streams = message.get("params", [])
        if not isinstance(streams, list) or not all(isinstance(s, str) for s in streams):
            return _error(2, "Invalid request: params must be an array of strings", number)
        return self._act(socket, message.get("method"), streams, number)

    def _act(self, socket: Socket, method: object, streams: list[str], number: object) -> Row:
        match method:
            case "SUBSCRIBE":
                return self._subscribe(socket, streams, number)
            case "UNSUBSCRIBE":
                for stream in streams:
                    socket.topics.pop(stream, None)
                return {"result": None, "id": number}
            case "LIST_SUBSCRIPTIONS":
                return {"result": list(socket.topics), "id": number}
            case _:
                return _error(2, _UNKNOWN_METHOD.format(method), number)

    @staticmethod
    def _subscribe(socket: Socket, streams: list[str], number: object) -> Row:
        if len(socket.topics.keys() | streams) > _STREAMS_PER_SOCKET:
            return _error(2, "Invalid request: too many streams", number)
        socket.topics |= dict.fromkeys(streams)
        return {"result": None, "id": number}

    # --- pushing

    def tell_brackets(self, symbol: Symbol) -> None:
        """Push a symbol's brackets to `!contractInfo` at the next step."""
        self._contract_news.append(symbol)

    async def step(self, now: datetime) -> None:
        self._hub.apply_drop()
        self._ticks += 1
        for socket in self._hub:
            if now - self._opened_at.get(socket, now) >= _LIFE:
                socket.abort()
            elif socket.path.startswith((*_MARKET_PATHS, *_COIN_PATHS)):
                self._push_market(socket)
        self._contract_news.clear()
        if self._ticks % _PRO_TICKS == 0:
            self._tell_pro()
        self.push_private()
        if self._ticks % _PING_SECONDS == 0:
            for socket in self._hub:
                socket.answer(str(int(now.timestamp() * 1000)).encode())

    def _push_market(self, socket: Socket) -> None:
        combined = socket.path.startswith(("/market/stream", "/stream"))
        silent = self._hub.silent_symbols(socket.path)
        said = self._coin_frames if socket.path.startswith(_COIN_PATHS) else self._frames
        for stream in socket.topics:
            for data in said(stream, silent):
                frame = {"stream": stream, "data": data} if combined else data
                socket.push(json.dumps(frame, separators=(",", ":")), is_event=False)

    def _frames(self, stream: str, silent: frozenset[str]) -> Iterator[object]:
        """Give what a stream has to say at this tick; an unknown one has nothing."""
        if stream in _ARRAYS:
            if self._is_due(stream):
                yield from frames.mark_arrays(self._state, silent)
        elif stream == "!assetIndex@arr":
            yield frames.asset_indices(self._state)
        elif stream == "!contractInfo":
            for symbol in self._contract_news:
                yield frames.contract_info(self._state, symbol)
        else:
            yield from self._single(stream, silent)

    def _coin_frames(self, stream: str, silent: frozenset[str]) -> Iterator[object]:
        """Give what COIN-M's own paths say: marks of its symbols and of whole pairs."""
        name, _, kind = stream.partition("@")
        pairs = {symbol.pair.lower(): symbol.pair for symbol in self._state.quotes.coin_symbols}
        if name in pairs and kind in _MARKS and self._is_due(stream):
            yield frames.pair_marks(self._state, pairs[name], silent)
        elif "_" in name:
            yield from self._single(stream, silent)

    def _single(self, stream: str, silent: frozenset[str]) -> Iterator[object]:
        """Give what a stream of one symbol or asset says; names are in lower case."""
        name, _, kind = stream.partition("@")
        if name != name.lower():
            return
        symbol = self._state.quotes.table.get(name.upper())
        asset = ASSETS.get(name.upper().removesuffix("USD"))
        if kind in _MARKS and symbol is not None:
            if symbol.name not in silent and self._is_due(stream):
                yield frames.mark(self._state, symbol)
        elif kind == "assetIndex" and asset is not None:
            row = frames.asset_index(self._state, asset)
            if row is not None:
                yield row

    def _is_due(self, stream: str) -> bool:
        return stream.endswith("@1s") or self._ticks % _SLOW_TICKS == 0

    def push_private(self) -> None:
        """Push what waits for the private streams; on the exchange that takes milliseconds."""
        now = self._state.server_time()
        for account in self._state.accounts:
            for stream in account.streams.values():
                stream.expire_listen_key(now)
                for socket in self._private_sockets(account.spec.name, stream):
                    self._push_events(socket, stream, account.keyed(stream.name))
                stream.outbox.clear()

    def _push_events(self, socket: Socket, stream: UserStream, keyed: UserStream) -> None:
        key = socket.notes["listen_key"]
        if key in keyed.ended:
            socket.push(json.dumps(frames.listen_key_expired(self._state, key)))
            socket.account = None
            return
        if key != keyed.listen_key:
            return  # somebody deleted it: silence, without a word
        combined = socket.path.startswith("/private/stream")
        for event in stream.outbox:
            frame = {"stream": key, "data": event} if combined else event
            socket.push(json.dumps(frame, separators=(",", ":")))

    def _tell_pro(self) -> None:
        for account in self._state.accounts:
            if account.spec.mode == "pm_pro":
                book, prices = account.portfolio, self._state.prices(account)
                figures = (
                    book.uni_mmr(prices),
                    book.account_equity(prices),
                    book.actual_equity(prices),
                    book.account_initial_margin(prices),
                    book.account_maint_margin(prices),
                )
                account.warn(frames.pro_account(self._state, figures))

    def _private_sockets(self, account: str, stream: UserStream) -> Iterator[Socket]:
        for socket in self._hub:
            if socket.account == account and _stream_of(socket.path) == stream.name:
                yield socket


def _private_key(request: web.Request) -> str:
    """Give the listenKey of an address that carries one, else an empty text."""
    in_path = request.match_info.get("streams", "")
    key = in_path or request.query.get("listenKey", "")
    return key if len(key) == _LISTEN_KEY_LENGTH and "@" not in key else ""


def _stream_of(path: str) -> str | None:
    """Give which user stream a path carries."""
    return next((name for start, name in _PRIVATE_PATHS.items() if path.startswith(start)), None)


def _error(code: int, message: str, number: object) -> Row:
    return {"error": {"code": code, "msg": message}, "id": number}
