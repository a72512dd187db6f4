"""What a key may do."""

from __future__ import annotations

import pytest

from monitor.errors import Malformed, Refused
from monitor.exchanges.binance import EXCHANGE
from monitor.exchanges.call import Replies
from monitor.exchanges.port import Permissions
from tests.exchanges.binance import wire

REQUEST = "GET /sapi/v1/account/apiRestrictions"
READ_ONLY = {
    "ipRestrict": False,
    "createTime": 1698645219000,
    "enableReading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "enableMargin": False,
    "enableFutures": False,
    "permitsUniversalTransfer": False,
    "enableVanillaOptions": False,
    "enableFixApiTrade": False,
    "enableFixReadOnly": True,
    "enableSpotAndMarginTrading": False,
    "enablePortfolioMarginTrading": False,
}


def read(body, status=200):
    return EXCHANGE.read_permissions(Replies([wire.reply(REQUEST, body, status=status)]))


def test_a_key_that_reads_alone_has_no_powers():
    permissions = read(READ_ONLY)

    assert permissions == Permissions(powers=(), missing=(), ip_bound=False, expires_at=None)
    assert permissions.read_only


@pytest.mark.parametrize(
    "flag",
    [
        "enableWithdrawals",
        "enableInternalTransfer",
        "enableMargin",
        "enableFutures",
        "permitsUniversalTransfer",
        "enableVanillaOptions",
        "enableFixApiTrade",
        "enableSpotAndMarginTrading",
        "enablePortfolioMarginTrading",
        "enableSomethingOfNextYear",
        "permitsSomethingOfNextYear",
    ],
)
def test_every_other_right_is_a_power(flag):
    permissions = read(READ_ONLY | {flag: True})

    assert permissions.powers == (flag,)
    assert not permissions.read_only


def test_a_key_that_may_not_read_lacks_that_right():
    assert read(READ_ONLY | {"enableReading": False}).missing == ("enableReading",)


def test_a_key_bound_to_addresses_is_told():
    assert read(READ_ONLY | {"ipRestrict": True}).ip_bound is True


@pytest.mark.parametrize("key", ["enableReading", "ipRestrict"])
def test_a_flag_that_must_be_there_is_named_when_missing(key):
    with pytest.raises(Malformed) as caught:
        read({name: value for name, value in READ_ONLY.items() if name != key})
    assert caught.value.path == f"apiRestrictions.{key}"


@pytest.mark.parametrize("value", [None, "yes", 1, ""])
def test_a_right_that_is_neither_on_nor_off_is_refused(value):
    with pytest.raises(Malformed, match=r"apiRestrictions\.enableWithdrawals"):
        read(READ_ONLY | {"enableWithdrawals": value})


@pytest.mark.parametrize("body", ["<html>", "", None, [], {}])
def test_a_broken_reply_is_no_read_only_key(body):
    with pytest.raises(Malformed):
        read(body)


def test_a_refused_key_says_why():
    with pytest.raises(Refused):
        read({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, 401)


def test_the_call_is_the_one_that_is_made():
    (call,) = EXCHANGE.permission_calls

    assert call.request == REQUEST
