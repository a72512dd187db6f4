"""Which reply answers which call."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.errors import MissingReply
from monitor.exchanges.call import Budget, Replies, Reply, RestCall

AT = datetime(2026, 11, 22, tzinfo=UTC)
BUDGET = Budget(name="weight", per_minute=100)


def reply(request: str, body: object = None, seconds: int = 0) -> Reply:
    return Reply(request=request, status=200, body=body, at=AT + timedelta(seconds=seconds))


def call(path: str, **query: str) -> RestCall:
    return RestCall(implicit="x", path=path, query=tuple(query.items()), budget=BUDGET)


# Noon is when it came, the exchange's clock is ahead by so many seconds.
@pytest.mark.parametrize(
    ("because", "ahead", "told", "ours"),
    [
        ("an hour ago by a clock an hour behind ours is now", -3600, -3600, 0),
        ("of that clock, ten seconds more are ten seconds", -3600, -3610, -10),
        ("nothing is of later than it came", -3600, -3599, 0),
        ("where the clocks agree what is old is old", 0, -3600, -3600),
        ("in an hour by a clock an hour ahead of ours is now", 3600, 3600, 0),
        ("of that clock, now is an hour ago", 3600, 0, -3600),
    ],
)
def test_a_time_that_the_exchange_tells_is_put_on_our_clock(
    because: str, ahead: float, told: float, ours: float
) -> None:
    came = Reply(request="GET /x", status=200, body={}, at=AT, ahead=timedelta(seconds=ahead))
    theirs = AT + timedelta(seconds=told)
    assert came.by_our_clock(theirs) == AT + timedelta(seconds=ours), because


def test_prices_without_a_time_are_of_when_they_were_asked_for() -> None:
    asked = AT - timedelta(seconds=3)
    slow = Reply(request="GET /x", status=200, body={}, at=AT, asked_at=asked)
    assert slow.priced_at == asked
    # Nor are those of later that are said to be: by how much the clocks differ is not so sure.
    assert slow.by_our_clock(AT - timedelta(seconds=1)) == asked
    assert slow.by_our_clock(AT - timedelta(seconds=4)) == AT - timedelta(seconds=4)
    # Live marks are put too early by as much as the clocks may be wrong, and so are these.
    vague = replace(slow, ahead_within=timedelta(seconds=2))
    assert vague.priced_at == asked - timedelta(seconds=2)
    # What was captured does not say when it was asked for.
    assert Reply(request="GET /x", status=200, body={}, at=AT).priced_at == AT


LIST = call("/v5/position/list", category="linear", settleCoin="USDT")


def test_a_request_is_written_as_it_is_sent() -> None:
    assert LIST.request == "GET /v5/position/list?category=linear&settleCoin=USDT"
    assert call("/time").request == "GET /time"


def test_a_reply_to_fewer_parameters_answers() -> None:
    replies = Replies([reply("GET /v5/position/list?category=linear", "all")])
    assert replies.get(LIST).body == "all"


def test_a_reply_to_other_parameters_does_not() -> None:
    replies = Replies(
        [
            reply("GET /v5/position/list?category=linear&settleCoin=USDC"),
            reply("GET /v5/position/list?category=linear&settleCoin=USDT&symbol=X"),
            reply("GET /v5/position"),
        ]
    )
    assert not replies.has(LIST)


def test_the_one_that_shares_most_answers_and_of_equals_the_newest() -> None:
    replies = Replies(
        [
            reply("GET /v5/position/list?settleCoin=USDT&category=linear", "old"),
            reply("GET /v5/position/list", "any", seconds=9),
            reply("GET /v5/position/list?category=linear&settleCoin=USDT", "new", seconds=1),
        ]
    )
    assert replies.get(LIST).body == "new"


def test_the_size_of_a_page_is_no_question_of_its_own() -> None:
    replies = Replies([reply("GET /v5/position/list?category=linear&limit=50&settleCoin=USDT")])
    assert replies.has(LIST)
    assert replies.has(call("/v5/position/list", category="linear", settleCoin="USDT", limit="200"))
    assert not replies.has(call("/v5/position/list", category="linear", settleCoin="USDC"))


@pytest.mark.parametrize("comma", [",", "%2C"])
def test_a_reply_to_several_things_at_once_answers_for_each(comma: str) -> None:
    replies = Replies([reply(f"GET /tiers?tdMode=cross&instFamily=BTC-USDT{comma}ETH-USDT")])
    assert replies.has(call("/tiers", tdMode="cross", instFamily="BTC-USDT"))
    assert replies.has(call("/tiers", tdMode="cross", instFamily="ETH-USDT"))
    assert not replies.has(call("/tiers", tdMode="cross", instFamily="ETH"))
    assert not replies.has(call("/tiers", tdMode="cross"))


def test_a_page_is_answered_only_by_that_page() -> None:
    first = "GET /v5/position/list?category=linear&settleCoin=USDT"
    page = call("/v5/position/list", category="linear", settleCoin="USDT", cursor="A%2C1")
    assert not Replies([reply(first)]).has(page)
    assert page.request.endswith("&cursor=A%252C1")
    both = Replies([reply(first, 1), reply(first + "&cursor=A%252C1", 2)])
    assert both.get(page).body == 2
    assert both.get(LIST).body == 1


@pytest.mark.parametrize("written", ["A,1", "A%2C1", "A%252C1"])
@pytest.mark.parametrize("asked", ["A,1", "A%2C1"])
def test_a_cursor_is_the_same_however_often_it_was_encoded(asked: str, written: str) -> None:
    first = "GET /v5/position/list?category=linear&settleCoin=USDT"
    page = call("/v5/position/list", category="linear", settleCoin="USDT", cursor=asked)
    replies = Replies([reply(first, 1), reply(f"{first}&cursor={written}", 2)])
    assert replies.get(page).body == 2
    assert not Replies([reply(f"{first}&cursor=A%252C2")]).has(page)


def test_a_missing_reply_is_named() -> None:
    with pytest.raises(MissingReply) as caught:
        Replies().get(LIST)
    assert LIST.request in str(caught.value)
