"""What is posted for an isolated position, or where it was entered, to stand at a given ratio."""

from dataclasses import replace
from decimal import Decimal
from random import Random

from monitor.simulator.bybit_account import Position, Prices
from monitor.simulator.bybit_isolated import liquidation_price
from monitor.simulator.bybit_ledger import position_figures, unrealised_pnl, value_at
from monitor.simulator.bybit_tables import INSTRUMENTS
from tests.end_to_end.random_bybit_text import Draft, Leg, digits

D = Decimal
_HALVINGS = 80


def posted(draft: Draft, prices: Prices, aims: tuple[float, float], random: Random) -> bool:
    """Bring each leg to a ratio of its own between the two; False where one can't be."""
    for leg in draft.legs:
        rate = draft.charged_rate
        target = D(str(round(random.uniform(*aims), 6)))
        added = random.random() < 0.5
        if not (added and _added(leg, prices, target, rate)) and not _entered(
            leg, prices, target, rate
        ):
            return False
        if _price(leg) is None:  # then the wire would not tell what was added
            return False
        settle = INSTRUMENTS[leg.symbol].settle
        draft.wallets[settle] = draft.wallets.get(settle, D(0)) + (leg.posted or D(0)) * 2
    draft.wallets = {coin: digits(amount) for coin, amount in draft.wallets.items()}
    return True


def _added(leg: Leg, prices: Prices, target: Decimal, rate: Decimal) -> bool:
    """Add margin until maintenance by balance is the target; False where too much is there."""
    extra = _maintenance(leg, prices, leg.entry, rate) / target - _balance(
        leg, prices, leg.entry, rate
    )
    if extra <= 0:
        return False
    it = INSTRUMENTS[leg.symbol]
    leg.posted = digits(value_at(it, leg.contracts, leg.entry) / leg.leverage + extra)
    return True


def _entered(leg: Leg, prices: Prices, target: Decimal, rate: Decimal) -> bool:
    """Move the entry until the initial margin and the PnL alone come to the target."""
    it = INSTRUMENTS[leg.symbol]
    mark = prices.mark(it)
    # Where the loss eats all of the initial margin, and where there is no loss at all.
    worst, best = (mark * 2, mark / 2) if leg.side == "long" else (mark / 2, mark * 2)

    def lacks(entry: Decimal) -> bool:
        return _balance(leg, prices, entry, rate) * target < _maintenance(leg, prices, entry, rate)

    if not lacks(worst) or lacks(best):
        return False
    for _ in range(_HALVINGS):
        middle = (worst + best) / 2
        worst, best = (middle, best) if lacks(middle) else (worst, middle)
    leg.entry = digits(best)
    leg.posted = digits(value_at(it, leg.contracts, leg.entry) / leg.leverage)
    return leg.posted > 0


def _balance(leg: Leg, prices: Prices, entry: Decimal, rate: Decimal) -> Decimal:
    """Initial margin with the fee to close, and the PnL; nothing added."""
    position = _position(leg, entry)
    mark = prices.mark(INSTRUMENTS[leg.symbol])
    return _figures(leg, prices, entry, rate).initial_margin + unrealised_pnl(position, mark)


def _maintenance(leg: Leg, prices: Prices, entry: Decimal, rate: Decimal) -> Decimal:
    return _figures(leg, prices, entry, rate).maintenance_margin


def _figures(leg: Leg, prices: Prices, entry: Decimal, rate: Decimal):
    mark = prices.mark(INSTRUMENTS[leg.symbol])
    return position_figures(_position(leg, entry), mark, rate, isolated=True)


def _price(leg: Leg) -> Decimal | None:
    position = _position(leg, leg.entry)
    return liquidation_price(replace(position, isolated_margin=leg.posted or D(0)))


def _position(leg: Leg, entry: Decimal) -> Position:
    return Position(
        symbol=leg.symbol,
        side="Buy" if leg.side == "long" else "Sell",
        size=leg.contracts,
        entry=entry,
        leverage=leg.leverage,
    )
