"""Private streams against a WebSocket server on loopback: admission, gaps, tickets, secrets."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog
from websockets.asyncio.server import ServerConnection

from monitor.engine.events import FeedLost, FeedRestored
from monitor.errors import Refused, Unreachable
from monitor.exchanges import account_connection, account_feed, connection, waiting
from monitor.exchanges.account_connection import NotGiven
from monitor.exchanges.account_feed import Closed, Heard, Listening, Opened
from monitor.exchanges.port import Told
from tests.exchanges.attending import Office, admitting, attending
from tests.exchanges.listening import clock
from tests.fakes.private import KEY, LOGGED_IN, SECRET, TICKETED, book, login, said


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PACE_SECONDS", 0.01)
    for module in (connection, account_connection):
        monkeypatch.setattr(module, "ACK_SECONDS", 0.5)
    monkeypatch.setattr(account_connection, "PACE_SECONDS", 0.01)
    monkeypatch.setattr(account_connection, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(waiting, "FIRST_WAIT_SECONDS", 0.11)
    monkeypatch.setattr(account_feed, "SUCCESSOR_AGAIN_SECONDS", 0.2)


async def test_it_logs_in_first_then_subscribes_and_listens_once_all_is_acknowledged() -> None:
    said_to_it: list[str] = []

    async def talk(socket: ServerConnection) -> None:
        login = await socket.recv()
        said_to_it.append("login")
        stamp = json.loads(login)["at"] / 1000
        assert abs(stamp - datetime.now(UTC).timestamp()) < 2
        await asyncio.sleep(0.1)
        await socket.send(said("in"))
        for _ in range(2):
            said_to_it.append(str(await socket.recv()))
            await socket.send(said("ack"))
        await asyncio.sleep(0.1)
        await socket.send(book("5", clock()))
        await socket.wait_closed()

    async with attending(talk) as (attended, feed):
        assert not feed.is_healthy
        await attended.have(Heard)
        assert said_to_it == ["login", "watch book", "watch orders"]
        assert attended.kinds() == ["Opened", "Listening", "FeedRestored", "Heard"]
        (listening,), (heard,) = attended.of(Listening), attended.of(Heard)
        assert not listening.is_gapless
        assert heard.told.changes
        assert heard.frame.path == "/private"
        assert feed.is_healthy


async def test_a_login_is_stamped_by_the_exchanges_clock_each_time_anew() -> None:
    stamps: list[float] = []

    async def talk(socket: ServerConnection) -> None:
        stamps.append(json.loads(await socket.recv())["at"] / 1000)
        await socket.send(said("out", because="timestamp expired", for_good=False))
        await socket.wait_closed()

    office = Office(offset_seconds=-100.0)
    async with attending(talk, office=office) as (attended, _):
        await attended.until(lambda: len(stamps) == 2)
        # A refused timestamp has the clock measured anew, and is tried once more at once.
        assert office.measured >= 1
        assert 99 < stamps[1] - stamps[0] < 102


async def test_a_key_that_is_not_admitted_is_said_once_and_not_asked_again_for_long() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        await socket.recv()
        await socket.send(said("out", because="no right to read", for_good=True))
        await socket.wait_closed()

    with structlog.testing.capture_logs() as logged:
        async with attending(talk) as (attended, feed):
            (lost,) = await attended.have(FeedLost)
            await asyncio.sleep(0.6)
            assert visits == 1
            assert lost.because == feed.because == "not given: no right to read"
            assert lost.feed == "private stream"
            assert not feed.is_healthy
            assert len(attended.of(FeedLost)) == 1
    assert [row["event"] for row in logged] == ["feed.not_given"]


async def test_a_key_that_is_deleted_while_it_listens_is_not_asked_again_for_long() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        await socket.recv()
        await socket.send(said("in"))
        for _ in range(2):
            await socket.recv()
            await socket.send(said("ack"))
        await socket.close(4007, "bye")

    async with attending(talk) as (attended, _):
        (lost,) = await attended.have(FeedLost)
        await asyncio.sleep(0.6)
        assert (visits, lost.because) == (1, "not given: the key was deleted")


async def test_a_lost_connection_comes_back_with_a_gap_to_be_filled() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            asyncio.get_running_loop().call_later(0.3, socket.transport.abort)
        await admitting(socket)

    async with attending(talk) as (attended, feed):
        listening = await attended.have(Listening, 2)
        assert [each.is_gapless for each in listening] == [False, False]
        await attended.have(FeedRestored, 2)
        assert attended.kinds() == [
            "Opened", "Listening", "FeedRestored", "FeedLost", "Closed",
            "Opened", "Listening", "FeedRestored",
        ]  # fmt: skip
        assert attended.of(FeedLost)[0].because == "the connection broke"
        assert feed.is_healthy


async def test_asked_to_leave_it_listens_on_the_successor_before_it_closes() -> None:
    sockets: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            asyncio.get_running_loop().call_later(
                0.3, lambda: asyncio.ensure_future(socket.send(said("leave")))
            )
        await admitting(socket)

    async with attending(talk) as (attended, _):
        first, second = await attended.have(Listening, 2)
        assert not first.is_gapless
        assert second.is_gapless
        assert attended.kinds() == [
            "Opened", "Listening", "FeedRestored", "Opened", "Closed", "Listening",
        ]  # fmt: skip
        (closed,) = attended.of(Closed)
        assert closed.number == attended.of(Opened)[0].number


async def test_before_a_day_is_over_the_connection_is_replaced_without_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(account_connection, "LIFE_SECONDS", 0.4)
    async with attending(admitting) as (attended, _):
        listening = await attended.have(Listening, 3)
        assert [each.is_gapless for each in listening] == [False, True, True]
        assert not attended.of(FeedLost)


async def test_a_successor_that_is_refused_leaves_the_old_connection_alone() -> None:
    sockets: list[ServerConnection] = []

    async def talk(socket: ServerConnection) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            asyncio.get_running_loop().call_later(
                0.3, lambda: asyncio.ensure_future(socket.send(said("leave")))
            )
        if len(sockets) == 2:
            await socket.close(1013, "later")
            return
        await admitting(socket)

    async with attending(talk) as (attended, _):
        await attended.have(Listening, 2)
        assert len(sockets) == 3
        assert not attended.of(FeedLost)


# -- tickets ----------------------------------------------------------------------------


async def waiting_there(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def test_a_ticket_is_got_kept_and_stands_in_the_address() -> None:
    paths: list[str] = []

    async def talk(socket: ServerConnection) -> None:
        paths.append(socket.request.path if socket.request else "")
        await asyncio.sleep(0.1)
        await socket.send(book("5", clock()))
        await socket.wait_closed()

    office = Office()
    async with attending(talk, TICKETED, office=office) as (attended, feed):
        (heard,) = await attended.have(Heard)
        assert paths == ["/private/ws?key=ticket-1"]
        assert heard.frame.path == "/private/ws?key="
        await asyncio.sleep(0.7)
        assert office.asked == ["POST", "PUT", "PUT"]
        assert feed.is_healthy
        assert attended.kinds() == ["Opened", "Listening", "FeedRestored", "Heard"]
    # It is never given back.
    assert set(office.asked) == {"POST", "PUT"}


async def test_a_ticket_that_is_not_kept_is_replaced_with_a_gap_to_be_filled() -> None:
    office = Office(failures={"PUT": [Unreachable("this key does not exist", code="-1125")]})
    async with attending(waiting_there, TICKETED, office=office) as (attended, _):
        _, second = await attended.have(Listening, 2)
        # It may have been deaf for as long as it was not prolonged.
        assert not second.is_gapless
        assert office.asked[:3] == ["POST", "PUT", "POST"]
        assert not attended.of(FeedLost)


async def test_a_ticket_that_ends_is_replaced_at_once() -> None:
    visits = 0

    async def talk(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await socket.send(said("expired"))
        await socket.wait_closed()

    office = Office()
    async with attending(talk, TICKETED, office=office) as (attended, _):
        await attended.have(FeedRestored, 2)
        assert office.asked.count("POST") == 2
        assert attended.of(FeedLost)[0].because == "the ticket ended"


async def test_a_refused_ticket_is_a_stream_not_given() -> None:
    office = Office(failures={"POST": [Refused("the key was refused", status=401)]})
    async with attending(waiting_there, TICKETED, office=office) as (attended, _):
        (lost,) = await attended.have(FeedLost)
        assert lost.because == "not given: the key was refused"


async def test_without_rest_there_is_no_ticket_until_it_is_back() -> None:
    office = Office(failures={"POST": [Unreachable("no answer in time")]})
    async with attending(waiting_there, TICKETED, office=office) as (attended, _):
        await attended.have(FeedRestored)
        assert attended.of(FeedLost)[0].because == "no ticket: no answer in time"


# -- what is held, and faults ---------------------------------------------------------------


async def test_the_same_streams_again_change_nothing_and_others_replace_them() -> None:
    async with attending(admitting) as (attended, feed):
        await attended.have(Listening)
        feed.listen((replace(LOGGED_IN, login=lambda c, at: login(c, at)),))  # noqa: PLW0108 - another function
        await asyncio.sleep(0.2)
        assert attended.kinds() == ["Opened", "Listening", "FeedRestored"]
        feed.listen((replace(LOGGED_IN, path="/other"),))
        assert not feed.is_healthy
        await attended.have(Listening, 2)
        assert feed.is_healthy
        feed.listen(())
        await attended.have(Closed, 2)
        assert not feed.is_healthy


async def test_renewed_it_opens_every_connection_anew() -> None:
    office = Office()
    async with attending(waiting_there, TICKETED, office=office) as (attended, feed):
        await attended.have(Listening)
        feed.renew()
        _, second = await attended.have(Listening, 2)
        assert office.asked.count("POST") == 2
        assert not second.is_gapless
        assert not attended.of(FeedLost)


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        ("silence", "the login was not answered"),
        ("in", "the subscription was not acknowledged"),
        ("rejected", "the subscription was rejected: no such topic"),
        ("garbage", "5 unreadable frames within a minute: frame: expected JSON"),
    ],
)
async def test_a_connection_that_does_not_become_whole_is_lost(answer: str, because: str) -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        for _ in range(5 if answer == "garbage" else 0):
            await socket.send("<html>")
        if answer in ("in", "rejected"):
            await socket.send(said(answer, because="no such topic"))
        await socket.wait_closed()

    async with attending(talk) as (attended, _):
        (lost, *_) = await attended.have(FeedLost)
        assert lost.because.startswith(because)


@pytest.mark.parametrize("data", ["<html>", b"\xff\xfe"])
async def test_what_can_not_be_read_has_the_account_read(data: str | bytes) -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(said("in"))
        for _ in range(2):
            await socket.recv()
            await socket.send(said("ack"))
        await socket.send(data)
        await socket.send(book("5", clock()))
        await socket.wait_closed()

    async with attending(talk) as (attended, _):
        unread, event = await attended.have(Heard, 2)
        assert unread.told == Told(ask=account_connection.UNREADABLE)
        assert event.told.changes
        assert not attended.of(FeedLost)


async def test_a_stream_that_must_speak_and_does_not_is_lost() -> None:
    async with attending(admitting, replace(LOGGED_IN, silent_seconds=0.3)) as (attended, _):
        (lost, *_) = await attended.have(FeedLost)
        assert lost.because == "nothing told for 0 s"


async def test_unanswered_text_pings_end_a_connection() -> None:
    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            if str(text).startswith("watch"):
                await socket.send(said("ack"))
            elif text != "ping":
                await socket.send(said("in"))

    async with attending(talk) as (attended, _):
        (lost, *_) = await attended.have(FeedLost)
        assert lost.because == "no answer to our pings"


async def test_one_of_two_streams_that_is_lost_is_the_feeds_loss() -> None:
    async def talk(socket: ServerConnection) -> None:
        if socket.request and socket.request.path == "/other":
            await socket.close(1011, "bad day")
            return
        await admitting(socket)

    other = replace(LOGGED_IN, path="/other")
    async with attending(talk, LOGGED_IN, other) as (attended, feed):
        await attended.have(Listening)
        await attended.have(FeedLost)
        assert feed.because == "closed by the exchange (1011 bad day)"
        assert not feed.is_healthy


# -- secrets ----------------------------------------------------------------------------


async def test_no_secret_is_in_any_text_that_leaves_the_feed() -> None:
    """Ticket, login and signature, though the exchange repeats them wherever it can."""

    async def talk(socket: ServerConnection) -> None:
        ticket = (socket.request.path if socket.request else "").rpartition("=")[2]
        await socket.send(said("rejected", because=f"{ticket} with {SECRET}"))
        await socket.wait_closed()

    with structlog.testing.capture_logs() as logged:
        async with attending(talk, TICKETED) as (attended, _):
            (lost, *_) = await attended.have(FeedLost)
    assert lost.because == "the subscription was rejected: *** with ***"
    text = json.dumps(logged, default=str) + repr(attended.news)
    assert not any(secret in text for secret in (KEY, SECRET, "ticket-1"))


@pytest.mark.parametrize(
    ("for_good", "refusals", "seconds"),
    [(False, 1, 1), (False, 2, 5), (False, 3, 300), (False, 9, 300), (True, 1, 3600)],
)
async def test_who_is_refused_again_and_again_asks_ever_more_seldom(
    for_good: bool, refusals: int, seconds: float
) -> None:
    office = Office()
    async with attending(admitting, office=office) as (_, feed):
        refused = NotGiven("no", for_good=for_good)
        assert await feed._wait_after(refused, refusals) == seconds
        # What is refused for good is no matter of the clock.
        assert office.measured == (0 if for_good else 1)
