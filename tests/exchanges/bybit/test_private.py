"""Bybit's private stream: the login, the subscription, and what its frames say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.errors import Malformed
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.port import (
    Credentials,
    Ignored,
    LoggedIn,
    NotAdmitted,
    Pong,
    Rejected,
    Subscribed,
    Told,
)
from tests.exchanges.bybit import examples
from tests.exchanges.bybit.test_news import TAKEN, fill
from tests.exchanges.bybit.wire import (
    INFO,
    NOW,
    coin,
    envelope,
    frame,
    info,
    limit_order,
    position,
    replies,
    samples,
    wallet,
)

if TYPE_CHECKING:
    from monitor.exchanges.port import AccountFrameRead, AccountStream
    from tests.exchanges.bybit.wire import Json

KEY = Credentials(api_key="the-key", api_secret="the-secret")


def stream() -> AccountStream:
    (only,) = EXCHANGE.account_streams(replies(examples.two_positions()))
    return only


def read(body: object, path: str | None = "/v5/private") -> AccountFrameRead:
    text = body if isinstance(body, str) else json.dumps(body)
    return EXCHANGE.read_account_frame(replace(frame("x"), text=text, path=path))


def test_one_connection_tells_all_of_a_unified_account() -> None:
    found = stream()
    assert (found.host, found.path) == ("wss://stream.bybit.com", "/v5/private")
    (text,) = found.subscribe
    assert json.loads(text)["op"] == "subscribe"
    assert json.loads(text)["args"] == ["position", "wallet", "order", "execution"]
    assert found.acks == 1
    assert found.keepalive is not None
    assert json.loads(found.keepalive.text)["op"] == "ping"
    assert found.keepalive.seconds == 20
    assert found.silent_seconds is None, "an idle account's stream says nothing"
    assert found.ticket is None


def test_an_account_of_another_kind_has_none() -> None:
    bodies = examples.two_positions() | {INFO: envelope(info(status=1))}
    assert EXCHANGE.account_streams(replies(bodies)) == ()


def test_the_login_is_signed_for_ten_seconds() -> None:
    """
    NOW is 1795348800000 ms, so the time to live ends at 1795348810000.

    The signature is what ``printf 'GET/realtime1795348810000' | openssl dgst -sha256 -hmac
    the-secret`` prints.
    """
    login = stream().login
    assert login is not None
    sent = json.loads(login(KEY, NOW))
    assert sent["op"] == "auth"
    assert sent["args"] == [
        "the-key",
        1795348810000,
        "7cb50cf6a70f15ced50d854062975962e592bdd43e65cb60a0bc948151b748a1",
    ]
    assert json.loads(login(KEY, NOW + timedelta(milliseconds=1)))["args"][1] == 1795348810001


def answer(op: str, *, success: bool = True, message: str = "", **other: object) -> Json:
    return {"success": success, "ret_msg": message, "op": op, "conn_id": "cejreaspqfh3-p"} | other


def test_answers_of_a_stream_that_works() -> None:
    assert read(answer("auth")) == LoggedIn()
    assert read(answer("subscribe")) == Subscribed(count=1)
    assert read(answer("unsubscribe")) == Ignored(what="unsubscribe")
    private = {"req_id": "ping", "op": "pong", "args": ["1675418560633"], "conn_id": "c"}
    assert read(private) == Pong()
    assert read(answer("ping", message="pong")) == Pong()
    for sample in samples("handle_pong"):
        assert read(sample) == Pong()


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("API key is invalid.", "10003"),
        ("Invalid api_key", "10003"),
        ("error sign! origin_string[GET/realtime1]", "10004"),
        ("Invalid signature", "10004"),
        ("Your api key has expired.", "33004"),
        ("Permission denied, please check your API key permissions.", "10005"),
        ("Unmatched IP, please check your API key's bound IP addresses.", "10010"),
    ],
)
def test_a_key_that_is_refused_is_refused_for_good(message: str, named: str) -> None:
    told = read(answer("auth", success=False, message=message))
    by_code = read(answer("auth", success=False, message="?", retCode=int(named)))
    assert told == by_code
    assert isinstance(told, NotAdmitted)
    assert told.for_good


@pytest.mark.parametrize("message", ["Params Error", "Request expired", "system busy", ""])
def test_what_may_pass_is_tried_again(message: str) -> None:
    told = read(answer("auth", success=False, message=message))
    assert isinstance(told, NotAdmitted)
    assert not told.for_good
    assert told.because.startswith("Bybit refused the ")


def test_what_is_quoted_holds_no_key_signature_or_address() -> None:
    secret = "canarycanarycanary" * 3
    message = f"odd \x1b[31m {secret} from 203.0.113.9 origin[{secret}"
    for op in ("auth", "subscribe"):
        told = read(answer(op, success=False, message=message))
        assert isinstance(told, NotAdmitted | Rejected)
        assert "canary" not in told.because
        assert "203.0" not in told.because
        assert told.because.isprintable()


def test_a_subscription_that_is_rejected_says_why() -> None:
    message = "error:handler not found,topic:wallets"
    told = read(answer("subscribe", success=False, message=message))
    assert told == Rejected(because=f"Bybit rejected the subscription: {message}")
    nobody = read(answer("subscribe", success=False, message="Request not authorized"))
    assert nobody == NotAdmitted(because="Bybit does not know who subscribes", for_good=False)


def said(topic: str, *rows: Json) -> AccountFrameRead:
    return EXCHANGE.read_account_frame(frame(topic, *rows))


def test_frames_that_change_figures_are_ones_to_apply() -> None:
    read_only = EXCHANGE.read_account("main", replies(examples.two_positions()))
    leg = position("BTCUSDT", "Buy", "0.25", "100000", "96000", positionMM="91.575", seq=9**12)
    leg |= {"category": "linear"}
    order = limit_order("BTCUSDT", "Buy", "90000", "0.1", category="linear")
    for sent in (
        frame("wallet", wallet(coin("USDT", "10900", "8900", "8900"))),
        frame("position", leg),
        frame("order", order),
        frame("position.linear", leg),
    ):
        assert EXCHANGE.read_account_frame(sent) == Told(changes=True)
        assert read_only.updated(sent) is not read_only


def test_the_documentations_samples_are_ones_to_apply() -> None:
    (sample,) = samples("handle_positions")
    assert read(sample) == Told(changes=True)
    unified = next(s for s in samples("handle_balance") if s.get("topic") == "wallet")
    assert read(unified) == Told(changes=True)


def test_a_position_that_is_being_liquidated_is_told_at_once() -> None:
    row = position("BTCUSDT", "Buy", "0.25", "100000", "96000", positionStatus="Liq")
    told = said("position", row | {"category": "linear"})
    assert isinstance(told, Told)
    assert told.changes
    (warned,) = told.news
    assert warned.at == NOW + timedelta(seconds=1)
    assert "liquidating BTCUSDT" in str(warned)
    gone = row | {"size": "0", "side": "", "category": "linear"}
    assert said("position", gone) == Told(changes=True)


def test_orders_that_bybit_cancels_are_told_once() -> None:
    row = limit_order("BTCUSDT", "Buy", "9", "1", category="linear", orderStatus="Cancelled")
    row |= {"cancelType": "CancelAllBeforeLiq"}
    told = said("order", row, row | {"orderId": "other"})
    assert isinstance(told, Told)
    assert told.changes
    assert len(told.news) == 1


def test_what_was_taken_is_told_and_asked_for() -> None:
    told = said("execution", fill())
    assert told == Told(news=(TAKEN,), ask="Bybit took positions in BTCUSDT")
    assert said("execution.linear", fill(execType="Trade", createType="CreateByUser")) == Ignored(
        what="execution"
    )


def test_a_fill_of_a_kind_that_is_not_known_is_asked_about() -> None:
    told = said("execution", fill(execType="Novel", createType="CreateByUser"))
    assert told == Told(ask="fills of a kind that is not known: Novel")


def test_topics_that_nobody_asked_for_are_ignored() -> None:
    assert said("greeks") == Ignored(what="greeks")
    assert said("new\x1b[2Jtopic") == Ignored(what="new2Jtopic")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        '{"topic": "wallet", "crea',
        {"topic": "wallet", "creationTime": 1795348801000},
        {"topic": "wallet", "data": []},
        {"topic": "position", "creationTime": 1795348801000, "data": {}},
        {"topic": "execution", "creationTime": 1795348801000, "data": ["x"]},
    ],
)
def test_what_can_not_be_read_is_an_error(body: object) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_the_path_is_the_private_one_or_not_told() -> None:
    assert read(answer("auth"), path=None) == LoggedIn()
    assert read(answer("auth"), path="/bybit/v5/private?max_active_time=60s") == LoggedIn()
    with pytest.raises(Malformed, match="path"):
        read(answer("auth"), path="/v5/public/linear")
