"""OKX's marks: what is subscribed to, and what every kind of frame says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.okx import EXCHANGE
from monitor.exchanges.port import Ignored, Leave, MarksRead, Pong, Rejected, Subscribed
from monitor.risk.model import Instrument, Mark, Payoff
from tests.exchanges.okx import wire


def instrument(name):
    base = name.split("-")[0]
    return Instrument(
        symbol=f"{base}/USDT:USDT",
        exchange_symbol=name,
        base=base,
        quote="USDT",
        settle="USDT",
        payoff=Payoff.LINEAR,
        contract_size=Decimal(1),
        lot=Decimal(1),
    )


def many(count):
    return tuple(instrument(f"COIN{n:04}-USDT-SWAP") for n in range(count))


def read(data):
    return EXCHANGE.read_frame(data if isinstance(data, (str, bytes)) else json.dumps(data))


def push(**row):
    """A push of the public mark-price channel, as the API guide shows it."""
    inst_id = "BTC-USDT-SWAP"
    data = {"instType": "SWAP", "instId": inst_id, "markPx": "96000.5", "ts": "1790000000123"}
    return {"arg": {"channel": "mark-price", "instId": inst_id}, "data": [data | row]}


def test_one_connection_brings_every_mark():
    (stream,) = EXCHANGE.mark_streams(
        (instrument("BTC-USDT-SWAP"), instrument("ETH-USDT-SWAP"), instrument("BTC-USDT-SWAP"))
    )
    assert stream.host + stream.path == "wss://ws.okx.com:8443/ws/v5/public"
    assert stream.symbols == {"BTC-USDT-SWAP", "ETH-USDT-SWAP"}
    assert stream.acks == 2
    assert [json.loads(text) for text in stream.subscribe] == [
        {
            "op": "subscribe",
            "args": [
                {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
                {"channel": "mark-price", "instId": "ETH-USDT-SWAP"},
            ],
        }
    ]
    assert (stream.keepalive.text, stream.keepalive.seconds) == ("ping", 20)


def test_no_instrument_needs_no_connection():
    assert EXCHANGE.mark_streams(()) == ()


def test_a_connection_keeps_to_480_subscriptions_and_64_kilobytes():
    streams = EXCHANGE.mark_streams(many(900))

    assert sum(stream.acks for stream in streams) == 900
    assert frozenset().union(*(s.symbols for s in streams)) == {
        i.exchange_symbol for i in many(900)
    }
    for stream in streams:
        assert stream.acks == len(stream.symbols) <= 480
        assert sum(len(json.loads(text)["args"]) for text in stream.subscribe) == stream.acks
        assert all(len(text) <= 64 * 1024 for text in stream.subscribe)


@pytest.mark.parametrize("form", [json.dumps, lambda data: json.dumps(data).encode()])
def test_a_push_brings_a_mark_at_okxs_own_time(form):
    frame = read(form(push()))

    at = datetime(2026, 9, 21, 14, 13, 20, 123_000, tzinfo=UTC)
    assert frame == MarksRead(marks={"BTC-USDT-SWAP": Mark(price=Decimal("96000.5"), at=at)})


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "", None, "x", True, [], {}])
def test_what_is_no_price_is_never_a_mark(price):
    with pytest.raises(Malformed, match=r"data\[0\]\.markPx"):
        read(push(markPx=price))


def test_a_small_price_may_be_written_with_an_exponent():
    assert read(push(markPx="1e-7")).marks["BTC-USDT-SWAP"].price == Decimal("1e-7")


@pytest.mark.parametrize("field", ["instId", "markPx", "ts"])
def test_every_required_field_is_missed_by_its_path(field):
    frame = push()
    del frame["data"][0][field]

    with pytest.raises(Malformed, match=rf"data\[0\]\.{field}"):
        read(frame)


@pytest.mark.parametrize("field", ["arg", "data"])
def test_a_push_without_its_parts_is_malformed(field):
    frame = push()
    del frame[field]

    with pytest.raises(Malformed, match=field):
        read(frame)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "ping", "<html>", b"\x80\x81"])
def test_what_is_no_frame_of_okxs_is_malformed(text):
    with pytest.raises(Malformed):
        read(text)


def test_the_answer_to_our_ping_is_a_bare_word():
    assert read("pong") == Pong()
    assert read(b"pong") == Pong()


ARG = {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"id": "1", "event": "subscribe", "arg": ARG, "connId": "a4d3ae55"}, Subscribed()),
        (
            {"event": "channel-conn-count", "channel": "mark-price", "connCount": "1"},
            Ignored(what="event channel-conn-count"),
        ),
        ({"event": "unsubscribe", "arg": ARG}, Ignored(what="event unsubscribe")),
        ({"event": "something-new"}, Ignored(what="event something-new")),
        ({"event": "notice", "code": "64999", "msg": "x"}, Ignored(what="event notice")),
        ({"arg": {"channel": "status"}, "data": []}, Ignored(what="channel status")),
    ],
)
def test_events_of_the_connection(event, said):
    assert read(event) == said


def test_a_notice_of_an_upgrade_asks_to_leave():
    frame = read(
        {"event": "notice", "code": "64008", "msg": "The connection will …", "connId": "1"}
    )

    assert isinstance(frame, Leave)


@pytest.mark.parametrize(
    "event",
    [
        {
            "event": "error",
            "code": "60018",
            "msg": "Wrong URL or channel:mark-price,instId:NO-SWAP doesn't exist.",
            "connId": "a4d3ae55",
        },
        {"event": "error", "code": "60014", "msg": "Requests too frequent"},
        {"event": "channel-conn-count-error", "channel": "mark-price", "connCount": "20"},
    ],
)
def test_a_refused_subscription_says_why(event):
    frame = read(event)

    assert isinstance(frame, Rejected)
    assert event.get("code", "channel-conn-count-error") in frame.because


def test_a_refusal_never_shows_what_could_be_a_secret():
    secret = "8fK29dLq0aZx7Tb3Yw5RmN1c"
    frame = read({"event": "error", "code": "60012", "msg": f"Illegal request: {secret}"})

    assert secret not in frame.because


def test_a_few_marks_are_asked_for_by_name_and_many_at_once():
    few = EXCHANGE.mark_calls((instrument("BTC-USDT-SWAP"), instrument("ETH-USDT-SWAP")))

    assert [call.request for call in few] == [
        f"GET /api/v5/public/mark-price?instType=SWAP&instFamily={c}-USDT&instId={c}-USDT-SWAP"
        for c in ("BTC", "ETH")
    ]
    assert len(EXCHANGE.mark_calls(many(5))) == 5
    assert [call.request for call in EXCHANGE.mark_calls(many(6))] == [
        "GET /api/v5/public/mark-price?instType=SWAP"
    ]


def test_marks_by_rest_come_from_one_list_or_from_several():
    rows = [wire.mark("BTC-USDT-SWAP", "84660.1"), wire.mark("XRP-USDT-SWAP", "2")]
    path = "GET /api/v5/public/mark-price?instType=SWAP"
    names = (instrument("BTC-USDT-SWAP"), instrument("ETH-USDT-SWAP"))
    whole = wire.replies({path: wire.envelope(*rows)})
    parts = wire.replies({f"{path}&instId=BTC-USDT-SWAP": wire.envelope(rows[0])})

    expected = {"BTC-USDT-SWAP": Mark(price=Decimal("84660.1"), at=wire.NOON)}
    assert EXCHANGE.read_marks(whole, names) == expected
    assert EXCHANGE.read_marks(parts, names) == expected


def test_a_mark_by_rest_that_is_none_is_malformed():
    told = {"GET /api/v5/public/mark-price": wire.envelope(wire.mark("BTC-USDT-SWAP", "0"))}

    with pytest.raises(Malformed, match=r"data\[0\]\.markPx"):
        EXCHANGE.read_marks(wire.replies(told), (instrument("BTC-USDT-SWAP"),))


def test_a_mark_that_stands_may_be_silent_for_as_long_as_okx_says_and_a_little() -> None:
    # Every 10 s where it does not change («Mark price channel»), and within the budget of marks.
    assert 10 < EXCHANGE.unchanged_seconds <= 15
