"""
What OKX's private channels say of an account: whole, and of a change only what it touched.

Knows rows and what stands in them; who is told, and when, is `okx_stream`'s affair. Of every
coin and position it is kept when it last changed, and by which trade: that is what their rows
say, however often they are repeated.
"""

from collections.abc import Collection, Iterable

from monitor.simulator import okx_balance as balances
from monitor.simulator import okx_rows as rows
from monitor.simulator.okx_accounts import OkxAccount, OkxState
from monitor.simulator.okx_ledger import figures
from monitor.simulator.okx_orders import text

Row = dict[str, object]
_FIRST_TRADE = 269_691_532


def position_rows(state: OkxState, account: OkxAccount) -> list[Row]:
    """All open positions of an account, as REST and stream show them."""
    prices, at_ms = state.prices(), state.server_ms()
    now = figures(account.ledger, prices)
    found = [rows.position(account.ledger, now, mine, prices, at_ms) for mine in now.positions]
    found += [rows.other_position(other, at_ms) for other in account.ledger.others]
    return [_stamped(state, account, row) for row in found]


def balance_row(state: OkxState, account: OkxAccount) -> Row:
    """`data[0]` of the balance, as REST shows it."""
    return _balance(state, account, streamed=False)


def account_row(state: OkxState, account: OkxAccount, coins: Collection[str] | None = None) -> Row:
    """`data[0]` of the account channel, of these coins or of all."""
    row = _balance(state, account, streamed=True)
    if coins is None:
        return row
    return row | {"details": [one for one in _details(row) if one["ccy"] in coins]}


def _balance(state: OkxState, account: OkxAccount, *, streamed: bool) -> Row:
    now = figures(account.ledger, state.prices())
    row = balances.balance(account.ledger, now, state.server_ms())
    if streamed:
        row = balances.as_streamed(row, now)
    changed = [
        one | {"uTime": str(account.changed_ms.get(str(one["ccy"]), state.started_ms))}
        for one in _details(row)
    ]
    return row | {"details": changed}


def _details(row: Row) -> list[Row]:
    found = row["details"]
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _stamped(state: OkxState, account: OkxAccount, row: Row) -> Row:
    pos_id = str(row["posId"])
    changed_ms = account.changed_ms.get(pos_id, state.started_ms)
    trade = account.trades.get(pos_id, str(row["tradeId"]))
    return row | {"uTime": str(changed_ms), "tradeId": trade}


def balance_and_position(
    state: OkxState,
    account: OkxAccount,
    event: str,
    *,
    coins: Collection[str] | None = None,
    positions: Iterable[Row] | None = None,
) -> Row:
    """`data[0]` of the fastest channel: these coins' cash and positions, or all of them."""
    cash = account.ledger.cash
    wanted = cash if coins is None else [ccy for ccy in cash if ccy in coins]
    found = position_rows(state, account) if positions is None else positions
    told = [position_event(row) for row in found]
    traded = event not in {"snapshot", "transferred", "funding_fee"}
    return {
        "pTime": str(state.server_ms()),
        "eventType": event,
        "balData": [
            {
                "ccy": ccy,
                "cashBal": text(cash[ccy]),
                "uTime": str(account.changed_ms.get(ccy, state.started_ms)),
            }
            for ccy in wanted
        ],
        "posData": told,
        "trades": [{"instId": row["instId"], "tradeId": row["tradeId"]} for row in told]
        if traded
        else [],
    }


def position_event(row: Row) -> Row:
    """A position as `balance_and_position` words it."""
    kept = (
        "posId tradeId instId instType mgnMode posSide pos ccy posCcy avgPx nonSettleAvgPx "
        "settledPnl baseBal quoteBal uTime"
    )
    return {name: row[name] for name in kept.split()}


def next_trade(account: OkxAccount, pos_id: str) -> str:
    """Note a trade of a position and give its id, which no other one has."""
    account.trades_done += 1
    account.trades[pos_id] = str(_FIRST_TRADE + account.trades_done)
    return account.trades[pos_id]


def tell(  # noqa: PLR0913 - what was touched, and by what
    state: OkxState,
    account: OkxAccount,
    event: str,
    *,
    coins: Collection[str] = (),
    pos_ids: Collection[str] = (),
    closed: Iterable[Row] = (),
) -> None:
    """
    Queue what the private channels say of a change of these coins and positions.

    `closed` are the last rows of positions that are gone.
    """
    at_ms = state.server_ms()
    account.changed_ms |= dict.fromkeys([*coins, *pos_ids], at_ms)
    touched = [row for row in position_rows(state, account) if row["posId"] in pos_ids]
    touched += [_stamped(state, account, row) | {"uTime": str(at_ms)} for row in closed]
    both = balance_and_position(state, account, event, coins=coins, positions=touched)
    account.outbox.append(("balance_and_position", both))
    for row in touched:
        account.outbox.append(("positions", row | {"pTime": str(at_ms)}))
    account.outbox.append(("account", account_row(state, account, coins)))
