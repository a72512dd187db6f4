"""
I/O. OKX's WebSockets: public, private and business.

Marks come on every change, and once in ten seconds without one; the account and positions
channels repeat themselves every five seconds; a socket on which nothing moves for thirty is
closed with 4004. Only the text `ping` keeps it open, not a WebSocket ping.
"""

import asyncio
import json
import secrets
from datetime import datetime, timedelta

from aiohttp import web

from monitor.simulator import okx_public as public
from monitor.simulator.okx_accounts import NAME, OkxAccount, OkxState
from monitor.simulator.okx_auth import login_error
from monitor.simulator.okx_channels import Row, objection, topic_of, wants
from monitor.simulator.okx_events import account_row, balance_and_position, position_rows
from monitor.simulator.okx_tables import instrument_of
from monitor.simulator.sockets import Hub, Socket

_SILENCE = timedelta(seconds=30)
_UNCHANGED = timedelta(seconds=10)
_REGULAR = timedelta(seconds=5)
_PAGE = 5  # rows on a page of a snapshot; the exchange's own page is longer
_MOST_CONNECTIONS = 30  # of one account's, on one private channel
_TWICE_EVERY = 5  # each so manieth step a mark comes twice under one time
_MESSAGES = {
    "60004": "Invalid timestamp",
    "60005": "Invalid apiKey",
    "60006": "Timestamp request expired",
    "60007": "Invalid sign",
    "60009": "Login failed.",
    "60012": "Invalid request",
    "60024": "Wrong passphrase",
    "60031": "The WebSocket endpoint does not support multiple account batch login",
    "60032": "API key doesn't exist",
    "63999": "Login failed due to internal error. Please try again later.",
}
_LOGIN_FAILED = b"Login failed."


class OkxStream:
    """Serves the sockets and pushes what a tick brings about."""

    def __init__(self, state: OkxState) -> None:
        self._state = state
        self._hub = Hub(state.world, NAME)
        self._moved: dict[Socket, datetime] = {}
        self._sent: dict[Socket, dict[str, tuple[str, datetime]]] = {}
        self._steps = 0
        self._leaving: set[asyncio.Task[bool]] = set()

    def mount(self, app: web.Application) -> None:
        for kind in ("public", "private", "business"):
            app.router.add_get(f"/okx/ws/v5/{kind}", self._serve)

    def give_notice(self, until: datetime) -> None:
        """Tell every client that its socket will be closed, and close it then."""
        for socket in self._hub:
            message = "The connection will soon be closed for a service upgrade. Please reconnect."
            socket.answer(_dumps(_event(socket, "notice", code="64008", msg=message)))
            socket.notes["leaving"] = until.isoformat()

    def close_all(self, code: int, account: str | None = None) -> None:
        """Close sockets with a code: all, or those that an account has logged in on."""
        for socket in self._hub:
            if account in {None, socket.account}:
                self._close(socket, code)

    def _close(self, socket: Socket, code: int, message: bytes = b"") -> None:
        """Begin a closing handshake; nobody waits for the other side."""
        socket.notes.pop("leaving", None)
        task = asyncio.ensure_future(socket.response.close(code=code, message=message))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # --- sockets

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        async with self._hub.opened(request) as socket:
            socket.notes["connId"] = secrets.token_hex(4)
            self._moved[socket] = self._state.world.now()
            self._sent[socket] = {}
            try:
                async for message in socket.texts():
                    self._moved[socket] = self._state.world.now()
                    self._hear(socket, message)
            finally:
                self._moved.pop(socket, None)
                self._sent.pop(socket, None)
        return socket.response

    def _hear(self, socket: Socket, frame: str) -> None:
        if frame == "ping":
            socket.answer("pong")
            return
        try:
            message = json.loads(frame)
            op, args = message["op"], list(message["args"])
        except (json.JSONDecodeError, KeyError, TypeError):
            self._refuse(socket, "60012", f"Invalid request: {frame[:100]}", {})
            return
        if op == "login":
            self._login(socket, message, args)
        elif op in {"subscribe", "unsubscribe"}:
            for arg in args:
                self._subscribe(socket, message, op, arg)
        else:
            self._refuse(socket, "60012", f"Invalid request: {frame[:100]}", message)

    def _login(self, socket: Socket, message: Row, args: list[Row]) -> None:
        arg = args[0] if args and isinstance(args[0], dict) else {}
        if socket.account is not None:
            self._refuse(socket, "60031", _MESSAGES["60031"], message)
            return
        account, code = self._known(socket, arg)
        if code is None and account is not None:
            socket.account = account.spec.name
            socket.answer(_dumps(_event(socket, "login", code="0", msg="")))
            return
        refused = code or "60009"
        self._refuse(socket, refused, _MESSAGES.get(refused, "Operation failed."), message)
        socket.notes["failed"] = refused

    def _known(self, socket: Socket, arg: Row) -> tuple[OkxAccount | None, str | None]:
        """Who logs in, and the code with which it fails, None where it does not."""
        fault = self._hub.fault_value("login", socket.path, "60009")
        if fault is not None:
            return None, fault
        account = self._state.by_key(str(arg.get("apiKey")))
        if account is None:
            return None, "60005"
        at_ms = self._state.server_ms(socket.path)
        return account, login_error(arg, account.spec.secret, account.spec.passphrase, at_ms)

    def _subscribe(self, socket: Socket, message: Row, op: str, arg: object) -> None:
        kind = socket.path.rsplit("/", 1)[-1]
        refused = objection(kind, arg, logged_in=socket.account is not None)
        if refused is not None or not isinstance(arg, dict):
            code, because = refused or ("60012", "Invalid request")
            self._refuse(socket, code, because, message)
            return
        topic = topic_of(arg)
        acknowledged: Row = {"event": op, "arg": arg, "connId": socket.notes["connId"]}
        if "id" in message:
            acknowledged = {"id": message["id"], **acknowledged}
        socket.answer(_dumps(acknowledged))
        if op == "unsubscribe":
            socket.topics.pop(topic, None)
            self._sent[socket].pop(topic, None)
            return
        socket.topics[topic] = None
        if kind == "public" or self._counted(socket, str(arg["channel"])):
            self._first(socket, topic, arg)
        else:
            socket.topics.pop(topic)

    def _counted(self, socket: Socket, channel: str) -> bool:
        """Tell how many connections of an account have a channel; False if one too many."""
        count = sum(
            other.account == socket.account
            and any(json.loads(topic)["channel"] == channel for topic in other.topics)
            for other in self._hub
        )
        fits = count <= _MOST_CONNECTIONS
        name = "channel-conn-count" if fits else "channel-conn-count-error"
        told = str(min(count, _MOST_CONNECTIONS))
        socket.answer(_dumps(_event(socket, name, channel=channel, connCount=told)))
        return fits

    def _refuse(self, socket: Socket, code: str, because: str, message: Row) -> None:
        error = _event(socket, "error", code=code, msg=because)
        socket.answer(_dumps({"id": message["id"], **error} if "id" in message else error))

    # --- pushes

    async def step(self, now: datetime) -> None:
        """Push to each socket what is due; close those that have gone silent."""
        self._hub.apply_drop()
        self._steps += 1
        for account in self._state.accounts:
            for channel, event in account.outbox:
                self._push_event(account, channel, event)
            account.outbox.clear()
        for socket in self._hub:
            if socket in self._sent:
                self._step(socket, now)
                if now - self._moved[socket] > _SILENCE:
                    self._close(socket, 4004, b"No data received in 30s.")
                if socket.notes.pop("failed", None) is not None:
                    self._close(socket, 4001, _LOGIN_FAILED)
                leaving = socket.notes.get("leaving")
                if leaving is not None and now >= datetime.fromisoformat(leaving):
                    self._close(socket, 1000)

    def _step(self, socket: Socket, now: datetime) -> None:
        for topic in socket.topics:
            arg = json.loads(topic)
            if arg["channel"] in {"mark-price", "index-tickers"}:
                self._push_price(socket, topic, arg, now)
            elif arg["channel"] in {"account", "positions"} and _is_regular(arg):
                last = self._sent[socket].get(topic)
                if last is not None and now - last[1] >= _REGULAR:
                    self._push_snapshot(socket, topic, arg)

    def _first(self, socket: Socket, topic: str, arg: Row) -> None:
        """What comes at once after a subscription."""
        match arg["channel"]:
            case "mark-price" | "index-tickers":
                self._push_price(socket, topic, arg, self._state.world.now())
            case "account" | "positions":
                self._push_snapshot(socket, topic, arg)
            case "balance_and_position":
                account = self._state.by_name(socket.account or "")
                event = balance_and_position(self._state, account, "snapshot")
                frame: Row = {"arg": self._named(socket, arg), "data": [event]}
                self._push(socket, frame, is_event=False)

    def _push_price(self, socket: Socket, topic: str, arg: Row, now: datetime) -> None:
        inst_id, prices = str(arg["instId"]), self._state.prices()
        if inst_id in self._hub.silent_symbols(socket.path):
            return
        at_ms = self._state.server_ms(socket.path)
        if arg["channel"] == "mark-price":
            row = public.mark_price(instrument_of(inst_id), prices, at_ms)
            price = str(row["markPx"])
        else:
            row = public.index_ticker(inst_id, prices, at_ms)
            price = str(row["idxPx"])
        before = self._sent[socket].get(topic)
        if before is not None and before[0] == price and now - before[1] < _UNCHANGED:
            return
        self._sent[socket][topic] = (price, now)
        repeats = before is not None and self._steps % _TWICE_EVERY == 0
        if repeats and before is not None and arg["channel"] == "mark-price":
            # The same time twice; what was received last holds.
            repeated = row | {"markPx": before[0]}
            self._push(socket, {"arg": arg, "data": [repeated]}, is_event=False)
        self._push(socket, {"arg": arg, "data": [row]}, is_event=False)

    def _push_snapshot(self, socket: Socket, topic: str, arg: Row) -> None:
        account = self._state.by_name(socket.account or "")
        self._sent[socket][topic] = ("", self._state.world.now())
        if arg["channel"] == "positions":
            data = self._position_rows(account, arg)
            pages = [data[n : n + _PAGE] for n in range(0, len(data), _PAGE)] or [[]]
        else:
            whole = account_row(self._state, account)
            details = whole["details"] if isinstance(whole["details"], list) else []
            wanted = [one for one in details if arg.get("ccy") in {None, one["ccy"]}]
            cuts = range(0, max(1, len(wanted)), _PAGE)
            pages = [[whole | {"details": wanted[n : n + _PAGE]}] for n in cuts]
        for number, page in enumerate(pages, 1):
            frame = {
                "arg": self._named(socket, arg),
                "eventType": "snapshot",
                "curPage": number,
                "lastPage": number == len(pages),
                "data": page,
            }
            self._push(socket, frame, is_event=False)

    def _position_rows(self, account: OkxAccount, arg: Row) -> list[Row]:
        at = str(self._state.server_ms())
        return [
            row | {"pTime": at} for row in position_rows(self._state, account) if wants(arg, row)
        ]

    def _push_event(self, account: OkxAccount, channel: str, event: Row) -> None:
        for socket in self._hub:
            if socket.account != account.spec.name:
                continue
            for topic in socket.topics:
                arg = json.loads(topic)
                if arg["channel"] != channel or not wants(arg, event):
                    continue
                frame: Row = {"arg": self._named(socket, arg), "data": [event]}
                if channel in {"account", "positions"}:
                    frame = frame | {"eventType": "event_update"}
                self._push(socket, frame)

    def _push(self, socket: Socket, frame: Row, *, is_event: bool = True) -> None:
        if not self._hub.has_fault("stall", socket.path):
            self._moved[socket] = self._state.world.now()
        socket.push(_dumps(frame), is_event=is_event)

    def _named(self, socket: Socket, arg: Row) -> Row:
        if socket.account is None:
            return arg
        return arg | {"uid": self._state.by_name(socket.account).uid}


def _is_regular(arg: Row) -> bool:
    parameters = str(arg.get("extraParams", ""))
    return '"0"' not in parameters and ":0" not in parameters.replace(" ", "")


def _event(socket: Socket, event: str, **words: str) -> Row:
    return {"event": event, **words, "connId": socket.notes["connId"]}


def _dumps(frame: Row) -> str:
    return json.dumps(frame, separators=(",", ":"))
