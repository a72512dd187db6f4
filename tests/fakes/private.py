"""The fake exchange with an account's own stream: a login, a ticket, and a book in one line."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from monitor.exchanges.call import RestCall
from monitor.exchanges.payload import Row, parse_json
from monitor.exchanges.port import (
    AccountFrameRead,
    AccountStream,
    Credentials,
    Exchange,
    Frame,
    Ignored,
    KeepAlive,
    Leave,
    LoggedIn,
    NotAdmitted,
    Pong,
    Rejected,
    Subscribed,
    Ticket,
    TicketEnded,
    Told,
)
from monitor.risk.news import Warned
from tests.build import flat, long
from tests.engine.scene import snapshot, the_pool
from tests.fakes.exchange import BUDGET, FAKE, milliseconds

if TYPE_CHECKING:
    from monitor.risk.model import AccountSnapshot

KEY, SECRET = "canary-key-77aa", "canary-secret-2f9c"
CREDENTIALS = Credentials(api_key=KEY, api_secret=SECRET)

GET_TICKET = RestCall(
    implicit="fapiPrivatePostListenKey", path="/fapi/v1/listenKey", budget=BUDGET, verb="POST"
)
KEEP_TICKET = RestCall(
    implicit="fapiPrivatePutListenKey", path="/fapi/v1/listenKey", budget=BUDGET, verb="PUT"
)


def login(credentials: Credentials, at: datetime) -> str:
    return json.dumps(
        {"op": "login", "key": credentials.api_key, "sign": SECRET[::-1], "at": milliseconds(at)}
    )


def read_key(body: object) -> str:
    return Row(body, "listenKey").text("listenKey")


LOGGED_IN = AccountStream(
    host="ws://nowhere.invalid",
    path="/private",
    is_told="everything",
    login=login,
    subscribe=("watch book", "watch orders"),
    acks=2,
    keepalive=KeepAlive(text="ping", seconds=0.4),
    ends_for_good={4007: "the key was deleted"},
)
TICKETED = AccountStream(
    host="ws://nowhere.invalid",
    path="/private/ws?key={ticket}",
    is_told="everything",
    ticket=Ticket(get=GET_TICKET, keep=KEEP_TICKET, read=read_key, keep_seconds=0.3),
)


def read_account_frame(frame: Frame) -> AccountFrameRead:
    row = Row(parse_json(frame.text, "frame"), "frame")
    simple: dict[str, AccountFrameRead] = {
        "in": LoggedIn(),
        "ack": Subscribed(),
        "pong": Pong(),
        "expired": TicketEnded(),
        "leave": Leave(because="upgrade"),
        "book": Told(changes=True),
        "mode": Told(ask="the mode was changed"),
    }
    kind = row.text("kind")
    if kind == "out":
        return NotAdmitted(because=row.text("because"), for_good=row.boolean("for_good"))
    if kind == "rejected":
        return Rejected(because=row.text("because"))
    if kind == "warned":
        return Told(news=(Warned(at=frame.at, words=row.text("words")),))
    return simple.get(kind) or Ignored(what=kind)


def private(*streams: AccountStream) -> Exchange:
    return replace(FAKE, account_streams=lambda _: streams, read_account_frame=read_account_frame)


def said(kind: str, **more: Any) -> str:
    return json.dumps({"kind": kind, **more})


def book(contracts: str, at: datetime, cash: str = "500") -> str:
    """A frame: so many SOL are held since then, and so much cash."""
    return said("book", contracts=contracts, cash=cash, at=milliseconds(at))


@dataclass(frozen=True)
class BookView:
    """
    A view of one pool. A frame older than what it shows changes nothing.

    `strange` contracts in a frame are such as its tables don't hold.
    """

    contracts: Decimal
    at: datetime
    cash: Decimal = Decimal(500)
    mode: str = "unified, cross"

    def snapshot(self, at: datetime) -> AccountSnapshot:
        sol = long("SOL", contracts=self.contracts, entry=100, tiers=flat("0.4"))
        held = (sol,) if self.contracts else ()
        pool = replace(the_pool(cash=self.cash), positions=held)
        return replace(snapshot(pool, at=at, SOL=120), mode=self.mode)

    def updated(self, frame: Frame) -> BookView:
        row = Row(parse_json(frame.text, "frame"), "frame")
        at = row.time("at").astimezone(UTC)
        if row.text("kind") != "book" or at < self.at:
            return self
        return replace(
            self,
            contracts=row.decimal("contracts"),
            cash=row.decimal("cash"),
            at=at,
            mode=row.optional_text("mode") or self.mode,
        )
