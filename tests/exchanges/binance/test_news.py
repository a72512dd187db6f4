"""What an event of the private stream is: a change, a warning, something that Binance took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.errors import Malformed
from monitor.exchanges.binance import EXCHANGE, calls, coin_calls, portfolio_calls
from monitor.exchanges.port import Ignored, TicketEnded, Told
from monitor.risk.news import Cause, Taken, Warned
from tests.exchanges.binance import wire
from tests.exchanges.binance.events import LATER, after, balance, event, leg
from tests.exchanges.binance.test_portfolio import example
from tests.exchanges.binance.wire import sample_of_line

D = Decimal
AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=LATER)


def read(body):
    return EXCHANGE.read_account_frame(wire.frame(body))


def order(**changes):
    """«Event: Order Update»: a fill of 0.5 of 2 BTC by an order of Binance's own."""
    fields = {
        "s": "BTCUSDT",
        "c": "autoclose-8886774",
        "S": "SELL",
        "o": "LIQUIDATION",
        "f": "IOC",
        "q": "2",
        "p": "60000",
        "ap": "60100",
        "sp": "0",
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "i": 8886774,
        "l": "0.5",
        "z": "1.5",
        "L": "60200.1",
        "N": "USDT",
        "n": "30.10",
        "T": LATER,
        "t": 77,
        "ps": "LONG",
        "rp": "-450.5",
    } | changes
    return {"e": "ORDER_TRADE_UPDATE", "E": LATER + 5, "T": LATER, "o": fields}


def news(body):
    (found,) = read(body).news
    return found


def test_a_balance_or_position_event_changes_the_account_and_works_there():
    body = event(balances=[balance("USDT", "7990.5")], legs=[leg("BTCUSDT", "2", "60500")])

    assert read(body) == Told(changes=True)
    assert after(body).snapshot(wire.NOON).pools[1].positions[0].contracts == 2


def test_the_rest_of_what_changes_the_account():
    assert read({"e": "ACCOUNT_CONFIG_UPDATE", "E": LATER, "ac": {"s": "BTCUSDT", "l": 5}}) == (
        Told(changes=True)
    )
    algo = {"e": "ALGO_UPDATE", "E": LATER, "o": {"s": "BTCUSDT", "X": "NEW"}}
    assert read(algo) == Told(changes=True, of_stops=True)
    lists = (calls.STOP_ORDERS, coin_calls.STOP_ORDERS, portfolio_calls.USDM_STOPS)
    assert all(call.lists_stops for call in lists)


def test_a_change_of_the_assets_mode_is_asked_about_as_its_rules_need_other_replies():
    found = read({"e": "ACCOUNT_CONFIG_UPDATE", "E": LATER, "ai": {"j": True}})

    assert isinstance(found, Told)
    assert found.ask == "the account's settings changed"
    assert not found.changes


@pytest.mark.parametrize(
    "kind", ["outboundAccountPosition", "balanceUpdate", "liabilityChange", "openOrderLoss"]
)
def test_what_moves_a_portfolios_cross_margin_is_asked_about(kind):
    found = read({"e": kind, "E": LATER})

    assert found.ask
    assert (found.changes, found.news) == (False, ())


@pytest.mark.parametrize(
    ("client_id", "kind", "cause"),
    [
        ("autoclose-8886774", "LIQUIDATION", Cause.LIQUIDATION),
        ("autoclose-8886774", "LIMIT", Cause.LIQUIDATION),
        ("adl_autoclose", "MARKET", Cause.ADL),
        ("settlement_autoclose-123", "MARKET", Cause.SETTLEMENT),
        ("delivery_autoclose-123", "MARKET", Cause.SETTLEMENT),
        ("web_1234", "LIQUIDATION", Cause.LIQUIDATION),
    ],
)
def test_an_order_of_binances_own_is_known_by_its_client_id_or_type(client_id, kind, cause):
    assert news(order(c=client_id, o=kind)).cause is cause


def test_a_fill_of_such_an_order_is_what_was_taken():
    assert news(order()) == Taken(
        id="BTCUSDT order 8886774 fill 77",
        at=AT,
        cause=Cause.LIQUIDATION,
        exchange_symbol="BTCUSDT",
        is_long=True,
        contracts=D("0.5"),
        price=D("60200.1"),
        asset="USDT",
        amount=D("-450.5") - D("30.10"),
    )


def test_a_fee_in_another_coin_is_not_counted_into_the_amount():
    assert news(order(N="BNB", n="0.01")).amount == D("-450.5")


def test_a_short_is_bought_back_and_a_coin_margined_one_is_paid_in_its_coin():
    found = news(order(s="BTCUSD_PERP", S="BUY", ps="SHORT", ma="BTC", N="BTC", n="0.001", rp="-1"))

    assert (found.is_long, found.asset, found.amount) == (False, "BTC", D("-1.001"))


def test_without_a_margin_asset_the_name_tells_what_it_is_paid_in():
    assert news(order(s="ETHUSDC", N="USDC")).asset == "USDC"
    assert news(order(s="BTCUSD_261225", N="BTC")).asset == "BTC"
    unknown = news(order(s="BTCZZZ"))
    assert (unknown.asset, unknown.amount) == (None, None)


def test_every_fill_has_an_id_of_its_own_that_stays_the_same():
    first, again, second = (news(order(t=number)) for number in (7, 7, 8))

    assert first.id == again.id != second.id


def test_what_the_insurance_fund_takes_over_is_told_though_no_trade_filled_it():
    found = news(order(c="", X="NEW_INSURANCE", x="CALCULATED", l="0", L="0", ap="0", t=0))

    assert (found.cause, found.contracts, found.price) == (Cause.TAKEOVER, D(2), None)
    assert found.id == "BTCUSDT order 8886774"


def test_the_order_itself_is_a_warning_before_anything_is_filled():
    found = news(order(x="NEW", X="NEW", l="0", z="0", t=0))

    assert isinstance(found, Warned)
    assert found.words == "Binance liquidates BTCUSDT long: its own order of 2 (liquidation)"
    assert (found.exchange_symbol, found.is_critical) == ("BTCUSDT", True)


@pytest.mark.parametrize(
    "body",
    [
        order(c="web_1234", o="MARKET"),
        order(c="", o="MARKET"),
        # An owner's own id that only looks alike in the middle.
        order(c="my-autoclose-1", o="LIMIT"),
        # The rest of it expires: what was filled has been told.
        order(x="EXPIRED", X="EXPIRED", l="0"),
    ],
)
def test_other_orders_are_no_news(body):
    assert read(body) == Ignored(what="an order of the owner's")


def test_a_margin_call_names_the_positions():
    body = sample_like_margin_call()

    found = news(body)

    assert found.words == "MARGIN_CALL: Binance asks for margin for ETHUSDT long (1.327)"
    assert (found.exchange_symbol, found.is_critical) == ("ETHUSDT", True)


def test_a_margin_call_of_several_is_about_the_whole_pool():
    body = sample_like_margin_call()
    body["p"].append(body["p"][0] | {"s": "BTCUSDT", "ps": "BOTH", "pa": "-2"})

    found = news(body)

    assert found.words.endswith("ETHUSDT long (1.327), BTCUSDT both (2)")
    assert found.exchange_symbol is None


def sample_like_margin_call():
    """The example of «Event: Margin Call»."""
    called = {
        "s": "ETHUSDT",
        "ps": "LONG",
        "pa": "1.327",
        "mt": "CROSSED",
        "iw": "0",
        "mp": "187.17127",
        "up": "-1.166074",
        "mm": "1.614445",
    }
    return {"e": "MARGIN_CALL", "E": 1587727187525, "cw": "3.16812045", "p": [called]}


@pytest.mark.parametrize(
    ("level", "is_critical"),
    [
        ("MARGIN_CALL", False),
        ("SUPPLY_MARGIN", False),
        ("REDUCE_ONLY", True),
        ("FORCE_LIQUIDATION", True),
        ("WORSE", True),
    ],
)
def test_a_portfolios_risk_level_is_told_with_its_ratio(level, is_critical):
    body = {"e": "riskLevelChange", "E": LATER, "u": "1.99999999", "s": level, "m": "15.11"}

    found = news(body)

    assert found.words.startswith(f"risk level {level} at uniMMR 1.99999999: ")
    assert found.is_critical is is_critical


def test_a_risk_level_that_is_normal_again_warns_of_nothing():
    assert isinstance(read({"e": "riskLevelChange", "E": LATER, "s": "NORMAL"}), Ignored)


@pytest.mark.parametrize("status", ["MARGIN_CALL", "REDUCE_ONLY", "ACTIVE_LIQUIDATION"])
def test_a_portfolios_status_is_told_by_every_reading_too(status):
    answers = example()
    answers["GET /papi/v1/account"]["accountStatus"] = status
    read_by_rest = wire.snapshot(answers)

    (warned,) = read_by_rest.news
    assert warned.words.startswith(f"risk level {status} at uniMMR ")
    assert wire.snapshot(example()).news == ()


def test_the_insurance_fund_s_settling_changes_the_balance_and_is_told():
    body = event(balances=[balance("USDT", "0")], reason="INSURANCE_CLEAR")

    found = read(body)

    assert found.changes
    assert found.news[0].words == (
        "INSURANCE_CLEAR: Binance settled in USDT what a liquidation left"
    )


def test_a_stop_that_was_triggered_and_not_taken_is_a_warning():
    algo = {"s": "SOLUSDT", "X": "REJECTED", "rm": "Margin is insufficient."}
    conditional = {"s": "SOLUSDT", "i": 155618472834, "r": "Margin is\ninsufficient."}

    told = read({"e": "ALGO_UPDATE", "E": LATER, "o": algo})
    rejected = {"e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "E": LATER, "or": conditional}

    assert told.changes
    assert told.news[0].words == (
        "Binance did not place the triggered conditional order of SOLUSDT: Margin is insufficient."
    )
    assert news(rejected) == told.news[0]


@pytest.mark.parametrize("kind", ["listenKeyExpired", "eventStreamTerminated"])
def test_a_key_that_ran_out_ends_the_stream(kind):
    assert read({"e": kind, "E": LATER, "listenKey": "x" * 64}) == TicketEnded()


@pytest.mark.parametrize("kind", ["TRADE_LITE", "STRATEGY_UPDATE", "NEVER_HEARD_OF"])
def test_events_that_say_nothing_are_named_and_left_alone(kind):
    assert read({"e": kind, "E": LATER}) == Ignored(what=kind)


def test_an_answer_to_a_request_is_no_event():
    assert read({"result": None, "id": 1}) == Ignored(what="acknowledgement")


def test_the_combined_form_is_read_alike():
    assert news({"stream": "k" * 64, "data": order()}) == news(order())


@pytest.mark.parametrize("line", [3315, 4723])
def test_the_documented_updates_of_balance_and_position_are_changes(line):
    """The examples of ACCOUNT_UPDATE in ccxt's source."""
    assert read(sample_of_line(line)).changes


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"e": 5', '{"e": "markPriceUpdate", "E": 1}', '{"a": 1}']
)
def test_what_is_no_event_of_such_a_stream_is_malformed(text):
    with pytest.raises(Malformed):
        read(text)


@pytest.mark.parametrize("missing", ["s", "S", "i", "X"])
def test_a_liquidation_without_a_datum_that_it_must_have_is_malformed(missing):
    body = order()
    del body["o"][missing]

    with pytest.raises(Malformed, match=missing):
        read(body)
