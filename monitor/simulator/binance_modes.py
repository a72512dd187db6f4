"""Another margin or position mode for a pretended Binance account, while it is watched."""

from dataclasses import replace

from monitor.simulator import binance_frames as frames
from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_ledger import PORTFOLIO_MODES

_MODES = frozenset({"single_asset", "multi_assets"}) | PORTFOLIO_MODES
_POSITION_MODES = frozenset({"one_way", "hedge"})


def change_mode(
    state: BinanceState, account: BinanceAccount, mode: str | None, position_mode: str | None
) -> None:
    """
    Give an account another mode; None leaves it.

    The asset mode is told on the private stream. Portfolio margin has a stream of its own: the
    futures' streams end.

    Raises:
        ValueError: If there is no such mode, or Binance refuses it as things stand.

    """
    spec = account.spec
    wanted = replace(
        spec, mode=mode or spec.mode, position_mode=position_mode or spec.position_mode
    )
    _check(account, wanted.mode, wanted.position_mode)
    before = account.ledger.multi_assets
    account.spec = account.ledger.spec = account.coin.spec = wanted
    if account.ledger.multi_assets != before:
        news = frames.config_update(state, multi_assets=account.ledger.multi_assets)
        account.streams["usd"].outbox.append(news)
    if account.spec.mode == "portfolio_margin":
        for name in ("usd", "coin"):
            account.streams[name].end_listen_key()
    state.world.record(
        "mode",
        exchange=spec.exchange,
        account=spec.name,
        mode=wanted.mode,
        position_mode=wanted.position_mode,
    )


def _check(account: BinanceAccount, mode: str, position_mode: str) -> None:
    if mode != account.spec.mode and not {mode, account.spec.mode} <= _MODES:
        raise ValueError(f"mode: from {account.spec.mode!r} to {mode!r} there is no way")
    if position_mode not in _POSITION_MODES:
        raise ValueError(f"position_mode: one of {', '.join(sorted(_POSITION_MODES))}")
    legs = (*account.ledger.legs, *account.coin.legs)
    if position_mode != account.spec.position_mode and legs:
        raise ValueError("position_mode: it can't be changed while a position is open")
    bound = legs if mode in PORTFOLIO_MODES else account.ledger.legs
    if mode != "single_asset" and any(leg.is_isolated for leg in bound):
        raise ValueError(f"mode: {mode!r} has no isolated positions")
