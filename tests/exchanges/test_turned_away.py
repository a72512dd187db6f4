"""What a host says that lets no connection in."""

from __future__ import annotations

import pytest

from monitor.exchanges.turned_away import wait_seconds, words

DATE = "Mon, 23 Nov 2026 12:00:00 GMT"
IN_A_MINUTE = "Mon, 23 Nov 2026 12:01:00 GMT"
HOUR = 3600


@pytest.mark.parametrize(
    ("what", "status", "headers", "seconds"),
    [
        ("as asked for", 429, {"Retry-After": "30"}, 30),
        ("of a firewall too", 403, {"Retry-After": " 120 "}, 120),
        ("parts of a second", 429, {"Retry-After": "0.5"}, 0.5),
        ("a ban of three days to its end", 418, {"Retry-After": "259200"}, 3 * 24 * HOUR),
        ("no ban is longer", 418, {"Retry-After": "999999999999"}, 3 * 24 * HOUR),
        ("an hour where it is no ban", 429, {"Retry-After": "86400"}, HOUR),
        ("an hour of a firewall", 403, {"Retry-After": "3601"}, HOUR),
        ("a date by their own clock", 429, {"Retry-After": IN_A_MINUTE, "Date": DATE}, 60),
        ("a date that is over", 429, {"Retry-After": DATE, "Date": IN_A_MINUTE}, None),
        ("a date by no clock", 429, {"Retry-After": IN_A_MINUTE}, None),
        ("nothing", 429, {}, None),
        ("no wait at all", 429, {"Retry-After": "0"}, None),
        ("less than nothing", 429, {"Retry-After": "-5"}, None),
        ("no number", 429, {"Retry-After": "soon"}, None),
        ("other digits", 429, {"Retry-After": "\u0663\u0660"}, None),
        ("a number as nobody writes it", 429, {"Retry-After": "1e9"}, None),
        ("digits without end", 429, {"Retry-After": "9" * 400}, None),
        ("infinity", 429, {"Retry-After": "inf"}, None),
        ("a busy host keeps nobody from the usual tries", 503, {"Retry-After": "30"}, None),
    ],
)
def test_the_wait_that_is_kept_to(
    what: str, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert wait_seconds(status, headers) == seconds, what


def test_a_status_is_told_for_people() -> None:
    assert words(418) == "the exchange has banned this address, HTTP 418"
    assert words(503) == "HTTP 503"
