"""
What a key may do, by Binance's own flags.

Any flag `enable…` or `permits…` that is on and not known to be harmless is a power: a right
that Binance adds later counts as one until it is looked at.

Source: Binance «Wallet: Get API Key Permission (USER_DATA)», read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.exchanges.binance.account import answer
from monitor.exchanges.binance.calls import WALLET_BUDGET
from monitor.exchanges.call import RestCall
from monitor.exchanges.payload import Row
from monitor.exchanges.port import Permissions

if TYPE_CHECKING:
    from monitor.exchanges.call import Replies

RESTRICTIONS = RestCall(
    implicit="sapiGetAccountApiRestrictions",
    path="/sapi/v1/account/apiRestrictions",
    weight=1,
    budget=WALLET_BUDGET,
    max_age_seconds=3600,
)

HINT = (
    "In Binance's API Management tick «Enable Reading» only, and restrict access to trusted "
    "IPs. The key must be younger than the futures account."
)

_READING = "enableReading"
_HARMLESS = frozenset({_READING, "enableFixReadOnly"})


def read_permissions(replies: Replies) -> Permissions:
    """
    The key's powers beyond reading; a Binance key tells no expiry.

    ``{"ipRestrict": false, "createTime": 1698645219000, "enableReading": true,
    "enableWithdrawals": false, "enableFutures": false, "permitsUniversalTransfer": false, …}``

    Raises:
        Malformed: If a flag is missing that must be there, or one is neither true nor false.
    """
    row = Row(answer(replies, RESTRICTIONS), "apiRestrictions")
    flags = [key for key in row.keys() if key.startswith(("enable", "permits"))]  # noqa: SIM118
    powers = tuple(flag for flag in flags if flag not in _HARMLESS and row.boolean(flag))
    missing = () if row.boolean(_READING) else (_READING,)
    return Permissions(powers=powers, missing=missing, ip_bound=row.boolean("ipRestrict"))
