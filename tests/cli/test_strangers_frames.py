"""
Frames of captures that were made elsewhere: bare, combined, on the wrong feed, far apart.

Expected figures are arithmetic written out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.strangers import MS, Json, Shell, body_of, capture, with_frames

if TYPE_CHECKING:
    from pathlib import Path

MARK = {"e": "markPriceUpdate", "E": MS + 1000, "s": "BTCUSDT", "p": "60950", "st": 1}
FUNDING = {
    "e": "ACCOUNT_UPDATE",
    "E": MS + 2000,
    "T": MS + 2000,
    "a": {"m": "FUNDING_FEE", "B": [{"a": "USDT", "wb": "11900", "cw": "11900", "bc": "-100"}]},
}


@pytest.mark.parametrize("frame", [MARK, [MARK], {"stream": "btcusdt@markPrice@1s", "data": MARK}])
def test_binance_frames_come_bare_combined_or_in_an_array(shell: Shell, frame: Any) -> None:
    found = with_frames(capture("binance_e9"), ("marks", frame), ("account", FUNDING))
    code, out, err = shell.run(found, "--each")
    assert (code, err) == (0, "")
    steps = [json.loads(line)["accounts"][0]["pools"][0] for line in out.splitlines()]
    assert [step["margin_balance"] for step in steps] == ["1796", "1596", "1496"]
    assert steps[2]["maintenance_margin"] == "1368.016"  # 976 − 4 · 50 · 0.004 + 392.816


def test_a_rung_is_left_again_however_far_apart_the_frames_are(shell: Shell) -> None:
    # Marks of one symbol alone, minutes apart: nothing is polled where there is no network.
    found = capture("binance_e9")
    found["frames"] = [
        {
            "feed": "marks",
            "at": f"2026-11-22T12:{minute:02}:00.000Z",
            "text": json.dumps({**MARK, "E": MS + minute * 60_000, "p": price}),
        }
        for minute, price in ((1, "60950"), (3, "60910"), (9, "60940"), (20, "61500"))
    ]
    _, out, _ = shell.run(found, "--each")
    pools = [json.loads(line)["accounts"][0]["pools"][0] for line in out.splitlines()]
    # 1,368.816 ÷ 1,796 and so on: 76 %, 86 %, 95 %, then 88 % (below 90 % but not 87 %), 36 %;
    # all of it less than 2 % from the end, which is as grave as 90 % but does not speak before it.
    assert [p["rung"] for p in pools] == [
        "very near",
        "very near",
        "critical",
        "critical",
        "very near",
    ]


OWN = """
[[accounts]]
name = "main"
exchange = "binance"
api_key = { credential = "a_key" }
api_secret = { env = "A_SECRET" }
[[channels]]
name = "phone"
url = { credential = "a_url" }
[[ladder]]
name = "mine"
enter = 0.70
leave = 0.65
[advice]
target_ratio = 0.60
target_distance = 0.0001
"""


def test_ones_own_ladder_and_target_hold_without_ones_secrets(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "own.toml"
    config.write_text(OWN, encoding="utf-8")
    monkeypatch.setenv("MARGIN_MONITOR_CONFIG", str(config))
    for words in ((), ("--config", str(config))):
        pool = shell.pools(capture("binance_e9"), *words)["USDT"]
        assert pool["rung"] == "mine"
        # 1,368.816 ÷ 0.60 − 1,796
        assert pool["advice"]["top_up"]["amount"] == "485.36"
        # (1,368.816 − 0.6 · 1,796) ÷ (61,000 · (0.004 − 0.6 · 0.0005)), with a fee of 0.05 %
        closed = {r["exchange_symbol"]: r["contracts"] for r in pool["advice"]["reductions"]}
        assert closed["BTCUSDT"] == "1.291"


def test_a_mark_given_by_hand_stands_above_everything(shell: Shell) -> None:
    found = with_frames(capture("binance_e9"), ("marks", MARK), ("account", FUNDING))
    pools = shell.pools(found, "--mark", "BTC/USDT:USDT=61000")
    assert pools["USDT"]["margin_balance"] == "1696"


@pytest.mark.parametrize(
    ("name", "feed", "body"),
    [
        ("binance_e9", "account", MARK),
        ("binance_e9", "marks", FUNDING),
        ("bybit_8", "account", {"topic": "tickers.BTCUSDT", "type": "delta", "data": {}}),
        ("okx_w7", "account", {"arg": {"channel": "mark-price"}, "data": []}),
    ],
)
def test_a_frame_on_the_wrong_feed_is_named(shell: Shell, name: str, feed: str, body: Json) -> None:
    assert "frames[0]" in shell.named(with_frames(capture(name), (feed, body)))


def test_the_mark_in_a_position_frame_of_the_same_moment_counts(shell: Shell) -> None:
    row = body_of(capture("okx_w7"), "account/positions")["data"][1]
    moved = {**row, "markPx": "3611", "upl": "-333", "uTime": str(MS + 1), "pTime": str(MS + 1)}
    frame = {
        "arg": {"channel": "positions", "uid": "1", "instType": "ANY"},
        "eventType": "event_update",
        "data": [moved],
    }
    pools = shell.pools(with_frames(capture("okx_w7"), ("account", frame)))
    assert pools["USDT"]["margin_balance"] == "167"  # 1,300 − 800 − 3 · 111


SOLD = {
    "arg": {"channel": "balance_and_position", "uid": "1"},
    "data": [
        {
            "pTime": str(MS + 1),
            "eventType": "filled",
            "balData": [],
            "posData": [
                {
                    "posId": "1003",
                    "instId": "SOL-USDT-SWAP",
                    "instType": "SWAP",
                    "mgnMode": "isolated",
                    "posSide": "net",
                    "pos": "40",
                    "ccy": "USDT",
                    "avgPx": "180",
                    "uTime": str(MS + 1),
                }
            ],
            "trades": [],
        }
    ],
}


def test_what_one_frame_leaves_open_the_next_may_tell(shell: Shell) -> None:
    row = body_of(capture("okx_w7"), "account/positions")["data"][2]
    after = {**row, "pos": "40", "margin": "1440", "upl": "-360", "uTime": str(MS + 2)}
    told = {
        "arg": {"channel": "positions", "uid": "1", "instType": "ANY"},
        "eventType": "event_update",
        "data": [after],
    }
    found = with_frames(capture("okx_w7"), ("account", SOLD), ("account", told))
    code, out, _ = shell.run(found, "--each")
    states = [json.loads(line)["accounts"][0]["state"] for line in out.splitlines()]
    assert (code, states) == (0, ["fresh", "blind", "fresh"])
    assert shell.pools(found)["isolated/SOL-USDT-SWAP"]["margin_balance"] == "1080"


def test_what_stays_open_at_the_end_is_named(shell: Shell) -> None:
    err = shell.named(with_frames(capture("okx_w7"), ("account", SOLD)))
    assert "/api/v5/account/positions" in err
