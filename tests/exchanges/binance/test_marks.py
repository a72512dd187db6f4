"""Mark streams and the marks of REST."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitor.errors import Malformed, Unreachable
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies
from monitor.exchanges.port import Ignored, MarksRead, Rejected, Subscribed, TablesMoved
from monitor.risk import Instrument, Mark, Payoff
from tests.exchanges.binance import wire

D = Decimal
# The sample of «Mark Price Stream».
SAMPLE = {
    "e": "markPriceUpdate",
    "E": 1562305380000,
    "s": "BTCUSDT",
    "p": "11794.15000000",
    "i": "11784.62659091",
    "P": "11784.25641265",
    "r": "0.00038167",
    "T": 1562306400000,
    "st": 1,
}
AT = datetime(2019, 7, 5, 5, 43, tzinfo=UTC)
READ = MarksRead(marks={"BTCUSDT": Mark(price=D("11794.15"), at=AT)})


def instrument(symbol):
    return Instrument(
        symbol=f"{symbol.removesuffix('USDT')}/USDT:USDT",
        exchange_symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        settle="USDT",
        payoff=Payoff.LINEAR,
        contract_size=D(1),
        lot=D("0.001"),
    )


def read(body):
    return EXCHANGE.read_frame(json.dumps(body))


def test_one_connection_subscribes_to_every_held_symbol():
    (stream,) = EXCHANGE.mark_streams((instrument("SOLUSDT"), instrument("BTCUSDT")))

    assert (stream.host, stream.path) == ("wss://fstream.binance.com", "/market/ws")
    assert [json.loads(text) for text in stream.subscribe] == [
        {
            "method": "SUBSCRIBE",
            "params": ["btcusdt@markPrice@1s", "solusdt@markPrice@1s", "!contractInfo"],
            "id": 1,
        }
    ]
    assert (stream.acks, stream.keepalive) == (1, None)
    assert stream.symbols == {"BTCUSDT", "SOLUSDT"}


def test_nothing_held_needs_no_connection():
    assert EXCHANGE.mark_streams(()) == ()


def test_many_symbols_go_into_several_messages_and_connections():
    streams = EXCHANGE.mark_streams(tuple(instrument(f"C{n:04}USDT") for n in range(1201)))

    assert [(len(stream.symbols), stream.acks) for stream in streams] == [(999, 5), (202, 2)]
    for stream in streams:
        sent = [json.loads(text) for text in stream.subscribe]
        names = [name for message in sent for name in message["params"]]
        marks = [f"{symbol.lower()}@markPrice@1s" for symbol in sorted(stream.symbols)]
        assert names == [*marks, "!contractInfo"]
        assert [message["id"] for message in sent] == list(range(1, stream.acks + 1))


@pytest.mark.parametrize(
    "body",
    [
        SAMPLE,
        {"stream": "btcusdt@markPrice@1s", "data": SAMPLE},
        [SAMPLE],
        {"stream": "!markPrice@arr@1s", "data": [SAMPLE]},
        {key: value for key, value in SAMPLE.items() if key != "st"},
        SAMPLE | {"p": 11794.15, "E": "1562305380000", "st": "1", "new": {"field": [1]}},
        # A dated contract has neither rate nor time of funding.
        SAMPLE | {"r": "", "T": 0},
        # An array may mix in COIN-M symbols, and one symbol's nonsense blinds no other.
        [SAMPLE | {"s": "ETHUSDT", "st": 2}, SAMPLE, SAMPLE | {"s": "NEWUSDT", "p": "0"}],
    ],
)
def test_a_mark_is_read_bare_combined_and_in_arrays(body):
    assert read(body) == READ


def test_bytes_are_read_like_text():
    assert EXCHANGE.read_frame(json.dumps(SAMPLE).encode()) == READ


@pytest.mark.parametrize("key", ["s", "p", "E"])
def test_every_field_that_a_mark_needs_is_named_when_missing(key):
    with pytest.raises(Malformed) as caught:
        read({name: value for name, value in SAMPLE.items() if name != key})
    assert caught.value.path == f"frame.{key}"


@pytest.mark.parametrize(
    "price", ["0", "0.00000000", "-1", "NaN", "Infinity", "", None, "1e999", True, [], "12,5"]
)
def test_what_cannot_be_a_mark_is_refused(price):
    with pytest.raises(Malformed, match=r"frame\.p"):
        read(SAMPLE | {"p": price})
    with pytest.raises(Malformed, match=r"frame\[0\]\.p"):
        read([SAMPLE | {"p": price}])


def test_a_tiny_mark_in_scientific_notation_is_one():
    assert read(SAMPLE | {"p": "1e-7"}).marks["BTCUSDT"].price == D("0.0000001")


@pytest.mark.parametrize(
    "text", ["", "ping", "<html>", "{", "null", "7", '"text"', b"\x1f\x8b\x00"]
)
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(Malformed):
        EXCHANGE.read_frame(text)


def test_an_object_that_says_nothing_known_is_refused():
    with pytest.raises(Malformed, match=r"frame\.result"):
        read({"hello": "world"})


def test_acknowledgements_and_rejections_are_told_apart():
    assert read({"result": None, "id": 1}) == Subscribed(count=1)
    rejected = read({"error": {"code": 2, "msg": "Invalid request: unknown"}, "id": 1})
    assert rejected == Rejected(because="Binance rejected the subscription (error 2)")
    assert isinstance(read({"code": 3, "msg": "Invalid JSON"}), Rejected)
    assert isinstance(read({"result": ["btcusdt@markPrice@1s"], "id": 3}), Ignored)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (SAMPLE | {"st": 2}, "mark that is said to be of COIN-M under another name"),
        (SAMPLE | {"st": "2", "p": "0"}, "mark that is said to be of COIN-M under another name"),
        ({"e": "contractInfo", "s": "BTCUSDT"}, "contractInfo"),
        ([{"e": "contractInfo", "s": "BTCUSD"}], "array without marks of ours"),
        ([], "array without marks of ours"),
    ],
)
def test_what_concerns_no_mark_of_ours_is_ignored(body, what):
    assert read(body) == Ignored(what=what)


def index(symbol, price="60900.5"):
    return {"symbol": symbol, "markPrice": price, "indexPrice": "1", "time": 1_795_348_799_000}


def test_a_few_marks_are_asked_one_by_one_and_many_at_once():
    few = EXCHANGE.mark_calls((instrument("BTCUSDT"), instrument("SOLUSDT")))
    many = EXCHANGE.mark_calls(tuple(instrument(f"C{n}USDT") for n in range(11)))

    assert [(call.request, call.weight) for call in few] == [
        ("GET /fapi/v1/premiumIndex?symbol=BTCUSDT", 1),
        ("GET /fapi/v1/premiumIndex?symbol=SOLUSDT", 1),
    ]
    assert [(call.request, call.weight) for call in many] == [("GET /fapi/v1/premiumIndex", 10)]


@pytest.mark.parametrize(
    ("request_line", "body"),
    [
        ("premiumIndex?symbol=BTCUSDT", index("BTCUSDT")),
        ("premiumIndex?symbol=BTCUSDT", [index("BTCUSDT")]),
        ("premiumIndex", [index("SOLUSDT"), index("BTCUSDT")]),
    ],
)
def test_marks_are_read_from_one_object_and_from_lists(request_line, body):
    replies = Replies([wire.reply(f"GET /fapi/v1/{request_line}", body)])

    marks = EXCHANGE.read_marks(replies, (instrument("BTCUSDT"),))

    at = datetime(2026, 11, 22, 11, 59, 59, tzinfo=UTC)
    assert marks == {"BTCUSDT": Mark(price=D("60900.5"), at=at)}


def test_a_mark_that_no_reply_holds_is_left_out():
    assert EXCHANGE.read_marks(Replies(), (instrument("BTCUSDT"),)) == {}


@pytest.mark.parametrize("price", ["0", "", "-1"])
def test_a_rest_mark_that_cannot_be_one_is_refused(price):
    reply = wire.reply("GET /fapi/v1/premiumIndex?symbol=BTCUSDT", index("BTCUSDT", price))

    with pytest.raises(Malformed, match=r"premiumIndex\.markPrice"):
        EXCHANGE.read_marks(Replies([reply]), (instrument("BTCUSDT"),))


def test_a_refused_mark_says_why():
    reply = wire.reply("GET /fapi/v1/premiumIndex?symbol=BTCUSDT", {"code": -1003}, status=429)

    with pytest.raises(Unreachable):
        EXCHANGE.read_marks(Replies([reply]), (instrument("BTCUSDT"),))


# The example of «Contract Info Stream», shortened.
ANNOUNCED = {
    "e": "contractInfo",
    "E": 1669356423908,
    "s": "IOTAUSDT",
    "ps": "IOTAUSDT",
    "ct": "PERPETUAL",
    "cs": "TRADING",
    "bks": [{"bs": 1, "bnf": 0, "bnc": 5000, "mmr": 0.01, "cf": 0, "mi": 21, "ma": 50}],
}


def test_brackets_that_are_announced_are_named_and_nothing_else_of_a_contract_is():
    said = read(ANNOUNCED)

    assert said == TablesMoved(
        symbol="IOTAUSDT", because="Binance announced other brackets of IOTAUSDT"
    )
    assert read({key: value for key, value in ANNOUNCED.items() if key != "bks"}) == Ignored(
        what="contractInfo"
    )
