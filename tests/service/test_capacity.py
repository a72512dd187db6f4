"""How many accounts this machine's address can carry, as `check` says it."""

from __future__ import annotations

from monitor.exchanges.call import Budget, RestCall
from monitor.service.capacity import Asked, capacity
from monitor.settings import Budgets

WEIGHT = Budget(name="weight", per_minute=2400, window_seconds=60)
ONE = Asked(
    calls=(
        RestCall(implicit="a", path="/a", weight=5, budget=WEIGHT),
        RestCall(implicit="b", path="/b", weight=5, budget=WEIGHT, heard_seconds=600),
        RestCall(implicit="c", path="/c", weight=5, budget=WEIGHT, calm_seconds=300),
    ),
    whole=None,
    poll_seconds=15,
)
MORE = Asked(
    calls=(RestCall(implicit="a", path="/a", weight=25, budget=WEIGHT),),
    whole=None,
    poll_seconds=15,
)
PRIVATE = Asked(
    calls=(
        RestCall(implicit="a", path="/a", budget=Budget(name="u", per_minute=10, by_address=False)),
    ),
    whole=None,
    poll_seconds=15,
)


def test_it_says_how_many_fit_in_each_way_of_reading() -> None:
    found = capacity("binance", [ONE], 5, Budgets())
    assert found is not None
    assert found.ok
    # 480 a minute. Each takes 15 × 4 = 60; 600 ÷ 51 + 300 ÷ 306 = 12.75; 300 ÷ 51 + 300 ÷ 612
    # + 300 ÷ 306 = 7.35.
    assert found.found == (
        "5 configured; 20% of the published limits carry 8 like these from this address at 15 s "
        "each, 37 at 51 s each, 65 while their own streams are heard"
    )


def test_the_line_is_named_by_the_exchange_or_tells_the_address_that_was_given() -> None:
    found = capacity("binance", [ONE], 5, Budgets())
    assert found is not None
    assert found.what == "request limits of binance"
    found = capacity("https://eea.example", [ONE], 5, Budgets())
    assert found is not None
    assert (found.what, found.found.endswith("(at https://eea.example)")) == (
        "request limits",
        True,
    )


def test_more_than_fit_at_the_configured_pace_will_be_read_less_often() -> None:
    found = capacity("binance", [ONE], 9, Budgets())
    assert found is not None
    assert found.ok
    assert found.found.endswith("Calm accounts will be read less often than configured")


def test_more_than_fit_at_all_fail() -> None:
    assert capacity("binance", [ONE], 65, Budgets()).ok  # type: ignore[union-attr] - one was read
    found = capacity("binance", [ONE], 66, Budgets())
    assert found is not None
    assert not found.ok
    assert found.found.endswith("watch some of them from another machine")


def test_several_count_as_their_mean_and_the_share_and_the_budget_as_configured() -> None:
    found = capacity("binance", [ONE, MORE], 2, Budgets(limits_share=0.4, account_seconds=120))
    assert found is not None
    # 960 a minute; (15 + 25) ÷ 2 × 4 = 80.
    assert "40% of the published limits carry 12 like these" in found.found
    assert "at 102 s each" in found.found


def test_where_nothing_was_read_nothing_is_said_and_where_nothing_is_shared_all_fit() -> None:
    assert capacity("binance", [], 3, Budgets()) is None
    found = capacity("okx", [PRIVATE], 300, Budgets())
    assert found is not None
    assert found.ok
