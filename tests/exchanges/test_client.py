"""ccxt made to read as we want: addresses put elsewhere, and failures without its texts."""

from __future__ import annotations

import pytest

from monitor.errors import Unreachable
from monitor.exchanges.ccxt_classes import BaseError, RequestTimeout
from monitor.exchanges.client import client_class, redirected, why_failed
from tests.fakes.exchange import FAKE

SIGNED = "binanceusdm GET https://host/fapi?signature=canary"


def test_every_address_is_put_elsewhere_and_keeps_its_path() -> None:
    urls = {
        "public": "https://fapi.host/fapi/v1",
        "v5": {"rest": "https://{hostname}", "other": "https://api.{hostname}/v5"},
        "count": 3,
    }
    assert redirected(urls, "http://127.0.0.1:1/x/") == {
        "public": "http://127.0.0.1:1/x/fapi/v1",
        "v5": {"rest": "http://127.0.0.1:1/x", "other": "http://127.0.0.1:1/x/v5"},
        "count": 3,
    }


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RequestTimeout(SIGNED), "no answer within 10 s"),
        (BaseError(SIGNED), "the connection failed"),
        (ValueError(SIGNED), "the call failed (ValueError)"),
    ],
)
def test_a_failure_is_told_without_the_text_that_may_hold_a_signature(
    error: Exception, words: str
) -> None:
    assert why_failed(error, 10.0) == words


def test_the_cause_of_a_failed_connection_is_named_by_its_kind() -> None:
    error = BaseError(SIGNED)
    error.__cause__ = ConnectionResetError(SIGNED)
    assert why_failed(error, 10.0) == "the connection failed (ConnectionResetError)"


async def test_the_session_refuses_redirects() -> None:
    client = client_class(FAKE)({})
    try:
        client.open()
        (tracing,) = client.session.trace_configs
        client.open()
        assert client.session.trace_configs == [tracing]
        (refuse,) = tracing.on_request_redirect
        with pytest.raises(Unreachable, match="redirects elsewhere"):
            await refuse(client.session, None, None)
    finally:
        await client.close()
