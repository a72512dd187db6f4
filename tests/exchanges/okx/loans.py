"""Margin trades, and the tables that they are figured with, as OKX would send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.exchanges.okx import wire

if TYPE_CHECKING:
    from tests.exchanges.okx.wire import Json

LOAN_FEES = "GET /api/v5/account/trade-fee?instType=MARGIN"


def trade_row(inst_id: str = "BTC-USDT", **changes: Json) -> dict[str, Json]:
    """An isolated margin trade at 96000; the caller tells its coins, debt and figures."""
    row = wire.position(
        inst_id, "0", "96000", "96000", instType="MARGIN", mgnMode="isolated", adl=""
    )
    return {**row, "posId": inst_id, "lever": "5", "interest": "0", **changes}


def w1_row() -> dict[str, Json]:
    """The official row of «Get positions»: an isolated long of margin trading."""
    return trade_row(
        posId="1752810569801498626",
        ccy="BTC",
        pos="0.00190433573",
        posCcy="BTC",
        liab="-99.9998177776581948",
        liabCcy="USDT",
        avgPx="62961.4",
        markPx="62891.9",
        upl="-0.0000033452492717",
        uplRatio="-0.0105311101755551",
        margin="0.000317654",
        mmr="0.0000318005395854",
        mgnRatio="9.404143929947395",
        liqPx="53615.448336593756",
        notionalUsd="119.756628017499",
    )


def loan_tiers(inst_id: str, *rows: str) -> Json:
    """Rows of `baseMaxLoan quoteMaxLoan mmr` for margin trading on one pair."""
    return wire.envelope(
        *(
            {
                "instFamily": "",
                "uly": "",
                "instId": inst_id,
                "tier": str(number),
                "minSz": "0",
                "maxSz": row.split()[0],
                "baseMaxLoan": row.split()[0],
                "quoteMaxLoan": row.split()[1],
                "mmr": row.split()[2],
                "imr": "0.1",
                "maxLever": "10",
                "optMgnFactor": "0",
            }
            for number, row in enumerate(rows, 1)
        )
    )


def trading(
    row: Json,
    *coins: Json,
    rate: str = "0.03",
    taker: str = "-0.001",
    steps: tuple[str, ...] = (),
    way: str = "isolated",
) -> dict[str, Json]:
    """A futures mode account with one margin trade, its tiers at one rate or in `steps`."""
    found = wire.bodies(wire.config(), wire.envelope(row), wire.balance(*coins))
    pair = {"instType": "MARGIN", "instId": row["instId"], "lotSz": "0.00000001", "groupId": "1"}
    base, quote = row["instId"].split("-")
    pair |= {"baseCcy": base, "quoteCcy": quote, "instFamily": "", "uly": "", "ctType": ""}
    found["GET /api/v5/public/instruments?instType=MARGIN"] = wire.envelope(pair)
    query = f"instType=MARGIN&tdMode={way}&instId={row['instId']}"
    told = steps or (f"100000 1000000000 {rate}",)
    found[f"GET /api/v5/public/position-tiers?{query}"] = loan_tiers(row["instId"], *told)
    found[LOAN_FEES] = wire.fees(taker, instType="MARGIN")
    return found
