"""`evaluate`: figures of a capture as text and as JSON, frame by frame, and at other marks."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.cli.capture import _capture
from tests.cli.background import KINDS, aside, exchange
from tests.end_to_end.kinds import NAME

D = Decimal


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One capture of each exchange."""
    found = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp("capture")
        with aside(exchange(kind, folder)) as (_, _, config):
            file = folder / "main.json"
            file.write_bytes(asyncio.run(_capture(NAME, config)))
        found[kind.split(maxsplit=1)[0]] = file
    return found


def only_pool(ended) -> dict:
    (account,) = ended.json["accounts"]
    (pool,) = account["pools"]
    return pool


def test_as_text_it_shows_pool_ratio_and_advice(files, typed) -> None:
    ended = typed("evaluate", files["binance"])
    assert (ended.code, ended.err) == (0, "")
    assert f"{NAME}/USDT" in ended.out
    assert "46.1 %" in ended.out
    assert "\x1b" not in ended.out


def test_several_files_are_several_accounts(files, typed) -> None:
    ended = typed("evaluate", *files.values(), "--json")
    assert [a["exchange"] for a in ended.json["accounts"]] == ["binance", "bybit", "okx"]


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC/USDT:USDT", "btcusdt"])
def test_a_mark_may_be_put_in_place_of_the_captured_one(symbol: str, files, typed) -> None:
    before = only_pool(typed("evaluate", files["binance"], "--json"))
    ended = typed("evaluate", files["binance"], "--json", "--mark", f"{symbol}=93321.7")
    pool = only_pool(ended)
    # 0.231 BTC long, 1,000 USDT lower; 0.4 % maintenance on it.
    assert D(pool["margin_balance"]) == D(before["margin_balance"]) - 231
    change = D(before["maintenance_margin"]) - D(pool["maintenance_margin"])
    assert change == 231 * D("0.004")
    marks = {p["exchange_symbol"]: p["mark_price"] for p in pool["positions"]}
    assert (marks["BTCUSDT"], marks["ETHUSDT"]) == ("93321.7", "3456.78")
    # The exchange's own figures are those of the reading.
    assert pool["reported"]["margin_balance"] == before["reported"]["margin_balance"]


def test_at_its_liquidation_price_the_pool_stands_at_the_end(files, typed) -> None:
    symbols = {"binance": "BTCUSDT", "bybit": "BTCUSDT", "okx": "BTC-USD-SWAP"}
    for exchange_name, symbol in symbols.items():
        pool = only_pool(typed("evaluate", files[exchange_name], "--json"))
        price = next(
            p["liquidation_price"] for p in pool["positions"] if p["exchange_symbol"] == symbol
        )
        there = typed("evaluate", files[exchange_name], "--json", "--mark", f"{symbol}={price}")
        assert abs(D(only_pool(there)["margin_ratio"]) - 1) < D("1e-9")
        assert only_pool(there)["rung"] == "critical"


def test_a_mark_for_what_no_file_holds_is_wrong_usage(files, typed) -> None:
    ended = typed("evaluate", files["binance"], "--mark", "DOGEUSDT=0.1")
    assert (ended.code, ended.out) == (2, "")
    assert "DOGEUSDT" in ended.err


def test_each_gives_a_line_after_the_snapshot_and_after_every_frame(files, tmp_path, typed) -> None:
    capture = json.loads(files["binance"].read_text(encoding="utf-8"))
    at = capture["at"]
    capture["frames"] = [_mark_frame(at, "BTCUSDT", price) for price in ("94000", "93000.5")]
    file = tmp_path / "frames.json"
    file.write_text(json.dumps(capture), encoding="utf-8")
    ended = typed("evaluate", file, "--each")
    assert (ended.code, ended.err) == (0, "")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    balances = [D(line["accounts"][0]["pools"][0]["margin_balance"]) for line in lines]
    start = D("1282.03270678")  # as the exchange's own books have it
    long = D("0.231")
    assert balances == [
        start,
        start - long * (D("94321.7") - 94000),
        start - long * (D("94321.7") - D("93000.5")),
    ]
    last = only_pool(typed("evaluate", file, "--json"))
    assert D(last["margin_balance"]) == balances[-1]


def _mark_frame(at: str, symbol: str, price: str) -> dict:
    event = {"e": "markPriceUpdate", "E": 1795363200000, "s": symbol, "p": price, "i": price}
    text = json.dumps({"stream": f"{symbol.lower()}@markPrice@1s", "data": event})
    return {"feed": "marks", "path": "/market/stream", "at": at, "text": text}


# --- what can't be evaluated


def spoiled(source: Path, target: Path, change) -> Path:
    capture = json.loads(source.read_text(encoding="utf-8"))
    change(capture)
    target.write_text(json.dumps(capture), encoding="utf-8")
    return target


def test_a_file_that_is_not_there_is_work_that_could_not_be_done(tmp_path, typed) -> None:
    ended = typed("evaluate", tmp_path / "none.json")
    assert (ended.code, ended.out) == (1, "")
    assert "none.json" in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>", "a capture file in JSON"),
        ("[]", "wrong.json: expected an object, found []"),
        ("{}", "format"),
        ('{"format": "margin-monitor-capture/9"}', "margin-monitor-capture/1"),
    ],
)
def test_a_file_that_is_no_capture_says_what_was_expected(text, said, tmp_path, typed) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text, encoding="utf-8")
    ended = typed("evaluate", file)
    assert (ended.code, ended.out) == (3, "")
    assert "wrong.json" in ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("exchange_name", "request_part"),
    [
        ("binance", "/fapi/v3/positionRisk"),
        ("binance", "/fapi/v1/leverageBracket"),
        ("bybit", "/v5/account/wallet-balance"),
        ("bybit", "/v5/market/risk-limit"),
        ("okx", "/api/v5/account/positions"),
        ("okx", "/api/v5/public/position-tiers"),
    ],
)
def test_a_needed_reply_that_is_missing_is_named(
    exchange_name, request_part, files, tmp_path, typed
) -> None:
    def without(capture: dict) -> None:
        before = len(capture["replies"])
        capture["replies"] = [r for r in capture["replies"] if request_part not in r["request"]]
        assert len(capture["replies"]) < before

    file = spoiled(files[exchange_name], tmp_path / "lacking.json", without)
    ended = typed("evaluate", file, "--json")
    assert (ended.code, ended.out) == (3, "")
    assert request_part in ended.err


@pytest.mark.parametrize(
    ("exchange_name", "request_part", "path", "said"),
    [
        ("binance", "/fapi/v3/positionRisk", (0, "entryPrice"), "positionRisk[0].entryPrice"),
        ("bybit", "/v5/position/list", ("result", "list", 0, "size"), "list[0].size"),
        ("okx", "/api/v5/account/positions", ("data", 0, "avgPx"), "data[0].avgPx"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_with_its_place(  # noqa: PLR0917 - a table's columns
    exchange_name, request_part, path, said, files, tmp_path, typed
) -> None:
    def spoil(capture: dict) -> None:
        for reply in capture["replies"]:
            rows = reply["body"]
            if request_part not in reply["request"] or "settleCoin=USDC" in reply["request"]:
                continue
            for step in path[:-1]:
                rows = rows[step]
            rows[path[-1]] = "a lot"
            return

    file = spoiled(files[exchange_name], tmp_path / "spoiled.json", spoil)
    ended = typed("evaluate", file, "--json")
    assert (ended.code, ended.out) == (3, "")
    assert said in ended.err
    assert request_part.rpartition("/")[2] in ended.err


def test_what_is_not_modelled_is_named(files, tmp_path, typed) -> None:
    def classic(capture: dict) -> None:
        for reply in capture["replies"]:
            if "/v5/account/info" in reply["request"]:
                reply["body"]["result"]["unifiedMarginStatus"] = 1

    file = spoiled(files["bybit"], tmp_path / "classic.json", classic)
    ended = typed("evaluate", file)
    assert (ended.code, ended.out) == (3, "")
    assert "lassic" in ended.err
    assert "upgrade" in ended.err.lower()
