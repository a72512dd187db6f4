"""
What an OKX key may do, and the exchange's clock.

Knows the account configuration's words on the key; must not know balances or positions.

Source: OKX API guide, «Get account configuration» (`perm`, `ip`), «Get system time», copies
of July 2026. OKX tells no date of expiry: a key that may trade or withdraw and is bound to no
IP address lapses after 14 idle days, one that only reads does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.exchanges.okx.calls import CONFIG, TIME
from monitor.exchanges.okx.envelope import body_rows, only_row, reading, rows
from monitor.exchanges.port import Permissions

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.exchanges.call import Replies

READ: Final = "read_only"
HINT: Final = (
    "On OKX, create an API key with the permission «Read» alone: leave «Trade» and «Withdraw» "
    "unticked, and bind it to this machine's IP address. The passphrase that you choose there "
    "is needed too."
)


def read_permissions(replies: Replies) -> Permissions:
    """
    The key's powers beyond reading, in OKX's words.

    ``{"perm": "read_only,withdraw,trade", "ip": "", …}``; an empty `ip` binds the key to none.

    Raises:
        MissingReply, Malformed: If the configuration is not there, or can't be read.
    """
    reply = replies.get(CONFIG)
    with reading(CONFIG):
        row = only_row(rows(reply))
        granted = [word.strip() for word in row.text("perm").split(",") if word.strip()]
        row.raw("ip")
        return Permissions(
            powers=tuple(word for word in granted if word != READ),
            missing=() if READ in granted else (READ,),
            ip_bound=row.has("ip"),
        )


def read_time(body: object) -> datetime:
    """
    OKX's clock, from ``{"code": "0", "msg": "", "data": [{"ts": "1597026383085"}]}``.

    Raises:
        Unreachable, Refused, Malformed: If it is no such answer.
    """
    with reading(TIME):
        return only_row(body_rows(body)).time("ts")
