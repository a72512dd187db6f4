"""`simulate` prints what can be pasted into a config; `demo` lists what it can play."""

import tomllib
from pathlib import Path

import pytest

from monitor.settings import load_settings
from monitor.simulator.scenario import names
from tests.end_to_end.stage import command

CHANNEL = '[[channels]]\nname = "phone"\nurl = "json://127.0.0.1:9/"\n'


@pytest.mark.processes
async def test_what_it_prints_is_a_config_that_loads(tmp_path: Path) -> None:
    log = tmp_path / "out"
    async with command("simulate", "flash_crash", "--port", "0", log=log) as simulator:
        await simulator.until_said("# ready")
        text = simulator.text()
        assert await simulator.stop() == 0
    config = tmp_path / "margin-monitor.toml"
    config.touch(mode=0o600)
    config.write_text(f"{text}\n{CHANNEL}", encoding="utf-8")
    settings = load_settings(config)
    assert [a.exchange for a in settings.accounts] == ["binance", "bybit", "okx"]
    assert all(str(a.rest_url).startswith("http://127.0.0.1:") for a in settings.accounts)
    assert tomllib.loads(text)["accounts"][2]["passphrase"]


def test_a_scenario_that_is_not_there_is_wrong_usage(typed) -> None:
    ended = typed("simulate", "nonsense")
    assert (ended.code, ended.out) == (2, "")
    assert "flash_crash" in ended.err


def test_the_demo_lists_every_scenario(typed) -> None:
    ended = typed("demo", "--list")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split()[0] for line in ended.out.splitlines()] == list(names())


# Wallet 1,000 USDT, long 1 BTC from 10,000: at 9,042 its ratio is 35.28 / 42 = 84 %, and its end,
# at 9,035, is 0.07 % away; at 9,700 it is 6.9 % away.
SHORT = """
name = "short"
description = "a dip of a second"
seed = 1
duration_seconds = 5
[market.BTC]
start = 9700
legs = [
  { until = 2, price = 9700 },
  { until = 2, price = 9042 },
  { until = 3, price = 9042 },
  { until = 3, price = 9700 },
]
[[accounts]]
name = "dipped"
exchange = "bybit"
mode = "cross"
wallets = { USDT = 1000 }
positions = [
  { symbol = "BTCUSDT", side = "long", contracts = 1, entry_price = 10000, leverage = 100 },
]
"""


@pytest.mark.processes
async def test_the_demo_plays_to_its_end_and_shows_every_message(tmp_path: Path) -> None:
    scenario = tmp_path / "short.toml"
    scenario.write_text(SHORT, encoding="utf-8")
    async with command("demo", str(scenario), log=tmp_path / "out") as demo:
        assert await demo.process.wait() == 0, demo.text()[-2000:]
    text = demo.text()
    for words in ("VERY NEAR 2 %: dipped", "RESOLVED: dipped", "What happened", "dipped/unified"):
        assert words in text, words
    assert "Traceback" not in text
