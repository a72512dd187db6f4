"""
I/O. A Telegram group that became a supergroup has another chat id: found out, and switched to.

apprise says only that a send failed. Telegram's answer names the new id
(`parameters.migrate_to_chat_id`), so it is asked once more about that chat alone.

Source: Telegram Bot API, «ResponseParameters» and «getChat», read November 2026.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import requests
from apprise.plugins.telegram import NotifyTelegram

if TYPE_CHECKING:
    from apprise import NotifyBase

_UPGRADED = re.compile(r"upgraded to a supergroup", re.IGNORECASE)
_LONGEST_ANSWER = 65_536


def switched(service: NotifyBase, logged: str, seconds: float) -> tuple[str, ...]:
    """
    The new ids of those chats of a service that have moved; from now on it sends to these.

    Args:
        logged: What apprise logged of a failed send; only where that tells of an upgrade is
            anything asked.
        seconds: How long an answer may take.
    """
    if not isinstance(service, NotifyTelegram) or not _UPGRADED.search(logged):
        return ()
    found: list[str] = []
    targets = []
    for chat, topic in service.targets:
        new = _new_id(service, str(chat), seconds)
        found += [] if new is None else [new]
        targets.append((chat if new is None else new, topic))
    service.targets = targets
    return tuple(found)


def _new_id(service: NotifyTelegram, chat: str, seconds: float) -> str | None:
    """The id that a chat has moved to; None where it has not, or Telegram can't be asked."""
    try:
        with requests.post(
            f"{service.notify_url}{service.bot_token}/getChat",
            json={"chat_id": chat},
            timeout=seconds,
            allow_redirects=False,
            stream=True,
        ) as answer:
            text = answer.raw.read(_LONGEST_ANSWER, decode_content=True)
        said = json.loads(text)
    # Its text holds the address, and with it the token: it goes nowhere.
    except (requests.RequestException, OSError, ValueError, RecursionError):
        return None
    told = said.get("parameters") if isinstance(said, dict) else None
    new = told.get("migrate_to_chat_id") if isinstance(told, dict) else None
    return str(new) if isinstance(new, int) and not isinstance(new, bool) else None
