"""What a reply means that is no plain answer."""

from __future__ import annotations

import pytest

from monitor.errors import Limit, Malformed, Refused, Unreachable
from monitor.exchanges.binance import EXCHANGE

PAGE = "<html><body>made-up</body></html>"


def read(status, body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return EXCHANGE.read_error(status, named, body)


@pytest.mark.parametrize(
    "body",
    [[], {}, {"code": 200, "msg": "success"}, {"assets": []}, {"serverTime": 1}, {"code": True}],
)
def test_a_plain_answer_is_no_error(body):
    assert read(200, body) is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"code": -1021, "msg": "…"}, Unreachable, "clock"),
        (429, {"code": -1003, "msg": "…"}, Unreachable, "request limit"),
        (429, PAGE, Unreachable, "request limit"),
        (200, {"code": -1003, "msg": "…"}, Unreachable, "request limit"),
        (418, {"code": -1003, "msg": "…"}, Unreachable, "banned"),
        (418, PAGE, Unreachable, "banned"),
        (401, {"code": -2015, "msg": "…"}, Refused, "Enable Reading"),
        (401, {"code": -2014, "msg": "…"}, Refused, "form of a Binance key"),
        (400, {"code": -1022, "msg": "…"}, Refused, "API secret"),
        (400, {"code": -2008, "msg": "…"}, Refused, "unknown"),
        (400, {"code": -4109, "msg": "…"}, Refused, "inactive"),
        (400, {"code": -5000, "msg": "…"}, Refused, "retired"),
        (400, {"code": -1109, "msg": "…"}, Refused, "not active"),
        (400, {"code": -1005, "msg": "…"}, Refused, "IP address"),
        (400, {"code": -2017, "msg": "…"}, Refused, "locked"),
        (408, {"code": -1007, "msg": "…"}, Unreachable, "time-out"),
        (400, {"code": -1000, "msg": "…"}, Unreachable, "unknown error"),
        (503, {"code": -1001, "msg": "…"}, Unreachable, "lost the connection"),
        (503, {"code": -1008, "msg": "…"}, Unreachable, "overloaded"),
        (200, {"code": "-1008", "msg": "…"}, Unreachable, "overloaded"),
        (400, {"code": -1125, "msg": "…"}, Unreachable, "listen key"),
        (400, {"code": -1121, "msg": "Invalid symbol."}, Refused, "-1121 («Invalid symbol.»)"),
        (500, {"code": -9999, "msg": ""}, Unreachable, "-9999"),
        (200, {"msg": "System is under maintenance."}, Unreachable, "maintenance"),
        (403, PAGE, Refused, "firewall"),
        (451, PAGE, Refused, "region"),
        (451, {"detail": "…"}, Refused, "region"),
        (401, PAGE, Refused, "key is refused"),
        (404, PAGE, Unreachable, "HTTP 404"),
        (408, "", Unreachable, "HTTP 408"),
        (500, PAGE, Unreachable, "HTTP 500"),
        (502, PAGE, Unreachable, "HTTP 502"),
        (503, "", Unreachable, "HTTP 503"),
        (504, None, Unreachable, "HTTP 504"),
        (302, PAGE, Unreachable, "redirects"),
        (400, PAGE, Refused, "HTTP 400"),
        (200, PAGE, Malformed, "a page or text"),
        (200, "", Malformed, "nothing"),
        (200, None, Malformed, "nothing"),
        (200, 7, Malformed, "JSON of Binance"),
    ],
)
def test_code_and_status_say_what_to_do(status, body, kind, words):
    error = read(status, body)

    assert type(error) is kind
    assert words in str(error)


def test_a_clock_too_far_off_is_told_apart():
    error = read(400, {"code": -1021, "msg": "Timestamp for this request is outside …"})

    assert isinstance(error, Unreachable)
    assert (error.clock_skew, error.code, error.status) == (True, "-1021", 400)


@pytest.mark.parametrize(("status", "body"), [(429, {"code": -1003}), (503, {"code": -1008})])
def test_the_wait_that_a_header_asks_for_is_told(status, body):
    error = read(status, body, retry_after="7")

    assert isinstance(error, Unreachable)
    assert error.retry_after_seconds == 7


@pytest.mark.parametrize("status", [200, 418, 429])
def test_too_many_is_the_addresss_limit_whatever_the_status_f41(status):
    assert read(status, {"code": -1003, "msg": "Too many requests."}).limit is Limit.ADDRESS
    assert read(503, {"code": -1008}).limit is None


@pytest.mark.parametrize("header", ["", "soon", "-3", "NaN", "99999999999"])
def test_a_wait_that_is_none_is_not_told(header):
    error = read(429, {"code": -1003}, retry_after=header)

    assert isinstance(error, Unreachable)
    assert error.retry_after_seconds is None


# 2026-11-22 12:00:00 UTC is 1,795,348,800 s.
BANNED = {
    "code": -1003,
    "msg": "Way too many requests; IP banned until 1795349100000. Please use the websocket.",
}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (418, {"date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 300),
        (429, {"date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 300),
        (418, {"date": "Sun, 22 Nov 2026 12:00:00 GMT", "retry_after": "400"}, 400),
        (418, {"date": "Sun, 22 Nov 2026 12:06:00 GMT"}, 0),
        (418, {"retry_after": "60"}, 60),
        (418, {"date": "yesterday"}, 120),
        (418, {}, 120),
    ],
)
def test_a_ban_is_waited_for_to_its_end(status, headers, seconds):
    error = read(status, BANNED, **headers)

    assert isinstance(error, Unreachable)
    assert error.retry_after_seconds == seconds
    assert "until 2026-11-22 12:05:00 UTC" in str(error)


def test_the_refused_address_is_told():
    said = "Invalid API-key, IP, or permissions for action, request ip: 203.0.113.7"

    assert "from this IP address (203.0.113.7)" in str(read(401, {"code": -2015, "msg": said}))


@pytest.mark.parametrize("code", [-2015, -2014, -1022, -1021, -1121, -9999, -1003])
def test_no_key_or_signature_that_binance_echoes_is_shown(code):
    key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    said = f"bad\x1b[2J\n key={key} signature={'e1db' * 16} in /fapi/v3/account?signature=aaaa"

    shown = str(read(400, {"code": code, "msg": said}))

    assert key not in shown
    assert "e1db" not in shown
    assert shown.isprintable()
