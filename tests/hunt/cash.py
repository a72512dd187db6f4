"""
What an exchange takes or gives by itself: funding, which its stream tells, and a fee, which none.

Funding is the simulator's own: told on Binance by an ACCOUNT_UPDATE with the wallet alone, on
Bybit by an execution and the wallet, on OKX by balance_and_position. The fee stands for what is
seen by REST only.

Sources: Binance "Event: Balance and Position Update"; Bybit V5 "Execution", "Wallet"; OKX
"Balance and position channel".
"""

from decimal import Decimal
from typing import Any

from monitor.simulator import bybit_changes, okx_changes
from monitor.simulator.bybit_cash import transfer
from monitor.simulator.bybit_tables import INSTRUMENTS as BYBIT
from monitor.simulator.okx_tables import INSTRUMENTS as OKX
from monitor.simulator.truth import PoolTruth, PositionTruth
from monitor.simulator.world import Exchange

_MOST = Decimal("0.5")
_UNIT = Decimal("0.000001")
_ZERO = Decimal(0)


def funding(exchange: Exchange, account: str, ratio: Decimal) -> str:
    """
    Charge the funding that brings the account's worst pool to about this ratio.

    Gives it in words, nothing where no perpetual position could pay it.
    """
    found = _worst(exchange, account)
    if found is None:
        return ""
    wanted = _loss(found, ratio)
    for name, paying in _by_name(exchange.name, found).items():
        net = sum((_signed(each) for each in paying), _ZERO)
        rate = (wanted / net).quantize(Decimal("1e-10")) if net else _ZERO
        if 0 < abs(rate) <= _MOST:
            _CHARGED[exchange.name](exchange, account, name, rate)
            return f"{name} {rate}"
    return ""


def fee(exchange: Exchange, account: str, ratio: Decimal) -> str:
    """Take what brings the worst pool to about this ratio, or give it; nothing is announced."""
    found = _worst(exchange, account)
    if found is None or found.pool.startswith("isolated"):
        return ""
    coin = "USDT" if found.unit == "USD" else found.unit
    amount = -_loss(found, ratio).quantize(_UNIT)
    _TAKEN[exchange.name](exchange, account, coin, amount)
    return f"{coin} {amount}"


def _worst(exchange: Exchange, account: str) -> PoolTruth | None:
    """The pool with positions that stands highest."""
    pools = [pool for pool in exchange.pools(account) if pool.positions and pool.ratio.is_finite()]
    return max(pools, key=lambda pool: pool.ratio, default=None)


def _loss(pool: PoolTruth, ratio: Decimal) -> Decimal:
    """What the pool has to lose for that; negative where it has to gain."""
    return pool.margin_balance - pool.maintenance_margin / ratio


def _signed(position: PositionTruth) -> Decimal:
    return position.notional if position.side == "long" else -position.notional


def _by_name(exchange: str, pool: PoolTruth) -> dict[str, list[PositionTruth]]:
    """The perpetual positions by what has a rate of its own: a symbol, or a coin."""
    found: dict[str, list[PositionTruth]] = {}
    for position in pool.positions:
        symbol = position.exchange_symbol
        if exchange == "binance" and ("_" not in symbol or symbol.endswith("_PERP")):
            found.setdefault(symbol, []).append(position)
        elif exchange == "bybit" and symbol in BYBIT and not BYBIT[symbol].delivery_ms:
            found.setdefault(BYBIT[symbol].base, []).append(position)
        elif exchange == "okx" and symbol in OKX and OKX[symbol].kind == "SWAP":
            found.setdefault(OKX[symbol].base, []).append(position)
    return found


# --- by exchange; what is asked of each is inside of it


def _binance(exchange: Any, account: str, symbol: str, rate: Decimal) -> None:
    exchange._steering.charge_funding(account, symbol, rate)
    exchange._stream.push_private()


def _bybit(exchange: Any, account: str, base: str, rate: Decimal) -> None:
    owner = exchange._state.by_name(account)
    bybit_changes.funded(owner, exchange._moment(), lambda of: rate if of == base else _ZERO)


def _okx(exchange: Any, account: str, base: str, rate: Decimal) -> None:
    state = exchange._state
    state.set_funding_rate(None, _ZERO)
    state.set_funding_rate(base, rate)
    okx_changes.charge_funding(state, state.by_name(account))
    state.set_funding_rate(base, _ZERO)


def _from_binance(exchange: Any, account: str, coin: str, amount: Decimal) -> None:
    owner = exchange._state.by_name(account)
    only_coin = coin in owner.coin.assets() and coin not in owner.ledger.assets()
    wallets = (owner.coin if only_coin else owner.ledger).cross_wallets
    wallets[coin] = wallets.get(coin, _ZERO) + amount


def _from_bybit(exchange: Any, account: str, coin: str, amount: Decimal) -> None:
    transfer(exchange._state.by_name(account).ledger, coin, amount, exchange._state.server_ms())


def _from_okx(exchange: Any, account: str, coin: str, amount: Decimal) -> None:
    cash = exchange._state.by_name(account).ledger.cash
    cash[coin] = cash.get(coin, _ZERO) + amount


_CHARGED = {"binance": _binance, "bybit": _bybit, "okx": _okx}
_TAKEN = {"binance": _from_binance, "bybit": _from_bybit, "okx": _from_okx}
