"""
How many accounts this machine's address can carry at an exchange, for `check`.

By the published limits, the share of them that steady reading may use, and what the calls of
the accounts that were just read weigh. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.exchanges.call import Depth
from monitor.service.findings import Check
from monitor.service.polling import LATEST_SHARE, carried

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.exchanges.call import Budget, RestCall
    from monitor.settings import Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one account's reading is made of, and how often it is configured to be read."""

    calls: tuple[RestCall, ...]
    whole: Budget | None
    poll_seconds: float


def capacity(host: str, asked: Sequence[Asked], configured: int, budgets: Budgets) -> Check | None:
    """
    The line about one host; None where no account of it could be read.

    It fails where more are configured than fit even when each is read as seldom as its budget
    allows. An account counts as the mean of those that were read.
    """
    if not asked:
        return None
    longest = LATEST_SHARE * budgets.account_seconds
    usual = sum(each.poll_seconds for each in asked) / len(asked)
    as_configured = _mean(asked, budgets.limits_share, usual, Depth.WHOLE)
    polled = _mean(asked, budgets.limits_share, max(usual, longest), Depth.CALM)
    heard = _mean(asked, budgets.limits_share, max(usual, longest), Depth.HEARD)
    # An address of one's own is as long as may be: it goes where there is room for it.
    here = "" if "://" not in host else f" (at {host})"
    what = "request limits" if here else f"request limits of {host}"
    if as_configured is None or polled is None or heard is None:
        return Check(what=what, ok=True, found=f"no limit there counts by address{here}")
    share = f"{budgets.limits_share:.0%} of the published limits"
    found = (
        f"{configured} configured; {share} carry {as_configured} like these from this address at "
        f"{usual:g} s each, {polled} at {longest:.0f} s each, {heard} while their own streams "
        f"are heard{here}"
    )
    if configured > heard:
        found += ". That is too many: watch some of them from another machine"
    elif configured > as_configured:
        found += ". Calm accounts will be read less often than configured"
    return Check(what=what, ok=configured <= heard, found=found)


def _mean(asked: Sequence[Asked], share: float, seconds: float, depth: Depth) -> int | None:
    """As many of all these together as fit, each counting as one."""
    calls = tuple(call for each in asked for call in each.calls)
    whole = asked[0].whole
    return carried(calls, share * len(asked), seconds=seconds, depth=depth, whole=whole)
