"""What is asked for, in which order, and what the readers make of complete and broken replies."""

from __future__ import annotations

import copy

import pytest

from monitor.exchanges.call import Replies
from monitor.exchanges.okx import EXCHANGE
from monitor.risk.evaluate import evaluate
from tests.exchanges.okx import examples, loans, wire

BALANCE = "GET /api/v5/account/balance"
CONFIG = "GET /api/v5/account/config"
POSITIONS = "GET /api/v5/account/positions"
INSTRUMENTS = "GET /api/v5/public/instruments?instType=SWAP"
FEES = "GET /api/v5/account/trade-fee?instType=SWAP"
TIERS = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode=cross&instFamily=BTC-USDT"
AROUND = ("GET /api/v5/asset/balances", "GET /api/v5/account/bills")
DISCOUNTS = "GET /api/v5/public/discount-rate-interest-free-quota"


def asked_in_turn(answers):
    """What `needed` asks for, round by round, answered out of the whole lists."""
    whole, given, rounds = wire.replies(answers), [], []
    while wanted := EXCHANGE.needed(Replies(given)):
        rounds.append(list(wanted))
        assert len(rounds) < 9, "it must come to an end"
        for call in wanted:
            answer = whole.find(call)
            assert answer is not None, call.request
            given.append(wire.reply(call.request, answer.body))
    return rounds, Replies(given)


def requests(rounds):
    return [[call.request for call in calls_] for calls_ in rounds]


def test_it_asks_for_mode_balance_and_positions_and_then_for_what_is_held():
    rounds, replies = asked_in_turn(examples.w7())

    swap = "GET /api/v5/public/instruments?instType=SWAP&instFamily={0}-USDT&instId={0}-USDT-SWAP"
    fee = "GET /api/v5/account/trade-fee?instType=SWAP&instFamily={}-USDT"
    tier = "GET /api/v5/public/position-tiers?instType=SWAP&tdMode={1}&instFamily={0}-USDT"
    stop = "GET /api/v5/trade/orders-algo-pending?ordType={}"
    assert requests(rounds) == [
        [CONFIG, BALANCE, POSITIONS],
        [
            *(swap.format(coin) for coin in ("BTC", "ETH", "SOL")),
            *(
                f"GET /api/v5/public/funding-rate?instId={coin}-USDT-SWAP"
                for coin in ("BTC", "ETH", "SOL")
            ),
            *(stop.format(kind) for kind in wire.STOP_KINDS),
            *AROUND,
        ],
        [
            tier.format("BTC", "cross"),
            tier.format("ETH", "cross"),
            tier.format("SOL", "isolated"),
            *(fee.format(coin) for coin in ("BTC", "ETH", "SOL")),
        ],
    ]
    assert EXCHANGE.read_account("main", replies).snapshot(wire.NOON).pools


def test_in_multi_currency_mode_it_asks_for_discounts_and_the_marks_to_follow():
    told = examples.multi()
    told[POSITIONS]["data"].pop(0)
    rounds, replies = asked_in_turn(told)
    later = [request for calls_ in requests(rounds)[1:] for request in calls_]

    assert f"{DISCOUNTS}?ccy=BTC" in later
    assert not any("JFI" in request for request in later), "what counts nothing needs no table"
    assert "GET /api/v5/public/mark-price?instType=SWAP" in later
    followed = "instType=SWAP&instFamily=BTC-USDT&instId=BTC-USDT-SWAP"
    pairs = "GET /api/v5/public/mark-price?instType=MARGIN"
    assert requests(rounds)[-1] == [f"GET /api/v5/public/instruments?{followed}", pairs]
    read = EXCHANGE.read_account("main", replies).snapshot(wire.NOON)
    assert [i.exchange_symbol for i in read.followed] == ["BTC-USDT-SWAP", "ETH-USDT-SWAP"][:1]


def test_many_tables_of_a_kind_are_asked_for_at_once():
    told = examples.w7()
    coins = ("BTC", "ETH", "SOL", "XRP", "LTC")
    told[POSITIONS] = wire.envelope(
        *(wire.position(f"{coin}-USDT-SWAP", "1", "100", "100") for coin in coins)
    )
    told[BALANCE]["data"][0]["details"][0].update(upl="0", isoUpl="0")
    rounds, replies = asked_in_turn(told)
    asked = [request for calls_ in requests(rounds) for request in calls_]

    assert INSTRUMENTS in asked
    assert FEES in asked
    assert "GET /api/v5/public/funding-rate?instId=ANY" in asked
    assert len(asked) == 3 + 1 + 1 + 4 + 2 + 1 + len(coins)
    # A listing that this morning's list does not know is asked for by its id.
    told[POSITIONS]["data"].append(wire.position("NEW-USDT-SWAP", "1", "1", "1"))
    again = Replies(
        [*(r for r in replies if r.request != POSITIONS), wire.reply(POSITIONS, told[POSITIONS])]
    )
    new = "instType=SWAP&instFamily=NEW-USDT&instId=NEW-USDT-SWAP"
    assert [call.request for call in EXCHANGE.needed(again)] == [
        f"GET /api/v5/public/instruments?{new}"
    ]


@pytest.mark.parametrize("level", ["1", "2", "3", "4"])
def test_an_idle_account_needs_three_calls(level):
    told = wire.bodies(wire.config(level), wire.envelope(), wire.balance())
    rounds, _ = asked_in_turn(told)

    assert requests(rounds) == [[CONFIG, BALANCE, POSITIONS], [*AROUND]]
    assert all(call.optional for call in rounds[1])


def test_a_row_without_a_mark_asks_for_it():
    told = examples.w7()
    told[POSITIONS]["data"][0]["markPx"] = ""
    rounds, _ = asked_in_turn(
        told
        | {
            "GET /api/v5/public/mark-price?instType=SWAP": wire.envelope(
                wire.mark("BTC-USDT-SWAP", "96000")
            )
        }
    )
    mark = next(call for call in rounds[-1] if call.path.endswith("mark-price"))
    assert mark.optional

    told["GET /api/v5/public/mark-price?instType=SWAP"] = wire.envelope(
        wire.mark("BTC-USDT-SWAP", "96001")
    )
    assert wire.snapshot(told).marks["BTC/USDT:USDT"].price == 96001


def test_numbers_are_read_as_json_numbers_too():
    told = examples.w7()
    for row in told[POSITIONS]["data"]:
        row["pos"], row["adl"] = int(row["pos"]), int(row["adl"])
    told[BALANCE]["data"][0]["details"][0]["cashBal"] = 1300

    assert evaluate((read := wire.snapshot(told)).pools[0], read.marks, read.at).requirement.ratio


def test_what_is_optional_in_meaning_is_none_where_it_is_not_told():
    told = wire.bodies(
        wire.config(), copy.deepcopy(examples.w7()[POSITIONS]), examples.w7()[BALANCE], stops=None
    )
    for row in told[POSITIONS]["data"]:
        del row["lever"], row["adl"], row["liqPx"], row["closeOrderAlgo"]
    position = wire.snapshot(told).pools[0].positions[0]

    assert position.leverage is None
    assert position.initial_rate is None
    assert position.adl_rank is None
    assert position.has_stop_loss is None
    assert position.reported_liquidation_price is None


def test_the_symbols_are_ccxts():
    held = [
        wire.position("BTC-USDT-SWAP", "1", "96000", "96000"),
        wire.position("BTC-USD-SWAP", "1", "96000", "96000", ccy="BTC"),
        wire.position("BTC-USDC-SWAP", "1", "96000", "96000", ccy="USDC"),
    ]
    coins = (wire.coin("USDT", "10"), wire.coin("BTC", "1"), wire.coin("USDC", "10"))
    told = wire.bodies(wire.config(), wire.envelope(*held), wire.balance(*coins))

    assert {i.exchange_symbol: i.symbol for i in wire.snapshot(told).instruments()} == {
        "BTC-USDT-SWAP": "BTC/USDT:USDT",
        "BTC-USD-SWAP": "BTC/USD:BTC",
        "BTC-USDC-SWAP": "BTC/USDC:USDC",
    }


def test_fees_of_several_kinds_are_asked_for_kind_by_kind():
    # Five requests in two seconds is all that this list allows.
    told = examples.w6() | loans.trading(loans.w1_row())
    told[BALANCE] = examples.w6()[BALANCE]
    told[CONFIG] = wire.config("3")
    held = [*examples.w6()[POSITIONS]["data"], loans.w1_row()]
    told[POSITIONS] = wire.envelope(*held, wire.position("ETH-USDT-SWAP", "1", "3600", "3600"))
    rounds, _ = asked_in_turn(told)
    asked = [call for calls_ in rounds for call in calls_ if "trade-fee" in call.path]

    assert {call.request.partition("?")[2] for call in asked} == {
        "instType=SWAP",
        "instType=FUTURES",
        "instType=MARGIN",
    }
    assert len(asked) == 3
    assert not any(call.optional for call in asked)
