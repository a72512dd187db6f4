"""I/O. What an account's key may do, looked at every five minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.engine.events import KeyRightsRead
from monitor.errors import ExchangeError, Refused
from monitor.exchanges.call import Replies

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.exchanges.port import Exchange
    from monitor.exchanges.rest import RestClient

log = structlog.get_logger()

RIGHTS_EVERY = timedelta(minutes=5)
RIGHTS_AGAIN_AFTER = timedelta(minutes=5)


class KeyRights:
    """
    The rights of one account's key.

    `was_watched`: whether this account's figures were given once. `allow_trading_key`: its
    owner allows a key that may do more than read.
    """

    def __init__(  # noqa: PLR0913 - what it is joined to
        self,
        account: str,
        *,
        exchange: Exchange,
        rest: RestClient,
        now: Callable[[], datetime],
        was_watched: Callable[[], bool],
        allow_trading_key: bool,
    ) -> None:
        self._account = account
        self._exchange = exchange
        self._rest = rest
        self._now = now
        self._was_watched = was_watched
        self._allow_trading_key = allow_trading_key
        self._due_at: datetime | None = None

    async def read(self) -> KeyRightsRead | None:
        """
        What the key may do; None where it is not time to ask, or where that could not be read.

        An account that was watched before is watched on, whatever its key may do.

        Raises:
            Refused: If it may do more than read, for an account never watched.
            ExchangeError: If it can't be read, for an account never watched.
        """
        now = self._now()
        if self._due_at is not None and now < self._due_at:
            return None
        try:
            calls = self._exchange.permission_calls
            replies = Replies([await self._rest.call(call) for call in calls])
            rights = self._exchange.read_permissions(replies)
        except ExchangeError as error:
            if not self._was_watched():
                raise
            log.warning("rights.unread", account=self._account, because=str(error))
            self._due_at = now + RIGHTS_AGAIN_AFTER
            return None
        if rights.powers and not (self._allow_trading_key or self._was_watched()):
            raise Refused(
                f"this key may do more than read ({', '.join(rights.powers)}). Use a read-only "
                "key, or set allow_trading_key = true for this account"
            )
        self._due_at = now + RIGHTS_EVERY
        return KeyRightsRead(
            powers=rights.powers,
            allowed=self._allow_trading_key,
            missing=rights.missing,
            expires_at=rights.expires_at,
            at=self._now(),
        )
