"""What Bybit's headers tell of its limits."""

from datetime import UTC, datetime

import pytest

from monitor.exchanges.bybit import EXCHANGE, calls
from monitor.exchanges.bybit.limits import read_use
from monitor.exchanges.call import RestCall

# 1672738134824 ms after 1970: the example of Bybit's page, 2023-01-03 09:28:54.824 UTC.
HEADERS = {
    "x-bapi-limit": "100",
    "x-bapi-limit-status": "99",
    "x-bapi-limit-reset-timestamp": "1672738134824",
}


def test_what_is_left_is_turned_into_what_is_used():
    found = read_use(calls.WALLET, HEADERS)
    assert found is not None
    assert (found.used, found.limit) == (1, 100)
    assert found.budget == calls.WALLET.budget
    assert found.resets_at == datetime(2023, 1, 3, 9, 28, 54, 824000, tzinfo=UTC)


@pytest.mark.parametrize("missing", HEADERS)
def test_without_one_of_them_nothing_is_told(missing):
    assert read_use(calls.WALLET, {k: v for k, v in HEADERS.items() if k != missing}) is None


@pytest.mark.parametrize(
    "changed", [{"x-bapi-limit-status": "101"}, {"x-bapi-limit": "a"}, {"x-bapi-limit": "-1"}]
)
def test_what_makes_no_sense_is_nothing(changed):
    assert read_use(calls.WALLET, HEADERS | changed) is None


def test_every_call_counts_against_the_address_and_private_ones_each_user_by_himself():
    assert EXCHANGE.address_budget == calls.PER_IP
    assert calls.PER_IP.per_minute == 600 * 12
    assert not calls.WALLET.budget.by_address
    assert calls.TIME.budget == calls.PER_IP


@pytest.mark.parametrize(
    ("call", "per_second"), [(calls.fee_rate("BTCUSDT"), 5), (calls.WALLET, 50), (calls.INFO, 50)]
)
def test_what_is_published_per_second_is_counted_by_the_second(
    call: RestCall, per_second: int
) -> None:
    budget = call.budget
    assert (budget.per_minute, budget.window_seconds) == (60 * per_second, 1)
    assert not budget.by_address
