"""Supposed changes: in which pool each lands, in which order, and what can't be meant."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor.errors import MissingCollateral, MissingMark, WrongUsage
from monitor.risk import MarginMode, PoolId, Side, requirement
from monitor.risk.change import Addition, Book, Changes, Closure, Move, changed
from monitor.risk.collateral import price_of
from tests.build import a_pool, coins, flat, inverse, linear, long, mark, marks, short

D = Decimal
BTC, BTC_USDC, ETH = "BTC/USDT:USDT", "BTC/USDC:USDC", "ETH/USDT:USDT"
KNOWN = {BTC: mark(100), BTC_USDC: mark(100), ETH: mark(10)}
CROSS = a_pool(long("BTC", 10), short("ETH", 5, 10), cash=1000)
ALONE = a_pool(
    long("SOL", 4, 50),
    cash=40,
    id=PoolId(account="main", name="isolated/SOLUSDT"),
    margin_mode=MarginMode.ISOLATED,
)
COIN = a_pool(long(inverse("ETH", size=10), 3, 10), unit="ETH", cash=7)
ALL_KNOWN = {**KNOWN, "SOL/USDT:USDT": mark(50), "ETH/USD:ETH": mark(10)}
ACCOUNT = tuple(Book(pool=pool, marks=ALL_KNOWN) for pool in (CROSS, ALONE, COIN))


def after(*changes: Any, books: tuple[Book, ...] = ACCOUNT) -> tuple[Book, ...]:
    return changed(
        books,
        Changes(
            additions=tuple(c for c in changes if isinstance(c, Addition)),
            closures=tuple(c for c in changes if isinstance(c, Closure)),
            moves=tuple(c for c in changes if isinstance(c, Move)),
        ),
    )


def balances(books: tuple[Book, ...]) -> list[Decimal]:
    return [book.pool.collateral[0].balance for book in books]


def add(amount: int, asset: str = "USDT", pool: str | None = None) -> Addition:
    return Addition(asset=asset, amount=D(amount), pool=pool)


def move(name: str | None, percent: int) -> Move:
    return Move(name=name, fraction=D(percent) / 100)


# --- money


def test_nothing_supposed_leaves_everything_as_it_is():
    assert after() == ACCOUNT


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        (add(500), [1500, 40, 7]),  # the cross pool, where an isolated one takes it too
        (add(-100), [900, 40, 7]),
        (add(2, "eth"), [1000, 40, 9]),
        (add(5, pool="isolated/SOLUSDT"), [1000, 45, 7]),
        (add(5, pool="main/isolated/solusdt"), [1000, 45, 7]),
    ],
)
def test_money_lands_in_the_pool_that_takes_it(addition: Addition, expected: list[int]):
    assert balances(after(addition)) == expected


def test_what_no_pool_takes_is_wrong_usage_and_what_the_only_one_lacks_has_no_price():
    with pytest.raises(WrongUsage, match="no pool here takes DOGE; what is taken: ETH, USDT"):
        after(add(1, "DOGE"))
    with pytest.raises(MissingCollateral, match="main/USDT has no collateral entry for DOGE"):
        after(add(1, "DOGE"), books=ACCOUNT[:1])
    with pytest.raises(MissingCollateral, match="isolated/SOLUSDT"):
        after(add(1, "ETH", pool="isolated/SOLUSDT"))


def test_a_pool_that_is_not_there_is_wrong_usage():
    with pytest.raises(WrongUsage, match="no pool 'unified'; pools here: USDT, isolated/SOLUSDT"):
        after(add(1, pool="unified"))


def test_two_isolated_pools_must_be_told_apart():
    other = replace(ALONE, id=PoolId(account="main", name="isolated/ETHUSDT"))
    books = tuple(Book(pool=pool, marks=ALL_KNOWN) for pool in (ALONE, other))

    with pytest.raises(WrongUsage, match="say USDT@POOL, of isolated/SOLUSDT, isolated/ETHUSDT"):
        after(add(1), books=books)


# --- positions


@pytest.mark.parametrize("name", ["BTCUSDT", "BTC/USDT:USDT", "btcusdt"])
@pytest.mark.parametrize(
    ("part", "left"), [({"share": D("0.25")}, D("7.5")), ({"contracts": D(4)}, D(6))]
)
def test_part_of_a_position_is_closed_at_the_mark(name: str, part: Any, left: Decimal):
    known = {**ALL_KNOWN, BTC: mark(90)}
    books = tuple(replace(book, marks=known) for book in ACCOUNT)

    found = after(Closure(symbol=name, **part), books=books)

    assert found[0].pool.positions[0].contracts == left
    assert balances(found) == [1000 - 10 * (10 - left), 40, 7]


def test_all_of_it_leaves_no_position():
    found = after(Closure(symbol="SOLUSDT", share=D(1)))
    assert found[1].pool.positions == ()


HEDGE = (Book(pool=a_pool(long("BTC", 10), short("BTC", 6)), marks=KNOWN),)


def test_of_a_hedge_the_side_is_named():
    found = after(Closure(symbol="BTCUSDT", side=Side.SHORT, share=D("0.5")), books=HEDGE)
    assert [p.contracts for p in found[0].pool.positions] == [10, 3]

    with pytest.raises(
        WrongUsage, match="more than once: say which of BTCUSDT/long@USDT, BTCUSDT/short@USDT"
    ):
        after(Closure(symbol="BTCUSDT", share=D("0.5")), books=HEDGE)


def test_of_two_pools_with_one_symbol_the_pool_is_named():
    isolated = replace(ALONE, positions=(long("BTC", 2),))
    books = (HEDGE[0], Book(pool=isolated, marks=KNOWN))

    closure = Closure(symbol="BTCUSDT", pool="isolated/SOLUSDT", share=D("0.5"))
    found = after(closure, books=books)
    assert found[1].pool.positions[0].contracts == 1
    assert found[0].pool.positions == HEDGE[0].pool.positions


def test_what_an_isolated_position_gives_back_goes_to_the_cross_pool():
    """4 SOL from 50 at 45 on 40: half of it frees 20 of margin and loses 10, fee 0.1 % of 90."""
    alone = replace(ALONE, positions=(long("SOL", 4, 50, taker_fee_rate=D("0.001")),))
    marks = {**ALL_KNOWN, "SOL/USDT:USDT": mark(45)}
    books = tuple(Book(pool=pool, marks=marks) for pool in (COIN, alone, CROSS))
    half = Closure(symbol="SOLUSDT", share=D("0.5"))

    assert balances(after(half, books=books)) == [7, 20, 1000 + 20 - 10 - D("0.09")]
    # Half a coin less of loss for each of two: a single one comes back.
    even = Book(pool=replace(alone, collateral=(coins("USDT", "22.18"),)), marks=marks)
    assert balances(after(half, books=(even, books[2]))) == [D("11.09"), 1001]
    # Where no cross pool takes it, or two do, it lies in a wallet that is not looked at.
    assert balances(after(half, books=books[:2])) == [7, 20]
    twice = (*books, replace(books[2], pool=replace(CROSS, id=PoolId(account="b", name="USDT"))))
    assert balances(after(half, books=twice)) == [7, 20, 1000, 1000]


@pytest.mark.parametrize(
    ("closure", "said"),
    [
        (Closure(symbol="DOGEUSDT", share=D(1)), "'DOGEUSDT' is not held here; held are: BTCUSDT"),
        (
            Closure(symbol="BTCUSDT", side=Side.SHORT, share=D(1)),
            "'BTCUSDT' is not held so; held are: BTCUSDT/long@USDT",
        ),
        (
            Closure(symbol="BTCUSDT", contracts=D("10.5")),
            "'BTCUSDT': 10.5 contracts can't be closed, 10 are held",
        ),
    ],
)
def test_what_cannot_be_closed_is_wrong_usage(closure: Closure, said: str):
    with pytest.raises(WrongUsage, match=said):
        after(closure)


def test_without_a_mark_nothing_can_be_closed():
    with pytest.raises(MissingMark):
        after(Closure(symbol="BTCUSDT", share=D(1)), books=(Book(pool=CROSS, marks={}),))


# --- prices


UNIFIED = Book(
    pool=a_pool(
        long("BTC", 1),
        long(linear("BTC", settle="USDC"), 1),
        short("ETH", 5, 10),
        unit="USD",
        collateral=(
            coins("USDT", 900),
            coins("USDC", 900),
            coins("BTC", 1, 100, follows=("BTC", BTC, 100)),
            coins("ETH", 1, 10, follows=("ETH", ETH, 10)),
        ),
    ),
    marks=KNOWN,
)


def test_a_pool_of_many_assets_takes_each_of_them():
    (book,) = after(add(100, "usdc"), add(2, "BTC"), books=(UNIFIED,))
    assert [c.balance for c in book.pool.collateral] == [900, 1000, 3, 1]


def moved(*moves: Move) -> dict[str, Decimal]:
    """Marks by symbol and prices of floating collateral by coin, after the moves."""
    (book,) = after(*moves, books=(UNIFIED,))
    prices = {symbol: m.price for symbol, m in book.marks.items()}
    return prices | {c.asset: price_of(c, book.marks) for c in book.pool.collateral[2:]}


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ((move(None, -10),), [90, 90, 9, 90, 9]),
        ((move("BTC", -10),), [90, 90, 10, 90, 10]),
        ((move("btc", -10), move(None, 20)), [90, 90, 12, 90, 12]),
        # a symbol moves alone, but for the collateral in its coin
        ((move("BTCUSDT", -10),), [90, 100, 10, 90, 10]),
        ((move(BTC_USDC, -10),), [100, 90, 10, 90, 10]),
        ((move("BTCUSDT", -10), move("BTC", 20)), [90, 120, 10, 120, 10]),
        ((move("BTCUSDT", -10), move("BTCUSDC", -20)), [90, 80, 10, 90, 10]),
        ((move("BTCUSDC", -20), move(None, 10)), [110, 80, 11, 80, 11]),
    ],
)
def test_coins_symbols_and_all_move_what_is_theirs(moves: tuple[Move, ...], expected: list[int]):
    assert list(moved(*moves).values()) == expected


def test_a_coin_of_several_pools_moves_in_all_of_them():
    found = after(move("ETH", 50))
    assert [book.marks[ETH].price for book in (found[0], found[2])] == [15, 10]
    assert found[2].marks["ETH/USD:ETH"].price == 15
    assert found[1] == ACCOUNT[1]


@pytest.mark.parametrize(
    ("moves", "price"),
    [
        ((move("BTC", -20),), "0.125"),
        ((move("ETH", -20),), "0.08"),
        ((move(None, -20),), "0.1"),
        ((move("BTC", -20), move(None, 20)), "0.15"),
        ((move("ETHBTC", -20), move("BTC", -20)), "0.08"),
    ],
)
def test_a_contract_quoted_in_a_coin_moves_against_that_coin(moves: tuple[Move, ...], price: str):
    ratio = replace(linear("ETH", settle="BTC"), exchange_symbol="ETHBTC")
    pool = a_pool(
        long(ratio, 1, "0.1"),
        long("BTC", 1),
        collateral=(coins("USDT", 900), coins("BTC", 1, 100, follows=("BTC", BTC, 100))),
    )
    known = {ratio.symbol: mark("0.1"), BTC: mark(100)}

    (book,) = after(*moves, books=(Book(pool=pool, marks=known),))
    assert book.marks[ratio.symbol].price == D(price)


def test_what_has_no_price_cannot_move():
    with pytest.raises(WrongUsage, match="'DOGE' has no price here; what moves: BTC, BTC/USDT"):
        after(move("DOGE", -1))


def test_the_end_on_the_way_is_told_by_the_part_that_was_lived():
    """100 under 10 BTC at 1 %: over at a fall of 90 ÷ 9.9 %, of the 20 % that are supposed."""
    book = Book(pool=a_pool(long("BTC", 10, tiers=flat("0.01")), cash=100), marks=marks(BTC=100))

    far, near, up = (after(move(None, by), books=(book,))[0] for by in (-20, -5, 20))

    end = D(90) / D("9.9") / 20
    assert far.liquidated_after == pytest.approx(end, rel=D("1e-15"))
    assert (near.liquidated_after, up.liquidated_after) == (None, None)


def test_coins_that_move_differently_end_it_at_one_part_of_their_ways():
    """Long BTC falls 20 %, short ETH rises 10 %: 1,000 of each, 110 there, 1 % held."""
    pool = a_pool(
        long("BTC", 10, tiers=flat("0.01")), short("ETH", 100, 10, tiers=flat("0.01")), cash=110
    )
    moves = (move("BTC", -20), move("ETH", 10))

    (found,) = after(*moves, books=(Book(pool=pool, marks=KNOWN),))

    # 110 − 200·t − 100·t = 20 − 2·t + t
    assert found.liquidated_after == pytest.approx(D(90) / 299, rel=D("1e-15"))
    assert [found.marks[s].price for s in (BTC, ETH)] == [80, 11]


# --- all of it


def test_money_comes_first_then_closing_then_prices():
    """1,000 + 100; 5 of 10 closed at 100; then the rest falls to 90."""
    found = after(move("BTC", -10), Closure(symbol="BTCUSDT", share=D("0.5")), add(100))

    now = requirement(found[0].pool, found[0].marks)
    assert now.margin_balance == 1000 + 100 - 5 * 10
    assert found[0].liquidated_after is None


def test_a_pool_that_only_prices_would_end_is_saved_by_money():
    book = Book(pool=a_pool(long("BTC", 10, tiers=flat("0.01")), cash=100), marks=marks(BTC=100))

    (found,) = after(add(200), move(None, -20), books=(book,))
    assert found.liquidated_after is None


def test_a_move_that_ends_just_where_it_is_liquidated_is_told():
    """10 of balance and 5 held: at 95 the 1 BTC has lost the other 5."""
    pool = a_pool(long("BTC", tiers=None), cash=10, other_maintenance=D(5))
    books = (Book(pool=pool, marks=KNOWN),)

    assert after(move("BTC", -5), books=books)[0].liquidated_after == 1
    assert after(move("BTC", -4), books=books)[0].liquidated_after is None
