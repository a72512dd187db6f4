"""Money that moves in a Bybit account, and the transaction log that tells of it."""

from decimal import Decimal

from monitor.simulator.bybit_account import Account, Position, Prices
from monitor.simulator.bybit_cash import charge_funding, log_row, realise, transfer

D = Decimal
PRICES = Prices(coin=lambda base: {"BTC": D(50000), "ETH": D(3500)}[base], usdt_index=D(1))


def held(symbol: str, side: str, size: str, entry: str) -> Position:
    return Position(symbol=symbol, side=side, size=D(size), entry=D(entry), leverage=D(10))


def test_a_long_pays_and_a_short_receives_a_positive_rate():
    """Value at the mark x rate: 0.1 x 50,000 x 0.01 % = 0.5; 10,000 / 50,000 x 0.01 % in BTC."""
    account = Account(
        name="two",
        wallets={"USDT": D(100)},
        positions=[
            held("BTCUSDT", "Buy", "0.1", "40000"),
            held("BTCUSD", "Sell", "10000", "40000"),
            held("BTCUSDT-31DEC27", "Buy", "1", "40000"),
        ],
    )
    booked = charge_funding(account, PRICES, lambda _: D("0.0001"), 1000)
    assert [(b.symbol, b.coin, b.change) for b in booked] == [
        ("BTCUSDT", "USDT", D("-0.5")),
        ("BTCUSD", "BTC", D("0.00002")),
    ], "what expires has no funding"
    assert account.wallets == {"USDT": D("99.5"), "BTC": D("0.00002")}


def test_the_log_adds_up():
    """Change = cashFlow + funding - fee, as documented."""
    account = Account(
        name="log", wallets={"USDT": D(100)}, positions=[held("ETHUSDT", "Sell", "2", "3600")]
    )
    transfer(account, "USDT", D(50), 1000)
    transfer(account, "USDT", D(-20), 2000)
    charge_funding(account, PRICES, lambda _: D("-0.001"), 3000)
    realise(account, account.positions[0], D(1), D(3500), 4000)
    rows = [log_row(booking, n, 7) for n, booking in enumerate(account.log)]
    assert [row["type"] for row in rows] == ["TRANSFER_IN", "TRANSFER_OUT", "SETTLEMENT", "TRADE"]
    assert [row["change"] for row in rows] == ["50", "-20", "-7", "100"]
    assert [row["cashBalance"] for row in rows] == ["150", "130", "123", "223"]
    assert [row["category"] for row in rows] == ["", "", "linear", "linear"]
    for row in rows:
        funding = D(str(row["funding"] or 0))
        assert D(str(row["change"])) == D(str(row["cashFlow"])) + funding - D(str(row["fee"]))
    assert account.wallets["USDT"] == 223


def test_an_inverse_part_is_realised_in_its_coin():
    """5,000 USD long from 40,000, closed at 50,000: 5,000 (1/40,000 - 1/50,000) = 0.025 BTC."""
    account = Account(name="coin", positions=[held("BTCUSD", "Buy", "10000", "40000")])
    realise(account, account.positions[0], D(5000), D(50000), 1000)
    assert account.wallets == {"BTC": D("0.025")}
    assert account.log[0].size == 5000
