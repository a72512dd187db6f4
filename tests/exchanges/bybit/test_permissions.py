"""What a key may do, and until when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import EXCHANGE
from monitor.exchanges.port import Permissions
from tests.exchanges.bybit.wire import KEY, Json, envelope, replies, samples

READ_ONLY: Json = {
    "readOnly": 1,
    "permissions": {
        "ContractTrade": ["Order", "Position"],
        "Spot": [],
        "Wallet": ["AccountTransfer", "Withdraw"],
    },
    "ips": ["203.0.113.7"],
    "type": 1,
    "deadlineDay": -2,
    "expiredAt": "1970-01-01T00:00:00Z",
    "uta": 1,
}


def read(result: Json) -> Permissions:
    return EXCHANGE.read_permissions(replies({KEY: envelope(result)}))


def test_a_read_only_key_bound_to_an_address() -> None:
    found = read(READ_ONLY)
    assert found == Permissions(powers=(), missing=(), ip_bound=True, expires_at=None)
    assert found.read_only


def test_a_key_that_may_act_names_every_right() -> None:
    found = read(READ_ONLY | {"readOnly": "0"})
    assert found.powers == (
        "ContractTrade: Order",
        "ContractTrade: Position",
        "Wallet: AccountTransfer",
        "Wallet: Withdraw",
    )
    assert not found.read_only


def test_a_key_that_may_write_is_never_read_only() -> None:
    (sample, _) = samples("is_unified_enabled")
    found = EXCHANGE.read_permissions(replies({KEY: sample}))
    assert found.powers == ("read-write key",)
    assert found.missing == ("Unified Trading: positions (ContractTrade: Position)",)
    assert found.ip_bound is False
    assert found.expires_at == datetime(2023, 5, 15, 3, 21, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("permissions", "missing"),
    [
        ({"ContractTrade": ["Position"]}, 0),
        ({"Derivatives": ["DerivativesTrade"]}, 0),
        ({"ContractTrade": ["Order"], "Wallet": ["AccountTransfer"]}, 1),
        ({"ContractTrade": None}, 1),
        ({}, 1),
    ],
)
def test_the_right_to_see_positions_is_missed(permissions: Json, missing: int) -> None:
    assert len(read(READ_ONLY | {"permissions": permissions}).missing) == missing


def test_any_address_is_no_bound_one() -> None:
    assert read(READ_ONLY | {"ips": ["*"]}).ip_bound is False
    assert read(READ_ONLY | {"ips": []}).ip_bound is False


def test_an_empty_expiry_is_none() -> None:
    assert read(READ_ONLY | {"expiredAt": ""}).expires_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"readOnly": 2},
        {"readOnly": ""},
        {"permissions": []},
        {"permissions": {"Wallet": "Withdraw"}},
        {"permissions": {"Wallet": [1]}},
        {"ips": "203.0.113.7"},
        {"expiredAt": "soon"},
    ],
    ids=str,
)
def test_what_can_not_be_read_is_an_error(change: Json) -> None:
    with pytest.raises(Malformed) as caught:
        read(READ_ONLY | change)
    assert next(iter(change)) in caught.value.path


@pytest.mark.parametrize("key", ["readOnly", "permissions", "ips"])
def test_every_part_is_needed(key: str) -> None:
    with pytest.raises(Malformed, match=key):
        read({k: v for k, v in READ_ONLY.items() if k != key})


def test_without_an_answer_nothing_is_known() -> None:
    with pytest.raises(MissingReply, match="query-api"):
        EXCHANGE.read_permissions(replies({}))


def test_the_hint_says_what_to_tick() -> None:
    assert "Read-Only" in EXCHANGE.permission_hint
