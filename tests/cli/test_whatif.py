"""`whatif`: of captures offline, of a watched account, and what can't be supposed."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.cli.capture import _capture
from tests.cli.background import KINDS, aside, exchange, watched
from tests.end_to_end.kinds import NAME

D = Decimal


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One capture of each exchange."""
    found = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp("capture")
        with aside(exchange(kind, folder)) as (_, _, config):
            file = folder / "main.json"
            file.write_bytes(asyncio.run(_capture(NAME, config)))
        found[kind.split(maxsplit=1)[0]] = file
    return found


def only_pool(ended) -> dict:
    (account,) = ended.json["accounts"]
    (pool,) = account["pools"]
    return pool


def test_without_a_change_it_is_what_evaluate_says(files, typed) -> None:
    for file in files.values():
        plain = only_pool(typed("evaluate", file, "--json"))
        assert only_pool(typed("whatif", file, "--json")) == plain | {"liquidated_after": None}


def test_a_move_is_what_evaluate_says_at_those_marks(files, typed) -> None:
    before = only_pool(typed("evaluate", files["binance"], "--json"))
    marks = {p["exchange_symbol"]: D(p["mark_price"]) * D("0.99") for p in before["positions"]}
    words = [word for s, price in marks.items() for word in ("--mark", f"{s}={price}")]
    there = only_pool(typed("evaluate", files["binance"], "--json", *words))

    for said in (
        ["--all", "-1%"],
        ["--move", "BTC=-1%", "--move", "ETHUSDT=-1%", "--move", "xrp=-1%"],
    ):
        moved = only_pool(typed("whatif", files["binance"], "--json", *said))
        for key in ("margin_balance", "maintenance_margin", "margin_ratio", "advice"):
            assert moved[key] == there[key]


def test_money_and_closing_change_what_they_should(files, typed) -> None:
    before = only_pool(typed("evaluate", files["binance"], "--json"))
    ended = typed(
        "whatif", files["binance"], "--json", "--add", "USDT=500", "--close", "BTCUSDT=50%"
    )
    pool = only_pool(ended)

    half = {p["exchange_symbol"]: D(p["contracts"]) for p in pool["positions"]}
    held = {p["exchange_symbol"]: p for p in before["positions"]}
    assert half["BTCUSDT"] * 2 == D(held["BTCUSDT"]["contracts"])
    fee = D(before["margin_balance"]) + 500 - D(pool["margin_balance"])
    assert 0 <= fee <= D(held["BTCUSDT"]["notional"]) / 2 * D("0.001")
    assert pool["reported"] is None


def test_as_text_it_is_a_table_before_and_after(files, typed) -> None:
    ended = typed("whatif", files["bybit"], "--all", "-2%", "--shocks")

    assert (ended.code, ended.err) == (0, "")
    rows = {line.split("  ")[0].strip(): line.split() for line in ended.out.splitlines()}
    assert rows[f"{NAME}/unified"][-2:] != []
    assert "before" in ended.out
    assert rows["margin ratio"][2] != rows["margin ratio"][4]
    assert rows["BTC"]  # of the shocks


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--move", "BTC=-10"], "expected a percentage, such as -10%"),
        (["--move", "DOGE=-10%"], "'DOGE' has no price here; what moves: BTC"),
        (["--close", "DOGEUSDT=50%"], "'DOGEUSDT' is not held here"),
        (["--close", "BTCUSDT=500%"], "expected up to 100% or contracts"),
        (["--add", "500"], "such as USDT=500"),
        (["--all", "-100%"], "a price can't fall by 100% or more"),
        (["--sell", "BTC"], "No such option"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(words, said, files, typed) -> None:
    ended = typed("whatif", files["binance"], *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_what_cannot_be_computed_names_the_datum(files, tmp_path, typed) -> None:
    ended = typed("whatif", files["binance"], "--add", "DOGE=5")
    assert (ended.code, ended.out) == (3, "")
    assert "no collateral entry for DOGE" in ended.err

    capture = json.loads(files["binance"].read_text(encoding="utf-8"))
    capture["replies"] = [r for r in capture["replies"] if "leverageBracket" not in r["request"]]
    lacking = tmp_path / "lacking.json"
    lacking.write_text(json.dumps(capture), encoding="utf-8")
    ended = typed("whatif", lacking, "--all", "-1%")
    assert (ended.code, ended.out) == (3, "")
    assert "leverageBracket" in ended.err


def test_a_file_that_is_not_there_is_work_that_could_not_be_done(tmp_path, typed) -> None:
    ended = typed("whatif", tmp_path / "none.json", "--all", "-1%")
    assert (ended.code, ended.out) == (1, "")
    assert "none.json" in ended.err


def test_a_watched_account_is_asked_of_the_daemon(tmp_path: Path, typed) -> None:
    with aside(watched(KINDS[0], tmp_path)) as config:
        ended = typed("whatif", NAME, "--add", "USDT=500", "--json", "--config", config)
        text = typed("whatif", NAME, "--move", "BTC=-5%", "--config", config)
        wrong = typed("whatif", NAME, "--move", "DOGE=-5%", "--config", config)
        lacks = typed("whatif", NAME, "--add", "DOGE=5", "--config", config)
        status = typed("status", "--shocks", "--config", config)
        shocked = typed("status", "--shocks", "--json", "--config", config)
    assert (ended.code, ended.err) == (0, "")
    assert D(only_pool(ended)["margin_balance"]) == D("1282.03270678") + 500
    assert only_pool(ended)["rung"] == "very near"
    assert (text.code, text.err) == (0, "")
    assert "before" in text.out
    assert (wrong.code, wrong.out, "'DOGE' has no price here" in wrong.err) == (2, "", True)
    assert (lacks.code, lacks.out, "entry for DOGE" in lacks.err) == (3, "", True)
    assert (status.code, "+10.00 %" in status.out) == (0, True)
    assert {s["coin"] for s in only_pool(shocked)["shocks"]} == {"BTC", "ETH", "XRP", "all"}


def test_without_a_daemon_or_an_account_that_is_said(tmp_path: Path, typed) -> None:
    with aside(exchange(KINDS[0], tmp_path)) as (_, _, config):
        alone = typed("whatif", NAME, "--all", "-1%", "--config", config)
        unknown = typed("whatif", "nobody", "--all", "-1%", "--config", config)
    assert (alone.code, alone.out) == (1, "")
    assert "no daemon answers" in alone.err
    assert (unknown.code, unknown.out) == (2, "")
    assert "neither a file nor one of the accounts" in " ".join(unknown.err.split())
