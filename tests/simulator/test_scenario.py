from decimal import Decimal
from pathlib import Path

import pytest

from monitor.simulator.scenario import ScenarioError, load, names, parse
from tests.simulator.scenes import BINANCE, SCENE


def test_the_scenarios_that_come_with_the_package() -> None:
    assert set(names()) >= {"calm", "ahmed", "zara", "flash_crash", "blind"}


@pytest.mark.parametrize("name", names())
def test_a_scenario_of_the_package_loads_under_its_own_name_and_ends_within_a_minute(
    name: str,
) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.description
    assert 0 < scenario.duration_seconds <= 60
    assert all(leg.until <= scenario.duration_seconds for p in scenario.paths for leg in p.legs)


def test_an_account_gets_a_key_of_its_own_that_may_only_read() -> None:
    (account,) = parse(SCENE + BINANCE, "s.toml").accounts
    assert (account.key, account.secret) == ("sim-one-key", "sim-one-secret")
    assert account.passphrase == "sim-one-passphrase"
    assert account.permissions == ("read",)
    assert "secret" not in repr(account)


def test_numbers_keep_their_digits() -> None:
    (account,) = parse(SCENE + BINANCE, "s.toml").accounts
    assert account.wallets["USDT"] == Decimal("1000.5")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('exchange = "binance"', 'exchange = "bitmex"', r"accounts\[0\]\.exchange: expected one"),
        ('side = "long"', 'side = "up"', r"accounts\[0\]\.positions\[0\]\.side: expected one of"),
        ("contracts = 0.1\n", "", r"accounts\[0\]\.positions\[0\]\.contracts: missing"),
        ("contracts = 0.1", "contracts = -1", r"contracts: expected a number above zero, got -1"),
        ("contracts = 0.1", 'contracts = "a"', r"contracts: expected a number, got 'a'"),
        ("contracts = 0.1", "contracts = nan", r"contracts: expected a finite number"),
        ("contracts = 0.1", "contracts = true", r"contracts: expected a number, got True"),
        ("seed = 7", "seed = 7\ncolour = 1", "colour: unknown key"),
        ("seed = 7", 'seed = "7"', "seed: expected a whole number"),
        ("duration_seconds = 60", "duration_seconds = 61", "duration_seconds: expected more than"),
        ("isolated_margin = 60", "", r"positions\[2\]\.isolated_margin: expected given"),
        ("trigger_price = 55000", "", r"orders\[0\]\.trigger_price: expected a price"),
        ("\nprice = 2000", "", r"orders\[1\]\.price: expected a price"),
        ("wallets = {", "wallets = 5 #", r"accounts\[0\]\.wallets: expected a table"),
        ("closes_position = true", "closes_position = 1", "closes_position: expected true or"),
        ("[market.BTC]\nstart = 60000", "[market]\nBTC = 1", r"market\.BTC: expected a table"),
        ('name = "scene"', "name = 5", "name: expected a text"),
        ('name = "scene"', "name", "Expected '=' after a key"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(old: str, new: str, message: str) -> None:
    text = SCENE + BINANCE
    assert old in text
    with pytest.raises(ScenarioError, match=rf"s\.toml: .*{message}"):
        parse(text.replace(old, new, 1), "s.toml")


def test_two_accounts_of_one_name_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"s\.toml: accounts: 'one' is used twice"):
        parse(SCENE + BINANCE + BINANCE, "s.toml")


def test_legs_go_forward_in_time() -> None:
    legs = "legs = [{ until = 9, price = 1 }, { until = 8, price = 2 }]"
    text = SCENE.replace("start = 150", f"start = 150\n{legs}")
    with pytest.raises(ScenarioError, match=r"market\.SOL\.legs: expected ascending in `until`"):
        parse(text + BINANCE, "s.toml")


def test_an_unknown_fault_is_refused_and_the_known_ones_are_named() -> None:
    fault = '[[faults]]\nat_seconds = 1\nexchange = "binance"\nkind = "fire"\n'
    with pytest.raises(ScenarioError, match=r"faults\[0\]\.kind: expected one of .*stall"):
        parse(SCENE + BINANCE + fault, "s.toml")


def test_an_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'nope'; there are: .*zara"):
        load("nope")


def test_a_file_of_ones_own_can_be_played(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(SCENE + BINANCE, encoding="utf-8")
    assert load(str(file)).name == "scene"
