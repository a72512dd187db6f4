"""
What the headers of Binance's answers tell of a limit: all that this address used of it.

Every answer counts all programs behind the address, in the exchange's present minute.

Source: Binance «USDS Margined Futures, General Info: IP Limits» (X-MBX-USED-WEIGHT-1M) and
«Wallet, General Info: Limits» (X-SAPI-USED-IP-WEIGHT-1M), read November 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.exchanges.binance.calls import WALLET_BUDGET
from monitor.exchanges.call import Used

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.exchanges.call import RestCall

_OF_WALLET = "x-sapi-used-ip-weight-1m"
_OF_OTHERS = "x-mbx-used-weight-1m"


def read_use(call: RestCall, headers: Mapping[str, str]) -> Used | None:
    """``X-MBX-USED-WEIGHT-1M: 27`` → 27 of the limit that the call counts against."""
    header = _OF_WALLET if call.budget == WALLET_BUDGET else _OF_OTHERS
    text = headers.get(header, "").strip()
    if not re.fullmatch(r"\d{1,7}", text):
        return None
    return Used(budget=call.budget, used=int(text), limit=call.budget.per_minute)
