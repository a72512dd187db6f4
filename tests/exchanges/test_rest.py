"""ccxt made to read as we want, against an HTTP server on loopback."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web

from monitor.errors import ExchangeError, Malformed, MissingReply, Refused, Unreachable
from monitor.exchanges.call import Budget, Replies, RestCall
from monitor.exchanges.port import Credentials
from tests.exchanges.serving import KEY, SECRET, Hands, needing, plain, served
from tests.fakes.exchange import ACCOUNT, FAKE, STOPS, TIERS, TIME, milliseconds, needed


async def test_numbers_keep_their_digits() -> None:
    async with served() as (_, client):
        reply = await client.call(ACCOUNT)
        assert reply.body == {"total": Decimal("1.10")}
        assert str(reply.body["total"]) == "1.10"
        assert reply.request == "GET /fapi/v3/account"
        assert reply.status == 200


@pytest.mark.parametrize("body", ["<html>maintenance</html>", "", '{"total": 1', "null"])
async def test_a_200_that_is_no_json_is_an_error_and_never_an_answer(body: str) -> None:
    async with served() as (server, client):
        server.answers[ACCOUNT.path] = plain(body)
        with pytest.raises(Malformed):
            await client.call(ACCOUNT)


async def test_a_refused_key_is_refused() -> None:
    async with served() as (server, client):
        server.answers[ACCOUNT.path] = plain('{"code": -2015}', 401)
        with pytest.raises(Refused) as caught:
            await client.call(ACCOUNT)
        assert str(caught.value) == "fake main GET /fapi/v3/account: the key was refused"


async def test_no_error_shows_a_secret_a_key_or_a_signature() -> None:
    def reset(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with served() as (server, client):
        for answer in (plain("<html>", 502), plain("{}", 500), reset):
            server.answers[ACCOUNT.path] = answer
            with pytest.raises(ExchangeError) as caught:
                await client.call(ACCOUNT)
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
            for canary in (SECRET, KEY, "signature="):
                assert canary not in str(caught.value) + repr(caught.value)
        assert SECRET not in repr(Credentials(api_key=KEY, api_secret=SECRET))
        assert KEY not in repr(Credentials(api_key=KEY, api_secret=SECRET))


async def test_a_dead_server_is_unreachable() -> None:
    async with served() as (_, client):
        client._client.urls["api"]["fapiPrivateV3"] = "http://127.0.0.1:9/fapi/v3"
        with pytest.raises(Unreachable) as caught:
            await client.call(ACCOUNT)
        assert "the connection failed" in str(caught.value)


async def test_a_refused_timestamp_is_measured_and_the_call_made_once_more() -> None:
    clock = Hands()
    ahead = timedelta(seconds=40)
    async with served(clock) as (server, client):
        server.answers[TIME.path] = lambda _: web.json_response(
            {"serverTime": milliseconds(clock.now + ahead)}
        )

        def strict(request: web.Request) -> web.Response:
            theirs = milliseconds(datetime.now(UTC) + ahead)
            if abs(int(request.query["timestamp"]) - theirs) > 5_000:
                return web.json_response({"code": -1021}, status=400)
            return web.json_response({"ok": True})

        server.answers[ACCOUNT.path] = strict
        reply = await client.call(ACCOUNT)
        assert reply.body == {"ok": True}
        assert server.count(ACCOUNT.path) == 2
        assert client.offset_seconds == pytest.approx(40, abs=0.01)


async def test_a_wall_clock_that_steps_does_not_spoil_the_stamps() -> None:
    # The machine's wall clock is an hour behind what the monitor's own clock goes on counting.
    clock = Hands(datetime.now(UTC) + timedelta(hours=1))
    async with served(clock) as (server, client):
        await client.read_account()
        assert client.offset_seconds == pytest.approx(0, abs=0.5)
        await client.call(ACCOUNT)
        assert abs(server.stamps[-1] - milliseconds(clock.now)) < 500


async def test_while_the_exchange_asked_for_quiet_nothing_is_sent() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        server.answers[ACCOUNT.path] = plain('{"code": -1003}', 429)
        with pytest.raises(Unreachable):
            await client.call(ACCOUNT)
        asked = len(server.asked)
        clock.now += timedelta(seconds=29)
        with pytest.raises(Unreachable) as caught:
            await client.call(STOPS)
        assert caught.value.retry_after_seconds == pytest.approx(1)
        assert len(server.asked) == asked
        clock.now += timedelta(seconds=2)
        await client.call(STOPS)
        assert len(server.asked) == asked + 1


async def test_slow_tables_serve_until_they_are_old_and_the_account_is_read_each_time() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        for _ in range(2):
            replies = await client.read_account()
            assert {r.path for r in replies} == {ACCOUNT.path, STOPS.path, TIERS.path}
        assert (server.count(ACCOUNT.path), server.count(TIERS.path)) == (2, 1)
        clock.now += timedelta(seconds=TIERS.max_age_seconds + 1)
        await client.read_account()
        assert server.count(TIERS.path) == 2
        await client.read_account(anew=True)
        assert server.count(TIERS.path) == 3


async def test_a_table_that_cannot_be_renewed_serves_on() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        await client.read_account()
        clock.now += timedelta(seconds=TIERS.max_age_seconds + 1)
        server.answers[TIERS.path] = plain("<html>", 503)
        for _ in range(2):
            replies = await client.read_account()
            assert replies.get(TIERS).body == [{"cum": Decimal("0.0065")}]
        assert server.count(TIERS.path) == 2
        server.answers[TIERS.path] = plain('[{"cum": 0.01}]')
        clock.now += timedelta(seconds=601)
        assert (await client.read_account()).get(TIERS).body == [{"cum": Decimal("0.01")}]


async def test_a_table_that_tells_nothing_of_what_is_held_is_asked_for_again() -> None:
    def of_tiers(replies: Replies) -> tuple[RestCall, ...]:
        found = needed(replies)
        if replies.has(TIERS) and not replies.get(TIERS).body:
            raise MissingReply("nothing is told of BTC", call=TIERS.request)
        return found

    async with served(exchange=replace(FAKE, needed=of_tiers)) as (server, client):
        whole, server.answers[TIERS.path] = server.answers[TIERS.path], plain("[]")
        with pytest.raises(MissingReply):
            await client.read_account()
        server.answers[TIERS.path] = whole
        assert (await client.read_account()).get(TIERS).body


async def test_tables_may_be_renewed_at_once() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        await client.read_account()
        clock.now += timedelta(seconds=1)
        client.renew_tables()
        server.answers[TIERS.path] = plain('[{"cum": 0.01}]')
        assert (await client.read_account()).get(TIERS).body == [{"cum": Decimal("0.01")}]
        await client.read_account()
        assert server.count(TIERS.path) == 2
        # one that can't be renewed serves on, and is not asked for each time
        clock.now += timedelta(seconds=1)
        client.renew_tables()
        server.answers[TIERS.path] = plain("<html>", 503)
        for _ in range(2):
            assert (await client.read_account()).get(TIERS).body == [{"cum": Decimal("0.01")}]
        assert server.count(TIERS.path) == 3


async def test_what_was_booked_may_be_renewed_at_once_and_nothing_else_with_it() -> None:
    clock = Hands()
    log = replace(STOPS, max_age_seconds=300, is_log=True)
    async with served(clock, exchange=needing((ACCOUNT, log, TIERS))) as (server, client):
        for _ in range(2):
            await client.read_account()
        assert server.count(log.path) == 1
        clock.now += timedelta(seconds=1)
        client.renew_logs()
        for _ in range(2):
            await client.read_account()
        assert (server.count(log.path), server.count(TIERS.path)) == (2, 1)


async def test_a_list_of_stops_serves_no_longer_once_a_stop_was_told_of() -> None:
    clock = Hands()
    stops = replace(STOPS, lists_stops=True)
    async with served(clock, exchange=needing((ACCOUNT, stops, TIERS))) as (server, client):
        await client.read_account()
        client.renew_stops()
        # What comes within ten seconds may have been on its way already as the stop changed.
        for _ in range(2):
            clock.now += timedelta(seconds=6)
            await client.read_account()
        assert (server.count(stops.path), server.count(TIERS.path)) == (3, 1)
        clock.now += timedelta(seconds=6)
        await client.read_account()
        assert server.count(stops.path) == 3


async def test_an_optional_reply_may_be_missing_a_needed_one_may_not() -> None:
    async with served() as (server, client):
        server.answers[STOPS.path] = plain("<html>", 503)
        replies = await client.read_account()
        assert not replies.has(STOPS)
        assert replies.has(ACCOUNT)
    async with served() as (server, client):
        server.answers[TIERS.path] = plain("<html>", 503)
        with pytest.raises(Malformed):
            await client.read_account()


def many(count: int) -> tuple[RestCall, ...]:
    """Tables of so many symbols, of which one may be asked for in each window."""
    slow = Budget(name="slow", per_minute=1, window_seconds=0.1)
    return tuple(
        replace(TIERS, query=(("symbol", f"C{number}"),), budget=slow) for number in range(count)
    )


async def test_waiting_for_room_is_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.exchanges.rest.CALL_SECONDS", 0.25)
    async with served(exchange=needing(many(5))) as (server, client):
        # Four windows of 0.1 s, one after the other, before the last is sent.
        assert len(tuple(await client.read_account())) == 5
        assert server.count(TIERS.path) == 5


async def test_a_quiet_that_is_asked_for_silences_the_calls_in_the_queue() -> None:
    async with served(exchange=needing(many(5))) as (server, client):
        server.answers[TIERS.path] = plain('{"code": -1003}', 429)
        with pytest.raises(Unreachable):
            await client.read_account()
        assert server.count(TIERS.path) == 1


async def test_tables_that_came_before_a_failure_are_not_asked_for_again() -> None:
    async with served(exchange=needing((TIERS, ACCOUNT))) as (server, client):
        server.answers[ACCOUNT.path] = plain("<html>")
        for _ in range(2):
            with pytest.raises(Malformed):
                await client.read_account()
        assert (server.count(TIERS.path), server.count(ACCOUNT.path)) == (1, 2)


async def test_needed_calls_go_before_optional_ones() -> None:
    (table,) = many(1)
    wanted = (replace(table, optional=True), replace(ACCOUNT, budget=table.budget))
    async with served(exchange=needing(wanted)) as (server, client):
        await client.read_account()
        assert server.asked[1:] == [ACCOUNT.path, TIERS.path]


async def test_a_call_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.exchanges.rest.CALL_SECONDS", 0.2)

    async def never(*_: object) -> object:
        await asyncio.sleep(5)
        return None

    async with served() as (_, client):
        monkeypatch.setattr(client._client, ACCOUNT.implicit, never)
        with pytest.raises(Unreachable) as caught:
            await client.call(ACCOUNT)
        assert "no answer in time" in str(caught.value)


async def test_an_old_table_outlives_a_reading_that_fails_over_something_else() -> None:
    clock = Hands()
    async with served(clock, needing((TIERS, ACCOUNT))) as (server, client):
        await client.read_account()
        clock.now += timedelta(hours=2)
        server.answers[TIERS.path] = server.answers[ACCOUNT.path] = plain("{}", 503)
        with pytest.raises(Unreachable):
            await client.read_account()
        clock.now += timedelta(hours=2)
        server.answers[ACCOUNT.path] = plain('{"total": 1.10}')
        replies = await client.read_account()
        assert replies.get(TIERS).body == [{"cum": Decimal("0.0065")}]


async def test_a_clock_that_can_t_be_measured_again_does_not_hide_the_account() -> None:
    clock = Hands()
    async with served(clock) as (server, client):
        await client.read_account()
        clock.now += timedelta(hours=1)
        server.answers[TIME.path] = plain("{}", 503)
        assert (await client.read_account()).has(ACCOUNT)


async def test_an_answer_that_repeats_secrets_does_not_get_them_any_further() -> None:
    def said(status: int, headers: object, body: object) -> ExchangeError | None:
        del headers
        return Refused(str(body), status=status) if status == 401 else None

    async with served(exchange=replace(FAKE, read_error=said)) as (server, client):
        server.answers[ACCOUNT.path] = plain(f"no such key {KEY} or {SECRET}", 401)
        with pytest.raises(Refused) as caught:
            await client.call(ACCOUNT)
        assert KEY not in repr(caught.value) + str(caught.value)
        assert SECRET not in repr(caught.value) + str(caught.value)
        assert "no such key ***" in str(caught.value)


async def test_a_redirect_is_not_followed_with_what_a_request_is_signed_with() -> None:
    async with served() as (server, client):
        to = {"Location": "/elsewhere"}
        server.answers[ACCOUNT.path] = plain("{}", 302, **to)
        server.answers["/elsewhere"] = plain("{}")
        with pytest.raises(Unreachable, match="redirects elsewhere"):
            await client.call(ACCOUNT)
        assert server.count("/elsewhere") == 0
