"""
I/O. REST to one exchange for one account: its calls, their pace, and what is kept of them.

How a call is signed and sent, and how its answer is read, is `client`'s part. No text of
the client's, which may hold a signature, gets any further than here.
"""

from __future__ import annotations

import asyncio
from copy import copy
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog

from monitor.errors import ExchangeError, Malformed, Refused, Unreachable
from monitor.exchanges.call import Depth, Replies, Reply
from monitor.exchanges.client import Answer, built, why_failed
from monitor.exchanges.clock_offset import Offset
from monitor.exchanges.foreseen import Foreseen
from monitor.exchanges.gate import SHARED_FOR, TABLE_SHARED_FOR, Gate
from monitor.exchanges.kept import Kept, Renewals
from monitor.exchanges.left_out import LeftOut
from monitor.exchanges.understanding import understanding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from monitor.exchanges.call import RestCall
    from monitor.exchanges.gate import Host
    from monitor.exchanges.port import Credentials, Exchange

log = structlog.get_logger()

TIMEOUT_SECONDS = 10.0
# From sending on; before that a call may wait for room, for as long as there are others.
CALL_SECONDS = 30.0
# Modes, symbols, cursors: each round asks for what the one before made known.
MAX_ROUNDS = 60
# What serves for less than this is of the moment: such calls of a reading are sent together.
MOMENT_SECONDS = 2.0
# A public reply that serves for this long is a table: all accounts of a host share it.
SHARED_SECONDS = 300.0
HIDDEN = "***"
_SLOW_SECONDS = 60.0


class RestClient:
    """
    The calls of one account. Without credentials only public calls can be made.

    `now` is the monitor's clock. `offset_seconds` is the exchange's clock minus ours, measured
    at start, when it is due again and after each refused timestamp; None before the first time.
    `host` is what all accounts behind its host share: its limits, and what it asked for.
    """

    def __init__(  # noqa: PLR0913 - what an account is joined to
        self,
        exchange: Exchange,
        credentials: Credentials | None,
        *,
        account: str,
        now: Callable[[], datetime],
        rest_url: str | None = None,
        host: Host | None = None,
    ) -> None:
        self.exchange = exchange
        self.account = account
        self._now = now
        self._offset = Offset()
        self.gate = Gate(exchange, account, now, host)
        self._is_closed = False
        self._kept: dict[str, Kept] = {}
        self._left_out = LeftOut(exchange.name, account, now)
        self._renewals = Renewals()
        self._standing: tuple[RestCall, ...] = ()
        self._client = built(
            exchange, credentials, now=now, rest_url=rest_url, timeout_seconds=TIMEOUT_SECONDS
        )
        self._secrets = () if credentials is None else credentials.texts()

    def hidden(self, text: str) -> str:
        """The text without this account's secrets, should an answer have repeated them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN).replace(quote(secret, safe=""), HIDDEN)
        return text

    async def call(
        self, call: RestCall, *, is_urgent: bool = False, has_room: bool = False
    ) -> Reply:
        """
        The reply to one call. What is urgent does not wait behind routine of other accounts.

        A timestamp that the exchange refuses is mended and the call made once more.

        Args:
            has_room: Room for it was reserved.

        Raises:
            Unreachable, Refused, Malformed: As the exchange's own `read_error` says.
        """
        try:
            return await self._once(call, is_urgent=is_urgent, has_room=has_room)
        except Unreachable as error:
            if not error.clock_skew:
                raise
            await self.measure_offset()
            return await self._once(call, is_urgent=is_urgent)

    async def call_public(self, call: RestCall) -> Reply:
        """
        As `call`, for what is the same for every account: those of a host ask once for all.

        It is asked for where a live feed is late, so it is urgent.
        """
        since = self._now() - SHARED_FOR
        told = await self.gate.host.shared(call, since, lambda c: self.call(c, is_urgent=True))
        return self._offset.clocked(told, self._now())  # as our live marks are, whoever asked

    async def _shared_table(self, call: RestCall) -> Reply:
        """
        A table that is the same for every account: fifty that start at once ask for it once.

        Raises:
            ExchangeError: As `call`; of this account, whichever asked.
        """
        since = max(self._renewals.distrusted_at, self._now() - TABLE_SHARED_FOR)
        try:
            return await self.gate.host.shared(call, since, self.call)
        except ExchangeError as error:
            mine = copy(error)
            mine.account = self.account
            raise mine from None

    async def _once(
        self, call: RestCall, *, is_urgent: bool = False, has_room: bool = False
    ) -> Reply:
        await self.gate.enter(call, is_urgent=is_urgent, has_room=has_room)
        if self._is_closed:  # what it asks for all outlives it: ccxt would open itself anew
            raise self._unreachable("who asked is watched no more", call)
        method, asked_at = getattr(self._client, call.implicit), self._now()
        within = self._offset.within(asked_at)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await method(dict(call.query))
        except ExchangeError as error:
            self.gate.failed(error)
            error.because = self.hidden(error.because)
            error.args = (error.because,)
            raise error.placed(
                exchange=self.exchange.name, account=self.account, call=call.request
            ) from None
        # ccxt's texts may hold a signed URL: its class name is all that is passed on.
        except TimeoutError:
            raise self._unreachable("no answer in time", call) from None
        except Exception as error:  # noqa: BLE001 - what leaves ccxt is of any class
            raise self._translated(error, call) from None
        if not isinstance(answer, Answer):
            raise self._unreachable("no readable answer", call)
        self.gate.answered(call, answer.headers, self._offset.ahead)
        told = Reply(
            request=call.request,
            status=answer.status,
            body=answer.body,
            at=self._now(),
            asked_at=asked_at,
            ahead_within=within,  # live marks that came meanwhile may go by what it was then
        )
        return self._offset.clocked(told, told.at)

    def _translated(self, error: Exception, call: RestCall) -> ExchangeError:
        because = why_failed(error, TIMEOUT_SECONDS)
        self.gate.unanswered(because)
        return self._unreachable(because, call)

    def _unreachable(self, because: str, call: RestCall) -> Unreachable:
        return Unreachable(
            because, exchange=self.exchange.name, account=self.account, call=call.request
        )

    @property
    def offset_seconds(self) -> float | None:
        return self._offset.seconds

    async def measure_offset(self) -> float:
        """The exchange's clock minus ours in seconds; whatever was measured before is forgotten."""
        self._offset.distrust()
        return await self._measure()

    async def _measure(self) -> float:
        reply = await self._once(self.exchange.time_call)
        theirs = self.exchange.read_time(reply.body)
        found = self._offset.take(reply.asked_at or reply.at, theirs, reply.at)
        # ccxt stamps with its `milliseconds`, our clock, less this.
        self._client.options["timeDifference"] = round(-found * 1000)
        return found

    def doubt_offset(self) -> None:
        """Let a reading soon measure the offset anew: marks come late by it."""
        self._offset.doubt()

    async def _measure_if_due(self) -> None:
        if not self._offset.is_due(self._now()):
            return
        try:
            await self._measure()
        except ExchangeError as error:
            self._offset.failed(self._now())
            if self.offset_seconds is None:
                raise
            # The one of before serves on; a timestamp that is refused measures it anew.
            log.info("offset.unmeasured", account=self.account, because=error.because)

    @property
    def standing_calls(self) -> tuple[RestCall, ...]:
        """What the last whole reading was made of, and what it did without for lack of room."""
        return self._standing

    async def read_account(self, *, anew: bool = False, depth: Depth = Depth.WHOLE) -> Replies:
        """
        Every reply that the account's figures need now.

        Slow tables are kept for as long as their calls say (`anew` reads all of them again,
        `depth` lets more of them serve longer); when one can't be renewed, the last
        one serves on. An optional call that fails is left out and tried again later.

        Raises:
            Unreachable, Refused, Malformed: What kept a needed reply away.
        """
        await self._measure_if_due()
        before = dict(self._kept)
        if anew:
            self.forget()
            self._left_out.try_all()
        try:
            return await self._read_all(before, depth)
        except Refused:
            # An account that has become of another kind refuses what it served before: what
            # told its kind, or brought nothing of late, is asked anew before that is believed.
            slow = {r: k for r, k in self._kept.items() if k.call.max_age_seconds >= _SLOW_SECONDS}
            if slow == self._kept and not self._left_out.requests():
                raise
            self._kept = slow
            self._left_out.try_all()
            return await self._read_all(before)

    async def _read_all(self, before: Mapping[str, Kept], depth: Depth = Depth.WHOLE) -> Replies:
        """Round by round, until nothing more is wanted."""
        now = self._now()
        got: dict[str, Kept] = {
            request: kept
            for request, kept in self._kept.items()
            if self._renewals.allow(kept, now, depth)
            or (kept.call.max_age_seconds > 0 and self._left_out.holds(kept.call))
        }
        ahead, foreseen = Foreseen(), self._foreseen(got)
        try:
            for _ in range(MAX_ROUNDS):
                replies = Replies((kept.reply for kept in got.values()), self._left_out.requests())
                wanted = [
                    call
                    for call in self._needed(replies)
                    if call.request not in got and not self._left_out.holds(call)
                ]
                if not wanted:
                    self._kept = {r: k for r, k in got.items() if _may_serve(k.call)}
                    self._standing = self._left_out.with_awaited(k.call for k in got.values())
                    return replies
                for kept in await self._gather(wanted, before, ahead, foreseen):
                    got[kept.call.request] = kept
                foreseen = ()
        finally:
            ahead.drop()
        raise Malformed(
            "replies",
            f"an account that is read in {MAX_ROUNDS} rounds",
            "lists without end",
            exchange=self.exchange.name,
            account=self.account,
        )

    def _foreseen(self, got: Mapping[str, Kept]) -> tuple[RestCall, ...]:
        """What the last reading needed of the moment: sent at once, prices go with amounts."""
        return tuple(
            call
            for call in self._standing
            if _is_of_the_moment(call)
            and not call.continues
            and call.request not in got
            and not self._left_out.holds(call)
        )

    def _needed(self, replies: Replies) -> Iterable[RestCall]:
        with understanding(self):
            return self.exchange.needed(replies)

    def renew_tables(self) -> None:
        """
        Let the next reading ask anew for every table that is kept for an hour or longer.

        One that can't be renewed serves on.
        """
        self._renewals.tables(self._now())

    def renew_logs(self) -> None:
        """Let the next reading ask anew for what was booked, however lately that was read."""
        self._renewals.logs(self._now())

    def renew_stops(self) -> None:
        """Let no list of stop orders serve that was, or may have been, made before now."""
        self._renewals.stops(self._now())

    def forget(self) -> None:
        """Let every kept table go: the next reading asks for all of them again."""
        self._kept = {}
        self._renewals.distrust(self._now())

    async def _gather(
        self,
        wanted: Iterable[RestCall],
        before: Mapping[str, Kept],
        ahead: Foreseen,
        foreseen: Iterable[RestCall],
    ) -> list[Kept]:
        """
        The replies of these calls; the worst error where a needed one is missing.

        Tables that came are kept even then, so that a long reading gets further each time.
        """
        # Needed ones are the first to find room.
        calls = sorted(wanted, key=lambda call: call.optional)
        kept: list[Kept] = []
        errors: list[BaseException] = []
        left_out: list[tuple[RestCall, ExchangeError]] = []
        for call, result in await self._all(calls, ahead, foreseen):
            if isinstance(result, Reply):
                kept.append(Kept(call=call, reply=result))
                self._left_out.answered(call)
                if _may_serve(call):
                    self._kept[call.request] = kept[-1]
            elif not isinstance(result, ExchangeError):
                errors.append(result)
            elif call.max_age_seconds > 0 and call.request in before:
                kept.append(before[call.request])
                self._left_out.put_off(call, result)
            elif self._left_out.may_be(call, result):
                left_out.append((call, result))
            else:
                errors.append(result)
        for call, error in left_out:
            # Where what is needed fails too, no word is said of a wallet that was seen.
            if not (errors and call.sticky):
                self._left_out.leave(call, error)
        if errors:
            raise max(errors, key=_gravity)
        return kept

    async def _all(
        self, calls: Collection[RestCall], ahead: Foreseen, foreseen: Iterable[RestCall]
    ) -> list[tuple[RestCall, Reply | BaseException]]:
        """What these calls brought. What is foreseen beyond them is sent with them."""
        asked = {call.request for call in calls}
        more = [call for call in foreseen if call.request not in asked]
        moment = (c for c in (*calls, *more) if _is_of_the_moment(c) and not ahead.has(c))
        together = await self.gate.reserve(moment)
        results = asyncio.gather(
            *(self._answer(call, ahead, has_room=call.request in together) for call in calls),
            return_exceptions=True,
        )
        for call in more:
            ahead.send(call, self.call(call, has_room=call.request in together))
        return list(zip(calls, await results, strict=True))

    async def _answer(self, call: RestCall, ahead: Foreseen, *, has_room: bool) -> Reply:
        if call.is_public and call.max_age_seconds >= SHARED_SECONDS:
            return await self._shared_table(call)
        return await ahead.take(call) or await self.call(call, has_room=has_room)

    async def close(self) -> None:
        self._is_closed = True
        await self._client.close()


def _may_serve(call: RestCall) -> bool:
    return call.age_seconds(Depth.HEARD) > 0


def _is_of_the_moment(call: RestCall) -> bool:
    return call.max_age_seconds < MOMENT_SECONDS


def _gravity(error: BaseException) -> int:
    """A bug before a refusal, a refusal before a bad reply, an outage last."""
    if not isinstance(error, ExchangeError):
        return 3
    if isinstance(error, Refused):
        return 2
    return 0 if isinstance(error, Unreachable) else 1
