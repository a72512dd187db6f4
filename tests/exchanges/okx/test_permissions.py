"""What a key may do, in OKX's words, and OKX's clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.errors import Malformed, MissingReply, Refused
from monitor.exchanges.call import Replies
from monitor.exchanges.okx import EXCHANGE
from tests.exchanges.okx import wire

CONFIG = "GET /api/v5/account/config"


def permissions(**changes):
    return EXCHANGE.read_permissions(wire.replies({CONFIG: wire.config(**changes)}))


@pytest.mark.parametrize(
    ("perm", "powers", "missing"),
    [
        ("read_only", (), ()),
        ("read_only,trade", ("trade",), ()),
        ("read_only,withdraw,trade", ("withdraw", "trade"), ()),
        ("read_only, something_new", ("something_new",), ()),
        ("trade", ("trade",), ("read_only",)),
    ],
)
def test_every_word_but_read_only_is_a_power(perm, powers, missing):
    read = permissions(perm=perm)

    assert (read.powers, read.missing) == (powers, missing)
    assert read.read_only == (not powers)
    assert read.expires_at is None


def test_a_key_is_bound_where_addresses_are_listed():
    assert permissions(ip="1.2.3.4,5.6.7.8").ip_bound is True
    assert permissions(ip="").ip_bound is False


@pytest.mark.parametrize("field", ["perm", "ip"])
def test_every_required_field_is_missed_by_its_path(field):
    told = wire.config()
    del told["data"][0][field]

    with pytest.raises(Malformed, match=rf"account/config.*data\[0\]\.{field}"):
        EXCHANGE.read_permissions(wire.replies({CONFIG: told}))


def test_a_key_without_words_is_not_taken_for_read_only():
    with pytest.raises(Malformed, match="perm"):
        permissions(perm="")


def test_the_call_is_the_one_that_tells_the_mode():
    assert [call.request for call in EXCHANGE.permission_calls] == [CONFIG]
    with pytest.raises(MissingReply, match="account/config"):
        EXCHANGE.read_permissions(Replies())


def test_a_refused_key_is_refused_here_too():
    body = {"code": "50119", "msg": "API key doesn't exist", "data": []}

    with pytest.raises(Refused, match="region"):
        EXCHANGE.read_permissions(wire.replies({CONFIG: body}))


def test_the_clock_is_in_milliseconds():
    body = wire.envelope({"ts": "1597026383085"})

    assert EXCHANGE.read_time(body) == datetime(2020, 8, 10, 2, 26, 23, 85_000, tzinfo=UTC)


@pytest.mark.parametrize("body", [None, "<html>", {}, wire.envelope(), wire.envelope({})])
def test_a_clock_that_is_none_is_malformed(body):
    with pytest.raises(Malformed):
        EXCHANGE.read_time(body)
