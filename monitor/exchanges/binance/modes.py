"""
Which kind of account it is, found out from what Binance answers, and its mode in words.

An account is asked about before its wallets are: portfolio margin has endpoints of its own,
and plain futures endpoints may refuse it. Where the flag's call is refused, the portfolio
account is asked for itself; a call that is refused proves nothing.

Source: Binance «Account info (USER_DATA)», «Portfolio Margin Pro Account Info», «Account
Configuration», read November 2026; credits mode by the asset that only it has
(QuantConnect/Lean #9373).
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from monitor.exchanges.binance import coin, portfolio_calls
from monitor.exchanges.binance.account import (
    Product,
    optional_answer,
)
from monitor.exchanges.binance.calls import ACCOUNT_KIND, PRO_ACCOUNT
from monitor.exchanges.binance.indexes import CREDIT_ASSET
from monitor.exchanges.binance.portfolio import serves
from monitor.exchanges.payload import Row

if TYPE_CHECKING:
    from monitor.exchanges.binance.account import Config
    from monitor.exchanges.binance.portfolio import Portfolio
    from monitor.exchanges.call import Replies, RestCall

_FLAG = "isPortfolioMarginRetailEnabled"
_RETAIL, _PRO = "PM_2", "PM_1"
# From here on Binance closes positions: that is no shade of a mode, it is another.
_ENDING = frozenset({"ACTIVE_LIQUIDATION", "FORCE_LIQUIDATION", "BANKRUPTED"})


class Kind(Enum):
    """Which wallets an account has."""

    FUTURES = "futures wallets"
    PORTFOLIO = "portfolio margin"
    PORTFOLIO_PRO = "portfolio margin Pro"


def kind_calls(replies: Replies) -> tuple[RestCall, ...]:
    """The calls still wanted before it can be said what kind of account it is."""
    wanted = tuple(call for call in (ACCOUNT_KIND, PRO_ACCOUNT) if not replies.tried(call))
    if wanted or replies.has(ACCOUNT_KIND) or replies.tried(portfolio_calls.ACCOUNT):
        return wanted
    return (replace(portfolio_calls.ACCOUNT, optional=True),)


def read_kind(replies: Replies) -> Kind:
    """
    The account's kind.

    Raises:
        Malformed: If the flag is neither true nor false.
    """
    named = _account_type(replies)
    if named is not None:
        return Kind.PORTFOLIO if named == _RETAIL else Kind.PORTFOLIO_PRO
    told = optional_answer(replies, ACCOUNT_KIND)
    flagged = isinstance(told, dict) and Row(told, "account.info").has(_FLAG)
    if flagged and Row(told, "account.info").boolean(_FLAG):
        return Kind.PORTFOLIO
    if serves(replies, portfolio_calls.ACCOUNT):
        return Kind.PORTFOLIO
    # Wallets that only a portfolio has: what tells of the whole is missing, not the portfolio.
    if optional_answer(replies, portfolio_calls.PRO_BALANCE):
        return Kind.PORTFOLIO_PRO
    return Kind.FUTURES


def _account_type(replies: Replies) -> str | None:
    """Binance's PM_1 is Pro, PM_2 the plain one, any other another form of Pro."""
    told = optional_answer(replies, PRO_ACCOUNT)
    if not isinstance(told, dict):
        return None
    return Row(told, "portfolio.account").optional_text("accountType")


def has_formula(replies: Replies) -> bool:
    """
    Whether a portfolio's requirement is the published sum over futures and loans.

    It is but for a third type of account, PM Pro SPAN, whose rule is not.
    """
    return _account_type(replies) in {None, _RETAIL, _PRO}


def kind_is_told(replies: Replies) -> bool:
    """Whether Binance said of which kind the account is, one way or the other."""
    return optional_answer(replies, ACCOUNT_KIND) is not None or read_kind(replies) is not (
        Kind.FUTURES
    )


def is_credits(assets: object) -> bool:
    """Whether a wallet's assets hold the one that only credits mode has."""
    return isinstance(assets, dict) and CREDIT_ASSET in assets


def futures_words(
    config: Config | None,
    products: tuple[Product, ...],
    unread: tuple[str, ...],
    *,
    in_credits: bool,
) -> str:
    """
    The mode of an account with futures wallets.

    ``USDⓈ-M single-asset and COIN-M, one-way; not read: account kind``
    """
    sides = []
    if Product.USDM in products:
        many = config is not None and config.multi_assets
        shared = "Multi-Assets Mode" if many else "single-asset"
        sides.append(f"{Product.USDM.value} {'Credits Trading Mode' if in_credits else shared}")
    if Product.COINM in products:
        sides.append(Product.COINM.value)
    words = " and ".join(sides)
    if config is not None:
        words += ", hedge" if config.hedge else ", one-way"
    return words + (f"; not read: {', '.join(unread)}" if unread else "")


def portfolio_words(portfolio: Portfolio, *, hedge: bool | None) -> str:
    """``portfolio margin, one-way``, with the account's status once Binance liquidates."""
    words = (Kind.PORTFOLIO_PRO if portfolio.is_pro else Kind.PORTFOLIO).value
    if hedge is not None:
        words += ", hedge" if hedge else ", one-way"
    status = portfolio.whole.status
    return f"{words} ({status})" if status in _ENDING else words


def unread_parts(replies: Replies, products: tuple[str, ...] | None) -> tuple[str, ...]:
    """What of an account with futures wallets could not be looked at, in words."""
    parts = []
    if products is None and not coin.is_readable(replies):
        parts.append(Product.COINM.value)
    if not kind_is_told(replies):
        parts.append("account kind")
    return tuple(parts)
