"""
I/O. What receivers answered to a message, which apprise doesn't tell.

It makes of an answer a yes or no and a line in its log; how long to wait, and that nothing was
taken in spite of status 200, stand in what it drops. It sends with `requests`, so every answer
to a call of the present thread is looked at there as it comes. Nothing of an answer's text goes
further than to those who look for a word in it.

Source: RFC 9110 section 10.2.3, Retry-After; Telegram Bot API, «Making requests» and
«ResponseParameters»; Discord, «Rate Limits», `retry_after`. Read in November 2026.
"""

from __future__ import annotations

import json
import math
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LONGEST_LOOKED_AT = 65_536
_STATUSES_WITH_A_WAIT = frozenset({429, 503})
_CODES = range(400, 600)
_IN_LOG = re.compile(r"error=(\d{3})\b")
_WAIT = re.compile(r"retry[_ -]?after\W{0,4}(\d+(?:\.\d+)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    That a message was not taken, as far as the receiver said why.

    `status` is HTTP's, or what the answer names in its place; None where neither is known.
    `words` are the receiver's and apprise's own, to look for a word in; they may hold anything.
    `is_hidden`: behind a status that says that all is well. `is_page`: a page for a person to
    read, as firewalls and portals on the way give, and not a service to a program.
    """

    status: int | None
    words: str
    wait_seconds: float | None = None
    is_hidden: bool = False
    is_page: bool = False


_heard: ContextVar[list[Refusal] | None] = ContextVar("heard", default=None)


@contextmanager
def heard() -> Iterator[Sequence[Refusal]]:
    """The refusals among the answers to calls of this thread, as they come."""
    refusals: list[Refusal] = []
    token = _heard.set(refusals)
    try:
        yield refusals
    finally:
        _heard.reset(token)


def concluded(refusals: Sequence[Refusal], logged: str, *, is_taken: bool) -> Refusal | None:
    """
    What a send came to: None where the message was taken.

    Args:
        refusals: Those among the answers to it.
        logged: What apprise logged of it: all that is known of services without HTTP.
        is_taken: Apprise's own word for it.
    """
    # What was refused openly on the way to success was sent again by the plugin itself.
    counted = [each for each in refusals if each.is_hidden or not is_taken]
    if counted:
        return replace(counted[-1], words=f"{logged}\n{counted[-1].words}")
    if is_taken:
        return None
    status = _IN_LOG.search(logged)
    return Refusal(status=int(status.group(1)) if status else None, words=logged)


def _refusal(answer: requests.Response) -> Refusal | None:
    text = (answer.content or b"")[:_LONGEST_LOOKED_AT].decode("utf-8", "replace")
    said = _object(text)
    is_hidden = answer.ok and not answer.is_redirect
    status: int | None = answer.status_code
    if is_hidden:
        if said.get("ok") is not False:
            return None
        code = said.get("error_code")
        status = code if isinstance(code, int) and code in _CODES else None
    wait = _wait(answer.headers, said, text) if status in _STATUSES_WITH_A_WAIT else None
    is_page = not said and "html" in answer.headers.get("Content-Type", "").lower()
    return Refusal(
        status=status, words=text, wait_seconds=wait, is_hidden=is_hidden, is_page=is_page
    )


def _object(text: str) -> Mapping[str, object]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _wait(headers: Mapping[str, str], said: Mapping[str, object], text: str) -> float | None:
    """The longest of the waits that an answer names, in seconds; None where it names none."""
    more = said.get("parameters")
    named = [said.get("retry_after"), more.get("retry_after") if isinstance(more, dict) else None]
    header = headers.get("Retry-After", "")
    named += [header, _until(header, headers.get("Date", ""))]
    found = [wait for wait in map(_seconds, named) if wait is not None]
    in_words = _WAIT.search(text)
    if not found and in_words:
        return float(in_words.group(1))
    return max(found, default=None)


def _seconds(named: object) -> float | None:
    if isinstance(named, bool) or not isinstance(named, int | float | str):
        return None
    try:
        seconds = float(named)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(date: str, now: str) -> float | None:
    """Seconds to a date by the receiver's own clock; None where either can't be read."""
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return None


_plain_send = requests.Session.send


def _send(
    session: requests.Session, request: requests.PreparedRequest, **how: object
) -> requests.Response:
    answer = _plain_send(session, request, **how)
    refusals = _heard.get()
    if refusals is not None and not how.get("stream"):  # a stream is for its caller to read
        found = _refusal(answer)
        if found is not None:
            refusals.append(found)
    return answer


# The one place through which every plugin's `requests.post` goes: there is no hook for it.
requests.Session.send = _send  # type: ignore[method-assign,assignment]  # same call
