"""
What a user may switch in a Bybit account: margin mode, position mode, the upgrade to unified.

Source: Bybit V5 "Set Margin Mode" and "Switch Position Mode": the former goes with positions
open, the latter only without any.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from monitor.simulator.bybit_account import ZERO, Account
from monitor.simulator.bybit_tables import has_legs

MARGIN_MODES = {
    "cross": "REGULAR_MARGIN",
    "isolated": "ISOLATED_MARGIN",
    "portfolio": "PORTFOLIO_MARGIN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """
    What is to be switched; None stays as it is.

    `fixed_im` and `fixed_mm`, in USD, come with portfolio margin.
    """

    margin_mode: str | None = None
    hedge: bool | None = None
    unified_status: int | None = None
    fixed_im: Decimal = ZERO
    fixed_mm: Decimal = ZERO

    @classmethod
    def read(cls, body: Mapping[str, object]) -> "Switch":
        """
        What a steering call asks for.

        Raises:
            ValueError: If it is none of what there is.
        """
        mode, legs = body.get("margin_mode"), body.get("position_mode")
        if mode is not None and mode not in MARGIN_MODES:
            raise ValueError(f"margin_mode: one of {', '.join(MARGIN_MODES)}, got {mode!r}")
        if legs not in {None, "one_way", "hedge"}:
            raise ValueError(f"position_mode: one_way or hedge, got {legs!r}")
        status = body.get("unified_status")
        try:
            return cls(
                margin_mode=None if mode is None else str(mode),
                hedge=None if legs is None else legs == "hedge",
                unified_status=None if status is None else int(str(status)),
                fixed_im=Decimal(str(body.get("fixed_im", 0))),
                fixed_mm=Decimal(str(body.get("fixed_mm", 0))),
            )
        except InvalidOperation as error:
            raise ValueError("fixed_im and fixed_mm: numbers") from error


def apply(account: Account, switch: Switch) -> None:
    """
    Switch it; in another margin mode nothing stays posted for a single position.

    Raises:
        ValueError: If open positions or orders forbid the other position mode.
    """
    if switch.hedge is not None and switch.hedge != account.hedge:
        symbols = [it.symbol for it in account.positions] + [it.symbol for it in account.orders]
        if any(has_legs(symbol) for symbol in symbols):
            raise ValueError("position_mode: there are open positions or orders")
        account.hedge = switch.hedge
    if switch.margin_mode is not None:
        account.margin_mode = MARGIN_MODES[switch.margin_mode]
        account.positions[:] = [replace(it, isolated_margin=ZERO) for it in account.positions]
        account.declared_im, account.declared_mm = switch.fixed_im, switch.fixed_mm
    if switch.unified_status is not None:
        account.unified_status = switch.unified_status
