"""`status`: what a running daemon knows, and that none runs."""

from decimal import Decimal
from pathlib import Path

from tests.cli.background import KINDS, aside, exchange, watched
from tests.end_to_end.kinds import NAME

D = Decimal


def test_it_shows_the_running_daemon_s_figures(tmp_path: Path, typed) -> None:
    with aside(watched(KINDS[0], tmp_path)) as config:
        ended = typed("status", "--json", "--config", config)
        text = typed("status", "--config", config)
    assert (ended.code, ended.err) == (0, "")
    (account,) = ended.json["accounts"]
    (pool,) = account["pools"]
    assert (account["name"], account["state"], pool["id"]) == (NAME, "fresh", f"{NAME}/USDT")
    # As the exchange's own books have it.
    assert D(pool["margin_balance"]) == D("1282.03270678")
    assert {feed["name"] for feed in account["feeds"]} >= {"marks", "account"}
    assert (text.code, text.err) == (0, "")
    assert f"{NAME}/USDT" in text.out
    assert "46.1 %" in text.out


def test_where_none_runs_it_says_so(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[0], tmp_path)) as (_, _, config):
        ended = typed("status", "--json", "--config", config)
    assert (ended.code, ended.out) == (1, "")
    assert "no daemon answers" in ended.err
