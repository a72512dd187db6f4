"""What an account's `extra` table may say, and how a mistake in it is named."""

from decimal import Decimal

import pytest

from monitor.simulator.bybit_accounts import opened as opened_bybit
from monitor.simulator.declared import Declared
from monitor.simulator.okx_accounts import opened as opened_okx
from monitor.simulator.scenario import ScenarioError, parse
from monitor.simulator.takeover import repay
from tests.simulator.unified import MARKET

D = Decimal
NOT_LISTED = """
wallets = {}
positions = [{ symbol = "NO", side = "long", contracts = 1, entry_price = 1 }]
"""


def account(exchange: str, mode: str, lines: str):
    text = f'{MARKET}\n[[accounts]]\nname = "x"\nexchange = "{exchange}"\nmode = "{mode}"\n{lines}'
    spec = parse(text, "x.toml").accounts[0]
    return opened_bybit(spec, 1) if exchange == "bybit" else opened_okx(spec, 1, 0)


def test_bybit_reads_its_own_words():
    made = account(
        "bybit",
        "cross",
        'wallets = { USDT = 1 }\nextra = { unified_status = 4, borrowed = { BTC = "0.5" }, '
        'switched_off = ["ETH"], taker_rate = "0.001", haircut_loss = 7 }',
    )
    assert (made.unified_status, made.taker_rate, made.haircut_loss) == (4, D("0.001"), 7)
    assert (made.spot_borrow, made.switched_off) == ({"BTC": D("0.5")}, {"ETH"})


def test_okx_reads_its_own_words():
    made = account(
        "okx",
        "portfolio",
        "wallets = { USDT = 1 }\nextra = { fixed_mmr = 5, strategy = { USDT = 3 }, "
        'spot_taker_rate = "0.002" }',
    )
    assert (made.fixed_mmr, made.strategy, made.spot_taker_rate) == (5, {"USDT": 3}, D("0.002"))


@pytest.mark.parametrize(
    ("exchange", "lines", "message"),
    [
        ("bybit", "wallets = {}\nextra = { typo = 1 }", r"account 'x': extra\.typo: unknown key"),
        ("okx", "wallets = {}\nextra = { typo = 1 }", r"account 'x': extra\.typo: unknown key"),
        (
            "bybit",
            'wallets = {}\nextra = { unified_status = "six" }',
            r"extra\.unified_status: expected a whole number, got 'six'",
        ),
        (
            "bybit",
            "wallets = {}\nextra = { options = [{ symbol = 'A' }] }",
            r"extra\.options\[0\]\.size: missing",
        ),
        (
            "okx",
            "wallets = {}\nextra = { others = [{ inst_type = 'MARGIN', x = 1 }] }",
            r"extra\.others\[0\]\.inst_id: missing",
        ),
        (
            "okx",
            "wallets = {}\nextra = { fixed_mmr = 'much' }",
            r"extra\.fixed_mmr: expected a number, got 'much'",
        ),
        ("okx", "wallets = { NOPE = 1 }", r"wallets\.NOPE: no such coin here"),
        ("bybit", "wallets = { NOPE = 1 }", r"wallets\.NOPE: no such coin here"),
        (
            "bybit",
            NOT_LISTED,
            r"symbol 'NO': there are BTCUSDT",
        ),
        (
            "okx",
            NOT_LISTED,
            r"symbol 'NO': there are BTC-USDT-SWAP",
        ),
    ],
)
def test_a_mistake_names_account_and_key(exchange, lines, message):
    mode = "cross" if exchange == "bybit" else "futures"
    with pytest.raises(ScenarioError, match=message):
        account(exchange, mode, lines)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda table: table.text("key"), 1, "a text"),
        (lambda table: table.decimal("key"), "nan", "a finite number"),
        (lambda table: table.decimals("key"), [1], "a table of numbers"),
        (lambda table: table.texts("key"), [1], "a list of texts"),
        (lambda table: table.rows("key"), [1], "a list of tables"),
    ],
)
def test_a_value_of_the_wrong_kind(read, value, expected):
    with pytest.raises(ScenarioError, match=f"here.key: expected {expected}"):
        read(Declared({"key": value}, "here"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"USDT": "-100", "BTC": "1"}, {"USDT": "0", "BTC": "0.98"}),
        ({"USDT": "-100", "BTC": "0.01"}, {"USDT": "0", "BTC": "0"}),
        ({"USDT": "-100", "BTC": "1", "USDC": "200"}, {"USDT": "0", "BTC": "0.98", "USDC": "200"}),
        ({"USDT": "5", "BTC": "1"}, {"USDT": "5", "BTC": "1"}),
    ],
    ids=["sold", "written off", "the one worth most is sold", "nothing owed"],
)
def test_debts_are_paid_out_of_what_is_worth_most(before, after):
    coins = {coin: D(amount) for coin, amount in before.items()}
    repay(coins, lambda coin: D(5000) if coin == "BTC" else D(1))
    assert coins == {coin: D(amount) for coin, amount in after.items()}
