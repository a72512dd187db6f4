"""Which reply answers which call."""

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
