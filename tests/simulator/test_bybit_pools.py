"""Bybit's debts, portfolio margin and takeovers; by hand, for no exchange sent these figures."""

from decimal import Decimal

from monitor.simulator.bybit_account import Account, Option, Prices
from monitor.simulator.bybit_ledger import figures
from monitor.simulator.bybit_pools import liquidate, pools
from tests.simulator.test_bybit_ledger import at, long

D = Decimal


def test_a_borrowing_and_an_option_carry_margin_of_their_own():
    account = Account(
        name="more",
        wallets={"USDT": D(50000), "BTC": D("0.5"), "USDC": D(150)},
        spot_borrow={"BTC": D("0.1")},
        options=[
            Option(
                symbol="BTC-26DEC25-90000-P",
                side="Sell",
                size=D("0.1"),
                entry=D(2000),
                mark=D(1500),
                initial_margin=D(900),
                maintenance_margin=D(400),
            )
        ],
    )
    now = figures(account, at("1", BTC="100000"))
    btc = next(coin for coin in now.coins if coin.coin == "BTC")
    assert btc.equity == D("0.4")
    assert now.maintenance_margin == D("0.1") * D("0.04") * 100000 + 400 * D("0.9999")
    assert now.total_equity == 50000 + 40000, "the option sold is worth all of the USDC"
    counted = 50000 + 40000 * D("0.98") + 150 * D("0.9999")
    assert now.margin_balance == counted, "an option counts in portfolio margin only"


def test_liquidation_takes_the_maintenance_margin_too():
    account = Account(
        name="gone",
        wallets={"USDT": D(1000)},
        positions=[long("SOLUSDT", "100", "180")],
        taker_rate=D(0),
    )
    # 1,000 - 100 x 9.7 = 30 left, 100 x 170.3 x 0.5 % = 85.15 needed
    prices = at("1", SOL="170.3")
    pool = pools(account, prices)[0]
    assert pool.ratio == D("85.15") / 30
    done = liquidate(account, prices)
    assert done.paid == D("85.15")
    assert account.wallets == {"USDT": 0}
    assert account.positions == []
    assert pools(account, prices)[0].ratio == 0


def test_liquidation_sells_collateral_for_what_is_owed():
    account = Account(
        name="btc",
        wallets={"BTC": D("0.2"), "USDT": D(0)},
        positions=[long("SOLUSDT", "100", "180")],
        taker_rate=D(0),
    )
    liquidate(account, at("1", SOL="100", BTC="50000"))
    # loss 8,000 and maintenance 50: 8,050 / 50,000 = 0.161 BTC
    assert account.wallets == {"BTC": D("0.2") - D("0.161"), "USDT": 0}


def test_an_account_of_an_older_kind_has_no_pool_here():
    for status in (1, 3, 4):
        account = Account(name="other", unified_status=status, wallets={"USDT": D(1)})
        assert pools(account, at("1")) == ()


def test_the_rate_of_a_debt_s_tier_applies_to_all_of_it():
    """No deduction is published: 300,000 USDT in the invented second tier owe 3 % of all."""
    account = Account(name="debt", wallets={"USDT": D(-300_000), "BTC": D(8)})
    now = figures(account, at("1", BTC="100000"))
    assert now.maintenance_margin == 9000
    assert now.initial_margin == 300_000 * D("0.125")
    assert now.margin_balance == 8 * D("0.98") * 100_000 - 300_000


def test_of_a_loan_and_a_negative_equity_the_larger_is_owed():
    account = Account(name="debt", wallets={"USDT": D(1000)}, spot_borrow={"USDT": D(400)})
    assert figures(account, at("1")).maintenance_margin == 400 * D("0.02")
    account.wallets["USDT"] = D(-200)
    assert figures(account, at("1")).maintenance_margin == 600 * D("0.02")


def test_an_option_s_value_is_part_of_the_equity_that_may_owe():
    """
    Equity = wallet + unrealised PnL + option value: 100 - 150 owes 50, of which 2 % are held.

    Documented of the equity; that the margin of a debt goes by this same equity is not verified.
    """
    sold = Option(
        symbol="BTC-31DEC27-90000-P",
        side="Sell",
        size=D(1),
        entry=D(100),
        mark=D(150),
        initial_margin=D(0),
        maintenance_margin=D(0),
    )
    account = Account(name="debt", wallets={"USDC": D(100), "USDT": D(1000)}, options=[sold])
    now = figures(account, Prices(coin=lambda _: D(1), usdt_index=D(1), usdc_index=D(1)))
    assert now.maintenance_margin == 50 * D("0.02")
    assert now.margin_balance == 1100, "which counts wallets and PnL, not the option"


def test_portfolio_margin_is_what_is_declared_against_the_equity():
    """An option sold for less than it is worth now stands against the balance, margin stays."""
    sold = Option(
        symbol="BTC-31DEC27-90000-P",
        side="Sell",
        size=D(2),
        entry=D(900),
        mark=D(1000),
        initial_margin=D(0),
        maintenance_margin=D(0),
    )
    account = Account(
        name="stress",
        margin_mode="PORTFOLIO_MARGIN",
        wallets={"USDT": D(10_000), "USDC": D(500)},
        positions=[long("BTCUSDT", "0.1", "90000")],
        options=[sold],
        declared_im=D(3000),
        declared_mm=D(2500),
    )
    prices = Prices(coin=lambda _: D(100_000), usdt_index=D(1), usdc_index=D(1))
    (pool,) = pools(account, prices)
    assert pool.margin_balance == 10_000 + 500 + 1000 - 2000
    assert pool.maintenance_margin == 2500
    (position,) = pool.positions
    assert position.maintenance_margin is None
    # 9,500 - 2,500 = 7,000 of room, and 0.1 of it lost a dollar; 1,000 of profit go first. Below
    # the price where USDT would owe, nothing more is charged: the stress test says it all.
    row = position.row()
    assert D(str(row["liquidation_price"])) == 30_000
    assert row["other_liquidation_price"] is None
