"""
How often a search looks: every look evaluates a whole pool, on every tick of a small machine.

What is found is the same wherever a search begins; how soon is what these hold.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

import pytest

from monitor.risk import MarginPool, Mark, advice, topped_up
from monitor.risk.advice import _between_teeth, _doubled, _enough, _least, _peak
from monitor.risk.path import is_curved, of_coins
from monitor.risk.solve import _crossing, _looks, _rough_factors, _slack_along, adverse_paths
from tests.build import a_pool, flat, long, marks, tiers
from tests.risk.test_advice import RATIO_ONLY, ask
from tests.risk.test_curved_paths import curving
from tests.risk.test_path import ONE, D

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.risk import Target

Place = TypeVar("Place", int, Decimal)


class Asked(Generic[Place]):
    """A line of what is spare, and the places that were asked for, in their order."""

    def __init__(self, line: Callable[[Place], int | Decimal]) -> None:
        self.places: list[Place] = []
        self._line = line

    def __call__(self, place: Place) -> Decimal:
        self.places.append(place)
        return Decimal(self._line(place))


def test_on_a_straight_line_the_least_is_the_first_guess() -> None:
    spare = Asked[int](lambda n: n - 700)

    assert _least(spare, 0, 1000) == 700
    assert spare.places == [0, 1000, 700, 699]  # both ends, the crossing, and one less


def test_a_guess_never_leaves_what_is_still_open() -> None:
    """Nothing until 998, then all at once: the line from end to end crosses at 1."""
    spare = Asked[int](lambda n: 999_000 if n > 998 else -1)

    assert _least(spare, 0, 1000) == 999
    assert len(spare.places) == len(set(spare.places))


def test_what_is_just_enough_is_not_doubled() -> None:
    spare = Asked[int](lambda n: n - 4)

    assert _doubled(spare, 4) == 4
    assert spare.places == [0, 4]


def test_what_does_not_help_is_tried_once() -> None:
    spare = Asked[int](lambda _: -1)

    assert _doubled(spare, 1) is None
    assert spare.places == [0, 1]


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        pytest.param(lambda _: -1, [1, 0], id="level ground"),
        pytest.param(lambda n: -n - 1, [1, 0], id="downwards"),
        pytest.param(lambda n: min(n, 99) - 100, [1, 0, 99, 100], id="level at the end"),
    ],
)
def test_where_no_peak_is_none_is_searched(line: Callable[[int], int], asked: list[int]) -> None:
    spare = Asked[int](line)

    assert _peak(spare, 0, 100) is None
    assert spare.places == asked


def test_a_peak_that_just_suffices_ends_the_search() -> None:
    spare = Asked[int](lambda n: -abs(n - 50))

    assert _peak(spare, 0, 100) == 50
    assert spare.places == [1, 0, 99, 100, 50, 51]


def test_of_two_places_in_the_middle_either_may_just_suffice() -> None:
    spare = Asked[int](lambda n: -abs(n - 51))

    assert _peak(spare, 0, 100) == 51
    assert spare.places == [1, 0, 99, 100, 50, 51]


def test_level_ground_at_the_top_is_walked_from_its_near_side() -> None:
    """Of 0 to 8 the middle 4 and 5 are level: what is beyond 5 falls, and is left out."""
    spare = Asked[int](lambda n: -abs(2 * n - 9))

    assert _peak(spare, 0, 8) is None
    assert spare.places[4:6] == [4, 5]
    assert max(spare.places[6:]) == 5 - 1


def test_a_line_that_rises_and_falls_short_is_looked_at_from_both_ends_alone() -> None:
    spare = Asked[int](lambda n: n - 20)

    assert _enough(spare, 10) is None
    assert spare.places == [9, 1, 0, 8, 10]


def test_a_turn_at_the_first_lot_is_a_stretch_of_its_own() -> None:
    spare = Asked[int](lambda n: n - 20)

    assert _enough(spare, 10, turns=(Decimal(1),)) is None
    assert spare.places == [1, 0, 2, 9, 3, 8, 10]


def test_a_hundredth_less_falls_short_where_rounding_puts_teeth_on_the_line() -> None:
    """From 109 on all suffice but 112, one of whose lots is not full: 113 was met first."""
    spare = Asked[int](lambda n: n - 109 - (5 if n == 112 else 0))

    assert _between_teeth(spare, 113) == 109
    assert spare.places[0] == 111
    assert spare.places[-1] == 107
    assert _between_teeth(lambda n: Decimal(n - 1), 1) == 1  # 0 is no step


def test_in_a_quote_coin_the_top_up_is_its_first_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is needed by 10 BTC at 100 with 1 % is 10; at a ratio of 0.5 it takes 20."""
    asked: list[Decimal] = []
    real = advice._spare

    def counted(pool: MarginPool, known: dict[str, Mark], target: Target) -> Decimal:
        asked.append(pool.collateral[0].balance - 15)
        return real(pool, known, target)

    monkeypatch.setattr(advice, "_spare", counted)
    pool = a_pool(long("BTC", 10, tiers=flat("0.01")), cash=15)
    found = ask(pool, marks(BTC=100), RATIO_ONLY).top_up

    assert found is not None
    assert topped_up(pool, "USDT", found.amount).collateral[0].balance == 20
    assert sorted(set(asked)) == [0, D("2.5"), 5 - D("1e-8"), 5]


def test_a_root_of_a_straight_line_is_found_at_once() -> None:
    slack = Asked[Decimal](lambda factor: factor - D("0.75"))

    assert _crossing(slack, ONE, D("0.25"), D("0.5"), D("-0.25")) == D("0.75")
    assert slack.places == [D("0.75")]


def test_a_jump_is_closed_in_within_four_looks_a_halving() -> None:
    """A bracket of a half is 1e-18 wide after 59 halvings."""
    slack = Asked[Decimal](lambda factor: 1 if factor > D("0.7") else -1000)

    found = _crossing(slack, ONE, ONE, D("0.5"), D(-1000))
    assert found == pytest.approx(D("0.7"), rel=D("1e-17"))
    assert found > D("0.7")
    assert len(slack.places) <= 4 * 59


def test_a_curve_is_followed_to_one_dip_and_to_both_ends() -> None:
    """The curve of `curving` has one bottom on its way down, at 70.71."""
    path = of_coins(*curving("186"), {"BTC": -ONE})
    slack = _slack_along(path, ONE)
    rough = _rough_factors(path, D("0.5"))

    found = _looks(path, slack, (D("0.5"),))
    stretches = len({D("0.5"), *rough})
    assert len(found) <= 16 * stretches + 3
    assert any(abs(f - D("0.7071")) < D("0.0001") for f in found)


def test_a_rough_place_is_looked_at_from_just_before_and_just_behind() -> None:
    """10 from 100 are worth 700, where the rate jumps, at 70."""
    pool = a_pool(long("BTC", 10, tiers=tiers((700, "0.01", 0), (None, "0.02", 0))))
    path = of_coins(pool, marks(BTC=100), {"BTC": -ONE})

    nearer, further = sorted(_rough_factors(path, D("0.5")), reverse=True)
    assert nearer == D("0.7") * (1 + D("1e-15"))
    assert further == D("0.7") * (1 - D("1e-15"))
    assert _rough_factors(path, D("0.8")) == set()


def test_where_both_readings_of_net_agree_one_path_is_walked() -> None:
    pool, known = a_pool(long("BTC", 10)), marks(BTC=100)

    (path,) = adverse_paths(pool, known)
    assert path.speed == -1
    assert is_curved(path) is False


def test_a_curve_is_closed_in_from_both_ends() -> None:
    """
    False position alone keeps the end at 2 and walks there: 40 and more looks at x² − 2.

    With the weight of the end that stayed halved it takes about as many as Newton's rule.
    """
    slack = Asked[Decimal](lambda x: x * x - 2)

    assert _crossing(slack, D(2), D(2), ONE, -ONE) == pytest.approx(D(2).sqrt(), rel=D("1e-17"))
    assert len(slack.places) == 10
