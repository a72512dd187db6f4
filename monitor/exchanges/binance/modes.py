"""
Which kinds of account have no rules here: each is named, in Binance's words.

Source: Binance «Multi-Assets Mode», «Portfolio Margin Program», «Account info (USER_DATA)»,
read November 2026; credits mode by the asset that only it has (QuantConnect/Lean #9373).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import Unmodelled
from monitor.exchanges.binance.account import optional_answer
from monitor.exchanges.binance.calls import ACCOUNT_KIND
from monitor.exchanges.binance.errors import read_error
from monitor.exchanges.payload import Row

if TYPE_CHECKING:
    from monitor.exchanges.binance.account import Config
    from monitor.exchanges.port import Replies

_CREDIT_ASSET = "BNFCR"


def refuse_portfolio_margin(replies: Replies) -> None:
    """
    Raises Unmodelled if the account's flag says so, or if its portfolio endpoints answer.

    The flag's call may be refused to a key that watches futures well: no answer is no proof.
    """
    kind = optional_answer(replies, ACCOUNT_KIND)
    flag = "isPortfolioMarginRetailEnabled"
    told = isinstance(kind, dict) and Row(kind, "account.info").has(flag)
    enabled = told and Row(kind, "account.info").boolean(flag)
    shown = any(
        reply.path.startswith(("/papi/", "/sapi/v1/portfolio/"))
        and read_error(reply.status, {}, reply.body) is None
        for reply in replies
    )
    if enabled or shown:
        raise Unmodelled(
            "this is a portfolio margin account: portfolio margin is not watched. Watch the "
            "account with Binance's own uniMMR alerts, or leave portfolio margin",
            whole_account=True,
        )


def refuse_multi_assets(config: Config) -> None:
    """Raises Unmodelled if all collateral counts together, in USD."""
    if config.multi_assets:
        raise Unmodelled(
            "the account is in Multi-Assets Mode, which is not watched: only Single-Asset Mode "
            "is. Change the asset mode in the preferences of Binance's futures page, or don't "
            "rely on this monitor for the account",
            whole_account=True,
        )


def refuse_credits(*assets: str | None) -> None:
    """Raises Unmodelled if the asset of Binance's credits mode is among these."""
    if _CREDIT_ASSET in assets:
        raise Unmodelled(
            f"the account trades on futures credits ({_CREDIT_ASSET}, Credits Trading Mode), "
            "which is not watched: all its collateral counts together",
            whole_account=True,
        )
