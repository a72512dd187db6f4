"""Marks by REST and by the ticker streams."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.bybit.index import index_of
from monitor.exchanges.call import Replies
from monitor.exchanges.port import Ignored, MarksRead, Pong, Rejected, Subscribed
from monitor.risk.model import Instrument, Mark, Payoff
from tests.exchanges.bybit.wire import (
    NOW,
    NOW_MS,
    Json,
    envelope,
    recorded,
    replies,
    samples,
    ticker,
)

ALL = "/v5/market/tickers?category=linear"


def contract(symbol: str, payoff: Payoff = Payoff.LINEAR) -> Instrument:
    return Instrument(
        symbol=symbol,
        exchange_symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        settle="USDT",
        payoff=payoff,
        contract_size=Decimal(1),
        lot=Decimal("0.001"),
    )


def read(frame: object) -> object:
    return EXCHANGE.read_frame(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


SNAPSHOT, SPOT, LEVERAGED, DELTA = samples("handle_ticker")


def test_a_snapshot_brings_a_mark() -> None:
    marks = {"BTCUSDT": Mark(price=Decimal("17217.33"), at=moment(1673272861686))}
    assert read(SNAPSHOT) == MarksRead(marks=marks)
    assert read(json.dumps(SNAPSHOT).encode()) == MarksRead(marks=marks)


def test_a_delta_with_a_mark_moves_it() -> None:
    delta = DELTA | {"data": {"symbol": "AAVEUSDT", "markPrice": "112.95"}}
    assert read(delta) == MarksRead(
        marks={"AAVEUSDT": Mark(price=Decimal("112.95"), at=moment(1709210212704))}
    )


def test_a_delta_without_a_mark_confirms_the_last_one() -> None:
    assert read(DELTA) == MarksRead(marks={}, confirmed={"AAVEUSDT": moment(1709210212704)})


def test_a_number_may_come_bare() -> None:
    frame = SNAPSHOT | {"data": {"symbol": "BTCUSDT", "markPrice": 17217.33}, "ts": "1673272861686"}
    assert read(frame) == read(SNAPSHOT)


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "Infinity", "", None, "abc", [], True])
@pytest.mark.parametrize("frame", [SNAPSHOT, DELTA], ids=["snapshot", "delta"])
def test_what_is_no_mark_is_never_taken_for_one(frame: Json, bad: object) -> None:
    with pytest.raises(Malformed, match="markPrice"):
        read(frame | {"data": frame["data"] | {"markPrice": bad}})


def test_a_snapshot_must_have_a_mark() -> None:
    with pytest.raises(Malformed, match="a mark in a snapshot"):
        read(SNAPSHOT | {"data": {"symbol": "BTCUSDT", "lastPrice": "1"}})


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"markPrice": "1"}},
        {"data": {"symbol": "ETHUSDT", "markPrice": "1"}},
        {"data": []},
        {"data": None},
        {"ts": ""},
        {"ts": "soon"},
        {"ts": -1},
        {"ts": 10**18},
    ],
    ids=str,
)
def test_a_ticker_that_can_not_be_read_is_an_error(change: Json) -> None:
    with pytest.raises(Malformed):
        read(SNAPSHOT | change)


@pytest.mark.parametrize("key", ["data", "ts"])
def test_a_ticker_without_a_part_is_an_error(key: str) -> None:
    with pytest.raises(Malformed):
        read({k: v for k, v in SNAPSHOT.items() if k != key})


@pytest.mark.parametrize(
    "text", ["", "{", "ping", "null", "[1]", "<html>", b"\xff\xfe", "[" * 9999]
)
def test_what_is_no_frame_is_an_error(text: str | bytes) -> None:
    with pytest.raises(Malformed):
        EXCHANGE.read_frame(text)


@pytest.mark.parametrize(
    "frame",
    [
        *samples("handle_pong"),
        {"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "1", "op": "ping"},
        {"req_id": "1", "op": "pong", "args": ["1675418560633"], "conn_id": "c"},
    ],
)
def test_every_shape_of_pong(frame: Json) -> None:
    assert read(frame) == Pong()


def test_acknowledgements_and_rejections() -> None:
    fine = {"success": True, "ret_msg": "", "conn_id": "c", "req_id": "1", "op": "subscribe"}
    assert read(fine) == Subscribed(count=1)
    wrong = "error:handler not found,topic:tickers.NOUSDT"
    rejected = read(fine | {"success": False, "ret_msg": wrong})
    assert isinstance(rejected, Rejected)
    assert "tickers.NOUSDT" in rejected.because
    command = {"success": True, "conn_id": "c", "type": "COMMAND_RESP"}
    topics = {"successTopics": ["tickers.BTCUSDT"], "failTopics": []}
    assert read(command | {"data": topics}) == Subscribed(count=1)
    rejected = read(command | {"data": topics | {"failTopics": ["tickers.NOUSDT"]}})
    assert isinstance(rejected, Rejected)
    assert "tickers.NOUSDT" in rejected.because
    # In another form than is known it is a rejection all the same.
    odd = read(command | {"data": topics | {"failTopics": 1}})
    assert odd == Rejected(because="Bybit rejected the topics 1")


def test_what_concerns_no_mark_is_ignored_by_name() -> None:
    assert read(LEVERAGED) == Ignored(what="tickers_lt")
    assert read({"topic": "adlAlert.USDT", "type": "delta", "ts": 1, "data": []}) == Ignored(
        what="adlAlert"
    )


def test_recorded_tickers_are_read() -> None:
    for name, price, at in (
        ("bybit_fetchTicker_0", "51444.40", 1707905549267),
        ("bybit_fetchFundingRates_0", "68649.90", 1730729903941),
    ):
        sent = replies({ALL: recorded(name)["httpResponse"]})
        marks = EXCHANGE.read_marks(sent, (contract("BTCUSDT"),))
        assert marks == {"BTCUSDT": Mark(price=Decimal(price), at=moment(at))}


def test_marks_by_rest_are_asked_for_one_by_one() -> None:
    wanted = (contract("BTCUSDT"), contract("SOLUSDT"))
    requests = [call.request for call in EXCHANGE.mark_calls(wanted)]
    assert requests == [f"GET {ALL}&symbol=BTCUSDT", f"GET {ALL}&symbol=SOLUSDT"]
    rows = [ticker("BTCUSDT", "95000"), ticker("SOLUSDT", "132.4")]
    sent = replies({ALL: envelope({"category": "linear", "list": rows}, ms=NOW_MS - 9)})
    marks = EXCHANGE.read_marks(sent, wanted)
    assert {symbol: mark.price for symbol, mark in marks.items()} == {
        "BTCUSDT": 95000,
        "SOLUSDT": Decimal("132.4"),
    }
    assert all(mark.at < NOW for mark in marks.values())
    with pytest.raises(MissingReply, match="XRPUSDT"):
        EXCHANGE.read_marks(sent, (contract("XRPUSDT"),))
    with pytest.raises(MissingReply, match="XRPUSDT"):
        EXCHANGE.read_marks(replies({}), (contract("XRPUSDT"),))


def test_marks_by_rest_are_of_bybits_time_where_our_clock_is_behind_too() -> None:
    told = envelope({"category": "linear", "list": [ticker("BTCUSDT", "95000")]}, ms=NOW_MS + 9000)
    # Bybit's clock showed 12:00:11 when the answer came, at noon by ours.
    behind = [replace(each, ahead=timedelta(seconds=11)) for each in replies({ALL: told})]
    marks = EXCHANGE.read_marks(Replies(behind), (contract("BTCUSDT"),))
    assert marks["BTCUSDT"].at == NOW - timedelta(seconds=2)


def test_ten_topics_to_a_request_and_every_request_acknowledged() -> None:
    held = tuple(contract(f"C{number}USDT") for number in range(25))
    (stream,) = EXCHANGE.mark_streams((*held, *held))
    assert (stream.host, stream.path) == ("wss://stream.bybit.com", "/v5/public/linear")
    assert stream.acks == len(stream.subscribe) == 3
    sent = [json.loads(text) for text in stream.subscribe]
    assert [request["op"] for request in sent] == ["subscribe"] * 3
    assert len({request["req_id"] for request in sent}) == 3
    topics = [topic for request in sent for topic in request["args"]]
    assert sorted(topics) == sorted(f"tickers.{i.exchange_symbol}" for i in held)
    assert stream.symbols == {i.exchange_symbol for i in held}
    assert stream.keepalive is not None
    assert stream.keepalive.seconds == 20
    assert json.loads(stream.keepalive.text)["op"] == "ping"


def test_a_connections_topics_stay_below_21000_characters() -> None:
    held = tuple(contract(f"COIN{number:04}USDT") for number in range(1500))
    streams = EXCHANGE.mark_streams(held)
    assert len(streams) == 2
    assert frozenset().union(*(s.symbols for s in streams)) == {i.exchange_symbol for i in held}
    for stream in streams:
        args = [topic for text in stream.subscribe for topic in json.loads(text)["args"]]
        assert len(json.dumps(args)) <= 21_000
    assert EXCHANGE.mark_streams(()) == ()


def test_inverse_contracts_have_a_stream_of_their_own() -> None:
    held = (contract("BTCUSD", Payoff.INVERSE), contract("BTCUSDT"), contract("BTCPERP"))
    linear, inverse = EXCHANGE.mark_streams(held)
    assert (linear.path, inverse.path) == ("/v5/public/linear", "/v5/public/inverse")
    assert linear.symbols == {"BTCUSDT", "BTCPERP"}
    assert inverse.symbols == {"BTCUSD"}
    (text,) = inverse.subscribe
    assert json.loads(text)["args"] == ["tickers.BTCUSD"]
    assert inverse.keepalive == linear.keepalive


def test_an_inverse_mark_by_rest_is_asked_for_in_its_category() -> None:
    wanted = (contract("BTCUSD", Payoff.INVERSE),)
    (call,) = EXCHANGE.mark_calls(wanted)
    assert call.request == "GET /v5/market/tickers?category=inverse&symbol=BTCUSD"
    body = envelope({"category": "inverse", "list": [ticker("BTCUSD", "95011.5")]})
    marks = EXCHANGE.read_marks(replies({"/v5/market/tickers?category=inverse": body}), wanted)
    assert marks["BTCUSD"].price == Decimal("95011.5")
    with pytest.raises(MissingReply, match="inverse"):
        EXCHANGE.read_marks(replies({ALL: body}), wanted)


def test_a_spot_ticker_brings_the_index_of_its_coin() -> None:
    """The documentation's sample; a coin that is no collateral says so by an empty index."""
    index = Mark(price=Decimal("21120.2400136"), at=moment(1673853746002))
    assert read(SPOT) == MarksRead(marks={"BTC/USD": index})
    nothing = Ignored(what="spot ticker")
    assert read(SPOT | {"data": SPOT["data"] | {"usdIndexPrice": ""}}) == nothing
    in_usdc = {"symbol": "BTCUSDC", "usdIndexPrice": "21120.24"}
    assert read(SPOT | {"topic": "tickers.BTCUSDC", "data": in_usdc}) == nothing


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", None, "abc", [], True])
def test_what_is_no_index_is_never_taken_for_one(bad: object) -> None:
    with pytest.raises(Malformed, match="usdIndexPrice"):
        read(SPOT | {"data": SPOT["data"] | {"usdIndexPrice": bad}})


def test_an_index_is_listened_to_on_the_spot_stream_and_asked_for_there() -> None:
    btc = index_of("BTC")
    linear, spot = EXCHANGE.mark_streams((btc, contract("BTCUSDT")))
    assert (linear.path, spot.path) == ("/v5/public/linear", "/v5/public/spot")
    assert (linear.symbols, spot.symbols) == ({"BTCUSDT"}, {"BTC/USD"})
    assert json.loads(spot.subscribe[0])["args"] == ["tickers.BTCUSDT"]
    (call,) = EXCHANGE.mark_calls((btc,))
    assert call.request == "GET /v5/market/tickers?category=spot&symbol=BTCUSDT"
    body = envelope({"list": [ticker("BTCUSDT", "1", usdIndexPrice="94340.5")]})
    marks = EXCHANGE.read_marks(replies({"/v5/market/tickers?category=spot": body}), (btc,))
    assert marks["BTC/USD"].price == Decimal("94340.5")
    with pytest.raises(MissingReply, match="spot"):
        EXCHANGE.read_marks(replies({}), (btc,))


def test_many_indices_keep_to_ten_topics_a_request() -> None:
    (spot,) = EXCHANGE.mark_streams(tuple(index_of(f"C{number}") for number in range(12)))
    assert [len(json.loads(text)["args"]) for text in spot.subscribe] == [10, 2]
