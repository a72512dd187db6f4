"""OKX's sockets for an account: the way in, and what their frames say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitor.errors import Malformed
from monitor.exchanges.call import Replies
from monitor.exchanges.okx import EXCHANGE, calls
from monitor.exchanges.okx.private import login
from monitor.exchanges.port import (
    Credentials,
    Ignored,
    Leave,
    LoggedIn,
    NotAdmitted,
    Pong,
    Rejected,
    Subscribed,
    Told,
)
from tests.exchanges.okx import wire
from tests.exchanges.okx.frames import row, traded, usdt

CREDENTIALS = Credentials(
    api_key="key", api_secret="22582BD0CFF14C41EDBF1AB98506286D", passphrase="phrase"
)


def read(told):
    return EXCHANGE.read_account_frame(wire.frame(told))


def error(code, message="…"):
    return read({"event": "error", "code": code, "msg": message, "connId": "a4d3ae55"})


def test_the_login_of_the_worked_vector():
    at = datetime.fromtimestamp(1_704_876_947.9, UTC)
    assert json.loads(login(CREDENTIALS, at)) == {
        "op": "login",
        "args": [
            {
                "apiKey": "key",
                "passphrase": "phrase",
                # Whole seconds; the signature is that of the worked vector.
                "timestamp": "1704876947",
                "sign": "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU=",
            }
        ],
    }


def test_two_connections_tell_the_account():
    private, business = EXCHANGE.account_streams(Replies())

    assert (private.host, private.path) == ("wss://ws.okx.com:8443", "/ws/v5/private")
    assert [json.loads(text) for text in private.subscribe] == [
        {
            "op": "subscribe",
            "args": [
                {"channel": "account"},
                {"channel": "positions", "instType": "ANY"},
                {"channel": "balance_and_position"},
                {"channel": "liquidation-warning", "instType": "ANY"},
            ],
        }
    ]
    assert private.acks == 4
    assert (business.host, business.path) == (private.host, "/ws/v5/business")
    assert [json.loads(text) for text in business.subscribe] == [
        {"op": "subscribe", "args": [{"channel": "orders-algo", "instType": "ANY"}]}
    ]
    assert business.acks == 1


def test_an_idle_account_repeats_itself_and_its_stop_orders_do_not():
    private, business = EXCHANGE.account_streams(Replies())

    # About every 5 s: silence of 20 s is four repetitions missed.
    assert private.silent_seconds == 4 * 5
    assert business.silent_seconds is None


@pytest.mark.parametrize("stream", EXCHANGE.account_streams(Replies()))
def test_each_is_kept_by_a_text_ping_and_ends_for_good_with_its_key(stream):
    assert stream.keepalive is not None
    assert stream.keepalive.text == "ping"
    assert stream.keepalive.seconds < 30
    assert stream.ends_for_good == {4007: "the API key was changed or deleted"}
    assert stream.login is login
    assert stream.ticket is None


@pytest.mark.parametrize(
    ("told", "meaning"),
    [
        ("pong", Pong()),
        ({"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"}, LoggedIn()),
        ({"event": "subscribe", "arg": {"channel": "account"}, "connId": "1"}, Subscribed()),
        (
            {"event": "channel-conn-count", "channel": "positions", "connCount": "1"},
            Ignored(what="event channel-conn-count"),
        ),
        ({"event": "unsubscribe"}, Ignored(what="event unsubscribe")),
        (
            {"event": "notice", "code": "64008", "msg": "The connection will soon be closed"},
            Leave(because="OKX is about to close this connection for an upgrade (64008)"),
        ),
        ({"event": "notice", "code": "1", "msg": "…"}, Ignored(what="event notice")),
        (
            {"arg": {"channel": "account-greeks"}, "data": []},
            Ignored(what="channel account-greeks"),
        ),
    ],
)
def test_what_is_no_news_of_the_account(told, meaning):
    assert read(told) == meaning


def test_a_subscription_may_die_after_its_acknowledgement():
    told = read(
        {
            "event": "channel-conn-count-error",
            "channel": "positions",
            "connCount": "30",
            "connId": "a4d3ae55",
        }
    )
    assert isinstance(told, Rejected)
    assert "positions" in told.because


@pytest.mark.parametrize("code", ["60004", "60006", "60011", "63999", "50001", "50011", "50102"])
def test_these_logins_are_worth_another_timestamp(code):
    told = error(code)

    assert isinstance(told, NotAdmitted)
    assert not told.for_good
    assert code in told.because


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("60005", "refuses the API key"),
        ("60007", "secret"),
        ("60009", "refuses the login"),
        ("60024", "passphrase"),
        ("60032", "does not know the API key"),
        ("50110", "IP address"),
        ("50119", "does not know the API key"),
    ],
)
def test_these_keys_are_not_admitted_for_good(code, words):
    told = error(code)

    assert isinstance(told, NotAdmitted)
    assert told.for_good
    assert words in told.because
    assert code in told.because


@pytest.mark.parametrize("code", ["60012", "60018", "60014", "64003", "60029"])
def test_other_errors_reject_a_subscription(code):
    assert error(code, "Wrong URL") == Rejected(because=f"OKX says {code}: Wrong URL")


@pytest.mark.parametrize("code", ["60010", "60031"])
def test_a_second_login_is_none_of_ours(code):
    assert isinstance(error(code), Ignored)


def test_no_key_is_quoted_from_an_error():
    told = error("60018", "apiKey: 37c541a1-0ce3-4b9a-8d1c-0f2a3b4c5d6e is wrong")

    assert isinstance(told, Rejected)
    assert "37c541a1" not in told.because


@pytest.mark.parametrize(
    "frame",
    [
        wire.push("account", usdt()),
        wire.push("account", usdt(), event="snapshot"),
        wire.push("positions", row(0), instType="ANY"),
        traded(row(0), cash="1"),
    ],
)
def test_these_frames_change_the_account_and_tell_no_news(frame):
    assert EXCHANGE.read_account_frame(frame) == Told(changes=True)


def test_a_frame_of_a_stop_order_says_that_it_is_of_one():
    frame = wire.push("orders-algo", wire.stop("BTC-USDT-SWAP", "sell"), event=None)
    assert EXCHANGE.read_account_frame(frame) == Told(changes=True, of_stops=True)
    assert all(calls.stops(kind).lists_stops for kind in ("conditional", "trigger"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "frame"),
        ("{", "frame"),
        ("[]", ""),
        ("{}", "arg"),
        ('{"arg": {}}', "arg.channel"),
        ('{"arg": {"channel": "liquidation-warning"}}', "data"),
        ('{"arg": {"channel": "balance_and_position"}}', "data"),
    ],
)
def test_what_is_no_frame_of_okx(text, path):
    with pytest.raises(Malformed) as caught:
        EXCHANGE.read_account_frame(wire.frame(text))
    assert caught.value.path == path
