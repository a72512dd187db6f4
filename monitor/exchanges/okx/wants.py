"""
Which calls are still wanted to read an account: mode, balance and positions decide the rest.

Knows what each kind of position and coin needs; must not know what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.okx import asked, calls, collateral, tables
from monitor.exchanges.okx import envelope as answers
from monitor.exchanges.okx.products import CONTRACTS, MARGIN, SWAP, family_in
from monitor.exchanges.okx.reading import position_lists, read_balance, read_book, read_config
from monitor.exchanges.okx.rows import Mode
from monitor.exchanges.okx.stops import stop_calls
from monitor.exchanges.okx.unified import counts_at_all
from monitor.risk.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.exchanges.call import Replies, RestCall
    from monitor.exchanges.okx.book import Book
    from monitor.exchanges.okx.held import Held
    from monitor.exchanges.okx.rows import Coin

# More tables than this of one kind are asked for all at once.
_FEW = 3
_FEES = calls.loan_fees().path


def needed(replies: Replies) -> tuple[RestCall, ...]:
    """
    The calls still wanted: mode, balance and positions; then what is held decides.

    Raises:
        Malformed: If a reply that decides can't be read.
    """
    fixed = (calls.CONFIG, calls.BALANCE, *position_lists(replies))
    missing = tuple(call for call in fixed if not replies.has(call))
    if missing and not _has_coins(missing, replies):
        return missing
    book = read_book(replies)
    return tuple(dict.fromkeys(_wanted(book, replies)))


def _has_coins(missing: tuple[RestCall, ...], replies: Replies) -> bool:
    """Whether all that is missing is the balance, and one of named coins stands in for it."""
    if missing != (calls.BALANCE,):
        return False
    try:
        return bool(read_balance(read_config(replies), replies))
    except MissingReply:
        return False


def _wanted(book: Book, replies: Replies) -> Iterator[RestCall]:
    held = book.modelled()
    for product in CONTRACTS:
        yield from _of_contracts(
            product, [row for row in held if row.inst_type == product], book, replies
        )
    for row in held:
        if row.inst_type == MARGIN:
            yield from _of_trade(row, replies)
    coins = tuple(_of_coins(book, held, replies))
    yield from _fees(held, [call for call in coins if call.path == _FEES], replies)
    if held:
        yield from stop_calls(replies)
    yield from (call for call in coins if call.path != _FEES)
    yield from (call for call in (calls.FREE, calls.BILLS) if not replies.has(call))


def _of_contracts(
    product: str, held: list[Held], book: Book, replies: Replies
) -> Iterator[RestCall]:
    unlisted = [
        call
        for row in held
        if not _lists(replies, call := calls.instrument(product, row.inst_id), row.inst_id)
    ]
    yield from _few_or_all(unlisted, calls.all_instruments(product), replies)
    for row in held:
        family = _family(row, replies)
        if family is None:
            continue
        stressed = row.is_cross and book.config.mode is Mode.PORTFOLIO
        tiers = asked.tiers(replies, product, family, row.margin_mode.value, row.inst_id)
        if not stressed and not replies.has(tiers):
            yield tiers
        yield from _mark_of(row, replies)
    if product == SWAP and not replies.has(calls.ALL_FUNDING):
        funding = [call for row in held if not replies.has(call := calls.funding(row.inst_id))]
        yield from _few_or_all(funding, calls.ALL_FUNDING, replies)


def _fees(held: tuple[Held, ...], of_debts: list[RestCall], replies: Replies) -> Iterator[RestCall]:
    """
    The fee rates of what is held: by family where one kind has few of them, else by kind.

    The list is the one with the least room: five requests in two seconds.
    """
    wanted = {
        call: row.inst_type
        for row in held
        for call in _fees_of(row, replies)
        if not replies.has(call)
    }
    kinds = {row.inst_type for row in held}
    many = len(kinds) > 1 or len({family_in(row.inst_id) for row in held}) > _FEW
    asked = (calls.all_fees(product) for product in wanted.values()) if many else wanted
    chosen: dict[str, RestCall] = {}
    for call in (*asked, *of_debts):
        if call.request not in chosen or chosen[call.request].optional:
            chosen[call.request] = call
    yield from chosen.values()


def _fees_of(row: Held, replies: Replies) -> Iterator[RestCall]:
    """The fee rates of one position; of a contract's family once it is listed."""
    if row.inst_type == MARGIN:
        yield asked.pair_fees(replies, row.inst_id)
    elif (family := _family(row, replies)) is not None:
        yield asked.fees(replies, row.inst_type, family, row.inst_id)


def _family(row: Held, replies: Replies) -> str | None:
    """A contract's family once it is listed; None before, and where its listing is unreadable."""
    call = calls.instrument(row.inst_type, row.inst_id)
    if not _lists(replies, call, row.inst_id):
        return None
    try:
        return tables.listed(replies, row.inst_type, row.inst_id).family
    except Malformed:
        return None


def _of_trade(row: Held, replies: Replies) -> Iterator[RestCall]:
    listed = asked.pair(replies, row.inst_id)
    if not _lists(replies, listed, row.inst_id):
        yield listed
    tiers = calls.loan_tiers(row.inst_id, row.margin_mode.value)
    if not replies.has(tiers):
        yield tiers
    yield from _mark_of(row, replies)


def _mark_of(row: Held, replies: Replies) -> Iterator[RestCall]:
    call = calls.mark(row.inst_type, row.inst_id)
    if row.mark_price is None and not replies.has(call):
        yield call


def _few_or_all(wanted: list[RestCall], every: RestCall, replies: Replies) -> tuple[RestCall, ...]:
    """The calls themselves where they are few, else the one that brings all of them."""
    distinct = tuple(dict.fromkeys(wanted))
    return distinct if len(distinct) <= _FEW or replies.has(every) else (every,)


def _lists(replies: Replies, call: RestCall, inst_id: str) -> bool:
    """Whether a reply tells of the instrument: a list of this morning may not."""
    with answers.reading(call):
        return answers.row_with(replies, call, "instId", inst_id) is not None


def _of_coins(book: Book, held: tuple[Held, ...], replies: Replies) -> Iterator[RestCall]:
    """What the coins of the account's own pool need: discounts, marks, and debts' tables."""
    if not book.is_one_pool:
        return
    settled = {row.ccy for row in (*held, *book.opaque_cross()) if row.is_cross}
    coins = [c for c in book.coins.values() if counts_at_all(c) or c.ccy in settled]
    if book.config.mode is not Mode.PORTFOLIO:
        yield from _of_debts(coins, settled, replies)
    switches = collateral.switches_tell(book.coins.values())
    backing = [coin for coin in coins if collateral.counts(coin, switches=switches)]
    untold = [call for c in backing if not replies.has(call := calls.discount(c.ccy))]
    yield from _few_or_all(untold, calls.ALL_DISCOUNTS, replies)
    bases = {row.inst_id.partition("-")[0] for row in held}
    for coin in coins:
        known = coin not in backing or replies.has(calls.discount(coin.ccy))
        if coin.ccy not in bases and known:
            steps = collateral.haircuts(coin, replies, switches=switches)
            burdened = bool(coin.owed) or coin.ccy in settled
            if collateral.floats(coin.ccy, steps, is_burdened=burdened):
                yield from _mark_wanted(coin, replies)


def _of_debts(coins: list[Coin], settled: set[str], replies: Replies) -> Iterator[RestCall]:
    """The tables of what is owed, and of what losses may come to owe."""
    owed = {coin.ccy for coin in coins if max(coin.loan, -coin.cross_equity) > ZERO}
    concerned = [coin.ccy for coin in coins if coin.ccy in owed | settled]
    for ccy in concerned:
        call = calls.borrow_tiers(ccy, optional=ccy not in owed)
        if not replies.has(call):
            yield call
    fees = asked.loan_fees(replies, optional=not owed)
    if concerned and not replies.has(fees):
        yield fees


def _mark_wanted(coin: Coin, replies: Replies) -> Iterator[RestCall]:
    """The mark that a floating coin follows, and its contract where there is such a mark."""
    for product, inst_id in collateral.followed(coin.ccy):
        if not replies.has(calls.mark(product, inst_id)):
            yield calls.all_marks(product)
            return
        if tables.mark_of(replies, product, inst_id) is not None:
            call = calls.instrument(product, inst_id, optional=True)
            if not _lists(replies, call, inst_id):
                yield call
            return
