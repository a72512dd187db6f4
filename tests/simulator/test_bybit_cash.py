"""Money that moves in a Bybit account, and the transaction log that tells of it."""

from decimal import Decimal

from monitor.simulator.bybit_account import Account, Position, Prices
from monitor.simulator.bybit_cash import book, charge_funding, log_row, profit_of, transfer
from monitor.simulator.bybit_fills import OWN, TAKEOVER, Cause, Fill

D = Decimal
PRICES = Prices(coin=lambda base: {"BTC": D(50000), "ETH": D(3500)}[base], usdt_index=D(1))


def held(symbol: str, side: str, size: str, entry: str) -> Position:
    return Position(symbol=symbol, side=side, size=D(size), entry=D(entry), leverage=D(10))


def closed(
    position: Position, qty: str, price: str, at_ms: int, *, cause: Cause = OWN, fee: str = "0"
) -> Fill:
    return Fill(
        number=f"{at_ms}",
        position=position,
        cause=cause,
        qty=D(qty),
        price=D(price),
        mark=D(price),
        profit=profit_of(position, D(qty), D(price)),
        fee=D(fee),
        at_ms=at_ms,
    )


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
    fill = closed(account.positions[0], "1", "3500", 4000)
    book(account, fill.booking(account.positions[0].size - 1))
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
    book(account, closed(account.positions[0], "5000", "50000", 1000).booking(D(5000)))
    assert account.wallets == {"BTC": D("0.025")}
    assert account.log[0].size == 5000


def test_what_the_exchange_takes_is_told_alike_by_fill_order_and_log():
    """0.5 BTC long from 100,000 at 70,000: 15,000 lost, and 19.25 of it beyond the mark."""
    fill = closed(
        held("BTCUSDT", "Buy", "0.5", "100000"), "0.5", "70000", 9, cause=TAKEOVER, fee="19.25"
    )
    row, order, line = fill.execution(), fill.order(), log_row(fill.booking(D(0)), 1, 7)
    assert (row["execType"], row["createType"]) == ("BustTrade", "CreateByTakeOver_PassThrough")
    assert (row["side"], row["execQty"], row["execPrice"]) == ("Sell", "0.5", "70000")
    assert (row["execPnl"], row["execFee"]) == ("-15000", "19.25")
    assert row["execValue"] == "35000"
    assert (order["orderStatus"], order["createType"]) == ("Filled", row["createType"])
    assert (order["avgPrice"], order["cumExecQty"], order["leavesQty"]) == ("70000", "0.5", "0")
    assert row["orderId"] == order["orderId"] == line["orderId"]
    assert row["execId"] == line["tradeId"]
    assert (line["type"], line["qty"], line["size"]) == ("LIQUIDATION", "0.5", "0")
    assert (line["cashFlow"], line["fee"], line["change"]) == ("-15000", "19.25", "-15019.25")
