"""What OKX's answers mean when they bring no data; nothing of a secret gets into the words."""

from __future__ import annotations

import pytest

from monitor.errors import Limit, Malformed, Refused, Unreachable
from monitor.exchanges.okx import EXCHANGE
from monitor.exchanges.payload import parse_json
from tests.exchanges.okx import wire


def read(code, msg="", status=200, headers=None):
    return EXCHANGE.read_error(status, headers or {}, {"code": code, "msg": msg, "data": []})


def test_a_plain_answer_is_none():
    assert EXCHANGE.read_error(200, {}, wire.envelope({"ts": "1"})) is None
    assert EXCHANGE.read_error(200, {}, wire.envelope()) is None
    # «Success is code 0 whatever the HTTP status.»
    assert EXCHANGE.read_error(400, {}, wire.envelope()) is None


@pytest.mark.parametrize("code", ["50011", "50040", "50061"])
def test_too_many_is_the_accounts_limit_whatever_the_status_f41(code):
    assert read(code).limit is Limit.ACCOUNT
    assert read("50013", status=429).limit is None


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("50001", 503),
        ("50004", 400),
        ("50005", 410),
        ("50011", 200),
        ("50011", 429),
        ("50013", 429),
        ("50026", 500),
        ("50040", 200),
        ("50061", 200),
        ("50017", 200),
        ("50020", 200),
        ("50023", 200),
        ("59999", 500),
        ("59999", 429),
    ],
)
def test_troubles_that_pass_are_to_be_tried_again(code, status):
    error = read(code, status=status)

    assert isinstance(error, Unreachable)
    assert (error.code, error.status, error.exchange) == (code, status, "okx")
    assert not error.clock_skew
    assert code in str(error)


@pytest.mark.parametrize("code", ["50102", "50112"])
def test_a_refused_timestamp_is_no_refused_key(code):
    error = read(code, "Timestamp request expired", 401)

    assert isinstance(error, Unreachable)
    assert error.clock_skew


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("50007", "blocked"),
        ("50009", "liquidation"),
        ("50030", "«Read»"),
        ("50035", "IP address"),
        ("50101", "environment"),
        ("50103", "API key"),
        ("50105", "passphrase"),
        ("50110", "IP address"),
        ("50111", "API key"),
        ("50113", "signature"),
        ("50114", "authorization"),
        ("50119", "region"),
        ("50120", "«Read»"),
        ("50121", "IP address"),
        ("51024", "blocked"),
    ],
)
@pytest.mark.parametrize("status", [200, 401, 403])
def test_keys_and_accounts_are_refused_in_words(code, words, status):
    error = read(code, "whatever OKX says", status)

    assert isinstance(error, Refused)
    assert words in str(error)
    assert error.code == code
    assert "whatever" not in str(error)


@pytest.mark.parametrize("address", ["5.6.7.8", "2001:db8:0:1:1:1:1:1"])
def test_the_address_that_is_not_listed_is_named(address):
    error = read("50110", f"Your IP {address} is not included in your API key's IP whitelist.", 401)

    assert address in str(error)


def test_addresses_in_other_words_of_okxs_are_not_passed_on():
    assert "5.6.7.8" not in str(read("50111", "Invalid key from 5.6.7.8", 401))


@pytest.mark.parametrize("code", ["51000", "51001", "50014", "51010", "1", "2", "70000"])
def test_what_is_wrong_with_our_request_is_ours_to_mend(code):
    error = read(code, "Parameter instFamily error")

    assert isinstance(error, Malformed)
    assert "Parameter instFamily error" in str(error)
    assert code in str(error)


def test_an_unknown_code_beside_a_refusal_is_one():
    assert isinstance(read("59998", status=401), Refused)
    assert isinstance(read("59998", status=403), Refused)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        # OKX counts over two seconds; a wait that it does not name is that long.
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 2),
        ({"retry-after": "-1"}, 2),
        ({}, 2),
    ],
)
def test_the_wait_that_is_asked_for_is_told(headers, wait):
    assert read("50011", status=429, headers=headers).retry_after_seconds == wait
    told = EXCHANGE.read_error(429, headers, "<html>").retry_after_seconds
    assert told == (wait if wait in {7, 0.5} else None)


PAGES = ["<html>Just a moment…</html>", "", "   ", None, [], {}, 7, True, {"data": []}, "text"]


@pytest.mark.parametrize("body", PAGES)
def test_200_without_okxs_json_is_never_an_answer(body):
    error = EXCHANGE.read_error(200, {}, body)

    assert isinstance(error, Malformed)
    assert error.path == "body"
    assert "moment" not in str(error)


@pytest.mark.parametrize(
    "body", [{"code": "0"}, {"code": "0", "data": None}, {"code": 0, "data": {}}]
)
def test_an_envelope_without_a_list_of_data_is_no_answer(body):
    error = EXCHANGE.read_error(200, {}, body)

    assert isinstance(error, Malformed)
    assert error.path == "data"


@pytest.mark.parametrize("status", [403, 451])
def test_a_block_page_is_a_refusal_that_says_so(status):
    error = EXCHANGE.read_error(status, {}, "<html>Access denied</html>")

    assert isinstance(error, Refused)
    assert "blocks us" in str(error)


@pytest.mark.parametrize("status", [302, 404, 418, 429, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", None, {"error": "x"}])
def test_other_statuses_without_a_code_are_to_be_tried_again(status, body):
    error = EXCHANGE.read_error(status, {}, body)

    assert isinstance(error, Unreachable)
    assert str(status) in str(error)


def test_401_without_a_code_is_a_refusal():
    assert isinstance(EXCHANGE.read_error(401, {}, ""), Refused)


@pytest.mark.parametrize(
    "secret",
    [
        "OK-ACCESS-KEY: 37c541a1-0000-4f0e-9f13-5f3d5f2c9b7a",
        "OK-ACCESS-PASSPHRASE=hunter2!",
        "apiKey=abc123",
        'secret: "22582BD0CFF14C41EDBF1AB98506286D"',
        "sign=HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY=",
        "22582BD0CFF14C41EDBF1AB98506286D",
    ],
)
def test_what_could_be_a_secret_is_cut_out_of_okxs_words(secret):
    value = secret.replace('"', "").replace(": ", "=").split("=", 1)[-1]
    for error in (read("59999", f"Refused {secret} because", 500), read("51000", f"bad {secret}")):
        assert value not in str(error)


def test_words_of_okxs_are_short_and_on_one_line():
    error = read("51000", "a b\n\x1b[31m" + "word " * 200)

    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 250


def test_the_code_may_be_a_number():
    body = parse_json('{"code":50111,"msg":"x","data":[]}')

    assert isinstance(EXCHANGE.read_error(401, {}, body), Refused)
    assert EXCHANGE.read_error(200, {}, parse_json('{"code":0,"data":[]}')) is None
