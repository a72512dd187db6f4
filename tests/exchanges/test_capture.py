"""A capture file out and in again, without secrets and ids."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.call import Reply
from monitor.exchanges.capture import FORMAT, Capture, read_capture, write_capture
from monitor.exchanges.port import Frame

AT = datetime(2026, 11, 22, 12, 0, 0, 123000, tzinfo=UTC)
FRAME = '{"posId":"77","p":"1.10"}'


def capture(body: object, request: str = "GET /api/v5/account/positions") -> Capture:
    return Capture(
        exchange="okx",
        account="main",
        at=AT,
        replies=(Reply(request=request, status=200, body=body, at=AT),),
        frames=(
            Frame(feed="marks", path="/ws/v5/public", at=AT, text='{"posId":"77","p":"1.10"}'),
        ),
    )


def test_what_was_written_is_read_again_digit_for_digit() -> None:
    body = {"code": "0", "data": [{"pos": "1.10", "n": Decimal("0.00650"), "i": 7}]}
    back = read_capture(write_capture(capture(body)))
    assert back.exchange == "okx"
    assert back.account == "main"
    assert back.at == AT
    (reply,) = back.replies
    assert reply.request == "GET /api/v5/account/positions"
    assert reply.body == body
    assert '"n": 0.00650' in write_capture(capture(body)).decode()
    (frame,) = back.frames
    assert (frame.feed, frame.path, frame.at) == ("marks", "/ws/v5/public", AT)


def test_ids_become_stable_placeholders_and_nothing_else_changes() -> None:
    body = {
        "data": [
            {"posId": "4711", "uid": "998877", "ordId": "4711", "pos": "998877"},
            {"billId": "4712", "uid": "998877", "algoId": 2148627, "ip": "203.0.113.7"},
        ]
    }
    (reply,) = read_capture(write_capture(capture(body))).replies
    assert reply.body == {
        "data": [
            {"posId": "1", "uid": "2", "ordId": "1", "pos": "998877"},
            {"billId": "3", "uid": "2", "algoId": 4, "ip": "5"},
        ]
    }


def test_ids_in_frames_match_those_in_replies() -> None:
    text = write_capture(capture({"data": [{"posId": "77"}]})).decode()
    found = json.loads(text)
    assert found["replies"][0]["body"]["data"][0]["posId"] == "1"
    assert json.loads(found["frames"][0]["text"]) == {"posId": "1", "p": "1.10"}


def test_the_key_itself_is_not_in_bybits_answer_about_the_key() -> None:
    body = {"result": {"id": "13770661", "apiKey": "XXXKEY", "note": "my bot", "ips": ["1.2.3.4"]}}
    text = write_capture(capture(body, "GET /v5/user/query-api")).decode()
    for secret in ("13770661", "XXXKEY", "my bot", "1.2.3.4"):
        assert secret not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "file: expected a capture file in JSON"),
        ("[]", "expected an object"),
        ('{"format": "x"}', f"format: expected '{FORMAT}'"),
        ("{}", "format: expected a value"),
        ('{"format": "margin-monitor-capture/1", "at": "soon"}', "at: expected a time"),
        (
            '{"format": "margin-monitor-capture/1", "at": "2026-11-22T12:00:00"}',
            "at: expected a time with its zone",
        ),
        (
            (
                '{"format": "margin-monitor-capture/1", "at": "2026-11-22T12:00:00Z",'
                ' "exchange": "okx", "account": "a", "replies": [{"request": "fetch", "body": 1}]}'
            ),
            "replies[0].request: expected method, path and query",
        ),
        (
            (
                '{"format": "margin-monitor-capture/1", "at": "2026-11-22T12:00:00Z",'
                ' "exchange": "okx", "account": "a", "replies": [{"request": "GET /x"}]}'
            ),
            "replies[0].body: expected a value",
        ),
        (
            (
                '{"format": "margin-monitor-capture/1", "at": "2026-11-22T12:00:00Z",'
                ' "exchange": "okx", "account": "a", "replies": [],'
                ' "frames": [{"feed": "prices", "text": "x"}]}'
            ),
            "frames[0].feed: expected 'marks' or 'account'",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_capture(text.encode())
    assert words in str(caught.value)


def test_the_account_s_number_leaves_neither_its_log_nor_its_wallet() -> None:
    """Bybit names a line of the log ``<account>_<symbol>_<number>``, and the owner of a wallet."""
    line = {"id": "592324_XRPUSDT_161440249321", "change": "-0.5", "tradeId": "77"}
    body = {"retCode": 0, "result": {"list": [line, line, {"change": "1"}, 7]}}
    request = "GET /v5/account/transaction-log?accountType=UNIFIED&limit=50"
    text = write_capture(capture(body, request))
    assert b"592324" not in text
    (reply,) = read_capture(text).replies
    first, again, bare, odd = reply.body["result"]["list"]
    assert (first["id"], first["change"]) == (again["id"], "-0.5")
    assert (bare, odd) == ({"change": "1"}, 7)
    coins = {"retCode": 0, "result": {"memberId": "592324", "balance": []}}
    request = "GET /v5/asset/transfer/query-account-coins-balance?accountType=FUND"
    assert b"592324" not in write_capture(capture(coins, request))
