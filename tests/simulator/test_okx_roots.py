"""Where slack ends, on either side; every function's zero is known beforehand."""

from decimal import Decimal

from monitor.simulator.okx_roots import both_roots

D = Decimal


def near(found: Decimal | None, expected: str) -> bool:
    return found is not None and abs(found - D(expected)) <= D("1e-20") * D(expected)


def test_the_nearer_end_comes_first():
    nearest, other = both_roots(lambda p: (p - 40) * (130 - p), D(100))
    assert near(nearest, "130")
    assert near(other, "40")


def test_one_end_or_none():
    nearest, other = both_roots(lambda p: p - D("99.9999"), D(100))
    assert near(nearest, "99.9999")
    assert other is None
    assert both_roots(lambda _: D(1), D(100)) == (None, None)


def test_what_is_over_ends_here():
    assert both_roots(lambda p: 100 - p, D(100)) == (D(100), None)


def test_a_far_end_is_found():
    nearest, _ = both_roots(lambda p: D("1e15") - p, D(100))
    assert near(nearest, "1e15")
    nearest, _ = both_roots(lambda p: p - D("1e-7"), D(100))
    assert near(nearest, "1e-7")


def test_of_a_jump_it_is_the_far_edge():
    nearest, other = both_roots(lambda p: D(50) if p < 120 else D(-1), D(100))
    assert near(nearest, "120")
    assert nearest is not None
    assert nearest >= 120
    assert other is None


def test_a_bent_line_is_followed():
    nearest, _ = both_roots(lambda p: (p - 50) if p > 60 else (p - 50) * 1000 / D(p) ** 2, D(100))
    assert near(nearest, "50")
