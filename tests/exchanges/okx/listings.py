"""
The tables of the worked examples, as whole lists.

Tier 1 of BTC and ETH, their contract sizes and the fee are of September 2026; the tiers above
and SOL's 1 % (W7) are made up.
"""

from __future__ import annotations

from typing import Any

Json = Any


def instrument(inst_id: str, value: str, lot: str = "0.01", **changes: Json) -> dict[str, Json]:
    """One perpetual: linear if it is quoted in USDT or USDC, inverse if in USD."""
    base, quote, _ = inst_id.split("-")
    inverse = quote == "USD"
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "instFamily": f"{base}-{quote}",
        "uly": f"{base}-{quote}",
        "ctType": "inverse" if inverse else "linear",
        "ctVal": value,
        "ctMult": "1",
        "ctValCcy": "USD" if inverse else base,
        "settleCcy": base if inverse else quote,
        "lever": "100",
        "lotSz": lot,
        "minSz": lot,
        "tickSz": "0.1",
        "state": "live",
        "expTime": "",
        "groupId": "4" if inverse else "1",
        **changes,
    }


def future(inst_id: str, value: str, expiry_ms: str) -> dict[str, Json]:
    """One expiry future, listed as the perpetual of its family is."""
    base, quote, _ = inst_id.split("-")
    return instrument(
        f"{base}-{quote}-SWAP", value, instType="FUTURES", instId=inst_id, expTime=expiry_ms
    )


def discount(ccy: str, *steps: str, least: str = "0") -> dict[str, Json]:
    """Steps of `maxAmt discountRate`; a maxAmt of ∞ is sent as nothing."""
    details, floor = [], "0"
    for number, step in enumerate(steps, 1):
        most, rate = step.split()
        details.append(
            {
                "tier": str(number),
                "minAmt": floor,
                "maxAmt": "" if most == "∞" else most,
                "discountRate": rate,
                "liqPenaltyRate": "0.02",
                "disCcyEq": "",
            }
        )
        floor = most
    return {"ccy": ccy, "amt": "", "colRes": "0", "minDiscountRate": least, "details": details}


INSTRUMENTS = (
    instrument("BTC-USDT-SWAP", "0.01"),
    instrument("ETH-USDT-SWAP", "0.1"),
    instrument("SOL-USDT-SWAP", "1"),
    instrument("XRP-USDT-SWAP", "100"),
    instrument("LTC-USDT-SWAP", "1"),
    instrument("BTC-USD-SWAP", "100", lot="0.1"),
    instrument("ETH-USD-SWAP", "10", lot="0.1"),
    instrument("BTC-USDC-SWAP", "0.0001", groupId="1"),
)
TIERS = {
    "BTC-USDT": ("1000 0.004 0.01", "2000 0.005 0.0133", "5000 0.01 0.02"),
    "ETH-USDT": ("5000 0.004 0.01", "10000 0.005 0.0133"),
    "SOL-USDT": ("50000 0.01 0.02", "100000 0.015 0.025"),
    "XRP-USDT": ("50000 0.005 0.02",),
    "LTC-USDT": ("20000 0.0065 0.02",),
    "BTC-USD": ("1000 0.004 0.01", "2000 0.005 0.0133"),
    "ETH-USD": ("20000 0.005 0.01",),
    "BTC-USDC": ("15000 0.005 0.0133", "30000 0.0075 0.02"),
}
DISCOUNTS = (
    discount("USDT", "∞ 1"),
    discount("USDC", "∞ 0.98"),
    discount("BTC", "20 0.98", "25 0.9775", "30 0.97"),
    discount("ETH", "1000 0.98", "2000 0.97"),
    discount("SOL", "20000 0.95"),
    discount("OKB", "10000 0.9"),
    discount("LTC", "10000 0.95"),
    discount("UNI", "10000 0.85"),
    discount("TRX", "1000000 0.85"),
    discount("ADA", "1000000 0.9"),
    discount("JFI", "∞ 0"),
    discount("DAI", "∞ 1"),
)
# What may be owed of a coin: `maxSz mmr imr`; made up but for W3's 3 % of BTC.
BORROWING = {
    "USDT": ("500000 0.02 0.2", "1000000 0.03 0.25"),
    "USDC": ("500000 0.02 0.2",),
    "BTC": ("25 0.03 0.1", "50 0.04 0.11"),
    "ETH": ("300 0.03 0.1",),
}
# 25 December 2026 and 26 March 2027, 08:00 UTC.
FUTURES = (
    ("BTC-USDT-261225", "0.01", "1798185600000"),
    ("BTC-USDT-270326", "0.01", "1806048000000"),
    ("LTC-USDT-261225", "1", "1798185600000"),
    ("BTC-USD-261225", "100", "1798185600000"),
    ("ETH-USD-261225", "10", "1798185600000"),
)
FUTURES_TIERS = {
    "BTC-USDT": ("500 0.005 0.0133", "1000 0.01 0.02"),
    "LTC-USDT": ("5000 0.013 0.02",),
    "BTC-USD": ("500 0.005 0.0133",),
    "ETH-USD": ("5000 0.01 0.02",),
}
