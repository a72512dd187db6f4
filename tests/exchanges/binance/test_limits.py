"""What Binance's headers tell of its limits."""

import pytest

from monitor.exchanges.binance import calls, coin_calls, portfolio_calls
from monitor.exchanges.binance.limits import read_use


@pytest.mark.parametrize(
    ("call", "headers", "used"),
    [
        (calls.ACCOUNT, {"x-mbx-used-weight-1m": "27"}, 27),
        (portfolio_calls.ACCOUNT, {"x-mbx-used-weight-1m": " 6001 "}, 6001),
        (calls.ACCOUNT_KIND, {"x-sapi-used-ip-weight-1m": "12"}, 12),
        (calls.ACCOUNT_KIND, {"x-mbx-used-weight-1m": "12"}, None),
        (calls.ACCOUNT, {"x-sapi-used-ip-weight-1m": "12"}, None),
        (calls.ACCOUNT, {}, None),
        (calls.ACCOUNT, {"x-mbx-used-weight-1m": "many"}, None),
        (calls.ACCOUNT, {"x-mbx-used-weight-1m": "-1"}, None),
    ],
)
def test_the_used_weight_counts_against_the_limit_of_the_call(call, headers, used):
    found = read_use(call, headers)
    assert (None if found is None else found.used) == used
    if found is not None:
        assert found.budget == call.budget
        assert found.limit == call.budget.per_minute
        assert found.resets_at is None


def test_both_futures_sides_count_against_one_limit():

    assert coin_calls.ACCOUNT.budget == calls.ACCOUNT.budget
    assert calls.ACCOUNT.budget.per_minute == 2400
    assert calls.ACCOUNT.budget.by_address
