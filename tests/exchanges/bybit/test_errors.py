"""What an answer means that is no plain answer."""

from __future__ import annotations

import pytest

from monitor.errors import Limit, Malformed, Refused, Unreachable
from monitor.exchanges.bybit import EXCHANGE
from tests.exchanges.bybit.wire import NOW_MS, envelope

SECRET = "canary-key-77aa"
HTML = "<html><head><title>Bybit</title></head><body>maintenance</body></html>"


def error(code: object, message: str = "", *, status: int = 200, **headers: str) -> object:
    body = {"retCode": code, "retMsg": message or f"boom {SECRET}", "result": {}, "time": NOW_MS}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return EXCHANGE.read_error(status, named, body)


@pytest.mark.parametrize("body", [envelope({}), envelope({}) | {"retCode": "0"}])
def test_a_plain_answer_is_no_error(body: object) -> None:
    assert EXCHANGE.read_error(200, {}, body) is None


@pytest.mark.parametrize("code", [10000, 10006, 10016, 10018, 10429, 429, "10016"])
def test_trouble_that_passes(code: object) -> None:
    found = error(code)
    assert isinstance(found, Unreachable)
    assert found.code == str(code)
    assert not found.clock_skew


@pytest.mark.parametrize(
    ("code", "limit"),
    [(10006, Limit.ACCOUNT), (10018, Limit.ADDRESS), (10429, None), (10016, None)],
)
def test_whose_limit_is_used_up_f41(code: int, limit: Limit | None) -> None:
    found = error(code)
    assert isinstance(found, Unreachable)
    assert found.limit is limit


@pytest.mark.parametrize("code", [10002, -1])
def test_a_refused_time_stamp_is_the_clocks_fault(code: int) -> None:
    found = error(code, "req_timestamp[1],server_timestamp[2],recv_window[5000]")
    assert isinstance(found, Unreachable)
    assert found.clock_skew


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (10003, "does not know the API key"),
        (10004, "API secret"),
        (10005, "lacks a permission.*Unified Trading"),
        (10007, "login"),
        (10008, "banned"),
        (10009, "region"),
        (10010, "other IP addresses than this host"),
        (10024, "compliance"),
        (10027, "banned"),
        (10028, "only for unified"),
        (10029, "symbol"),
        (100028, "not for unified"),
        (33004, "expired"),
        (-2015, "expired"),
    ],
)
def test_what_the_owner_must_see_to(code: int, words: str) -> None:
    found = error(code)
    assert isinstance(found, Refused)
    with pytest.raises(Refused, match=words):
        raise found
    assert str(code) in str(found)


@pytest.mark.parametrize("code", [10001, 10017, 999999])
def test_a_code_of_our_own_making_or_unknown_is_malformed(code: int) -> None:
    assert isinstance(error(code), Malformed)


def test_an_unlisted_symbol_is_an_answer() -> None:
    assert error(10001, "params error: symbol invalid") is None
    assert isinstance(error(10001, "params error: category invalid"), Malformed)


@pytest.mark.parametrize("body", [HTML, "", "{cut", None, [], {}, {"retMsg": "OK"}, 7, True])
def test_a_200_that_is_not_bybits_json_is_malformed(body: object) -> None:
    assert isinstance(EXCHANGE.read_error(200, {}, body), Malformed)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", Refused),
        (401, {"retCode": 10003, "retMsg": "API key is invalid."}, Refused),
        (403, HTML, Unreachable),
        (403, "access too frequent", Unreachable),
        (403, "The Amazon CloudFront distribution is configured to block your country", Refused),
        (404, HTML, Malformed),
        (400, "", Malformed),
        (429, HTML, Unreachable),
        (429, {"retCode": 10429, "retMsg": "System level frequency protection"}, Unreachable),
        (418, "", Unreachable),
        (451, HTML, Refused),
        (500, HTML, Unreachable),
        (502, "", Unreachable),
        (503, {"retCode": 77777, "retMsg": "?"}, Unreachable),
        (504, "", Unreachable),
        (302, "", Unreachable),
        (500, envelope({}), Unreachable),
    ],
)
def test_the_http_status_counts_where_there_is_no_code(
    status: int, body: object, kind: type[Exception]
) -> None:
    found = EXCHANGE.read_error(status, {}, body)
    assert type(found) is kind


def test_how_long_to_be_quiet() -> None:
    def wait(found: object) -> float | None:
        assert isinstance(found, Unreachable)
        return found.retry_after_seconds

    assert wait(error(10006)) == 1
    assert wait(error(10006, x_bapi_limit_reset_timestamp=str(NOW_MS + 2500))) == 2.5
    later = {"x_bapi_limit_reset_timestamp": str(NOW_MS + 9000), "timenow": str(NOW_MS + 5000)}
    assert wait(error(10006, **later)) == 4
    assert wait(error(10006, x_bapi_limit_reset_timestamp="soon")) == 1
    assert wait(error(10006, x_bapi_limit_reset_timestamp=str(NOW_MS + 10**9))) == 1800
    assert wait(EXCHANGE.read_error(429, {"retry-after": "7"}, "")) == 7
    assert wait(EXCHANGE.read_error(403, {}, "access too frequent")) == 600
    assert wait(EXCHANGE.read_error(403, {"retry-after": "30"}, "")) == 600
    assert wait(error(10016)) is None


@pytest.mark.parametrize("code", [10001, 10003, 10004, 10010, 10016, 999999])
def test_nothing_that_bybit_echoes_gets_out(code: int) -> None:
    echoed = f"error sign! origin_string[17953488{SECRET}5000] from 198.51.100.9"
    found = error(code, echoed)
    assert SECRET not in str(found)
    assert "198.51.100.9" not in str(found)
    assert SECRET not in repr(found)
