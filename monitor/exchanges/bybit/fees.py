"""
The fee to close that Bybit counts into both margins of a position.

Rule: size × entry × (1 ∓ 1 ÷ leverage) × taker rate, minus for a long: closing at the bankruptcy
price. Of an inverse position size ÷ entry × (1 ± 1 ÷ leverage) × taker rate, in the coin: that
one is derived, not published (the bankruptcy price is entry × leverage ÷ (leverage ± 1)).

The rate that applies includes local tax (18 % on top in India), which fee-rate does not tell; so
the fee is taken from the position's own maintenance margin, less what the tier asks, wherever
that lies between the published rate and the published rate with tax. A margin outside of that is
no fee: the rule stands, and reconciling shows the difference.

Source: Bybit «Maintenance Margin Calculation (USDT Contract)», 2025-09-18; taxed rate recomputed
to eight decimals on a wire message of 2025-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.errors import Malformed, MissingReply
from monitor.exchanges.bybit import calls
from monitor.exchanges.bybit.envelope import answers, naming, rows_of
from monitor.risk.model import ONE, ZERO, Side
from monitor.risk.tiers import maintenance_margin, size_of

if TYPE_CHECKING:
    from monitor.exchanges.bybit.rows import Held
    from monitor.exchanges.call import Replies
    from monitor.risk.model import TierTable

# A row's mark may be a tick away from the one that its margin was computed at.
_LEAST = Decimal("0.95")
# What the wire cuts off a margin.
_CUT = Decimal("0.00000001")
MOST_TAXED = Decimal("1.30")
# No taker rate of Bybit's is above this, tax included.
_HIGHEST_RATE = Decimal("0.002")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """
    `fixed` in the settle coin and the taker `rate` behind it.

    `is_anchored`: the amount is whatever the wire's margin holds beyond the tier's, because
    Bybit charges the leg by a rule that it does not publish.
    """

    fixed: Decimal
    rate: Decimal
    is_anchored: bool = False


def published_rate(replies: Replies, symbol: str, category: str = "linear") -> Decimal | None:
    """The account's taker rate for the symbol, tax not included; None where no reply tells it."""
    call = calls.fee_rate(symbol, category)
    if not answers(replies, call):
        return None
    try:
        row = rows_of(replies, call, "symbol")[0]
    except MissingReply:
        return None
    with naming(call.request):
        return row.decimal("takerFeeRate")


def fee_to_close(  # noqa: PLR0913 - one leg, its mark, its rules
    held: Held,
    mark: Decimal,
    table: TierTable,
    published: Decimal | None,
    *,
    is_hedged: bool,
    has_orders: bool,
) -> Fee:
    """
    The fee in this leg's margins.

    Args:
        is_hedged: The other leg of the symbol is held too: locked parts are charged by an
            unpublished rule, so the wire's margin is taken over.
        has_orders: Orders that need margin are open in the settle coin; they may lift the
            leg into a higher tier, so a margin that no fee explains is taken over.

    Raises:
        MissingReply: If neither the row nor a fee-rate reply tells the rate.
        Malformed: If the row has no margin.
    """
    notional = held.value_at(mark)
    if held.maintenance_margin is None:
        raise Malformed("result.list", f"a maintenance margin of {held.symbol}", "nothing")
    residual = held.maintenance_margin - maintenance_margin(
        size_of(held.size, notional, table), notional, table
    )
    charged_on = held.value_at(held.entry_price) * bankruptcy_share(held)
    implied = residual / charged_on if charged_on else None
    if is_hedged:
        return Fee(fixed=residual, rate=published or ZERO, is_anchored=True)
    if published is not None and abs(residual - charged_on * published) <= _CUT:
        # Just the rule's own: without what the wire cut off.
        return Fee(fixed=charged_on * published, rate=published)
    if _is_fee(implied, published):
        return Fee(fixed=residual, rate=implied or published or ZERO)
    if has_orders:
        return Fee(fixed=residual, rate=published or ZERO, is_anchored=True)
    if published is None:
        raise MissingReply(
            f"the fee to close {held.symbol} can't be told from its row",
            call=calls.fee_rate(held.symbol, held.category).request,
        )
    return Fee(fixed=charged_on * published, rate=published)


def bankruptcy_share(held: Held) -> Decimal:
    """Value at the bankruptcy price ÷ value at entry; 1 where the leverage is not told."""
    if held.leverage is None:
        return ONE
    part = ONE / held.leverage
    loses_value = (held.side is Side.LONG) is not held.is_inverse
    return ONE - part if loses_value else ONE + part


def _is_fee(implied: Decimal | None, published: Decimal | None) -> bool:
    if implied is None:
        return False
    if published is None:
        return ZERO <= implied <= _HIGHEST_RATE
    return published * _LEAST <= implied <= published * MOST_TAXED
