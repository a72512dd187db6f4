"""OKX's queries: how parameters are read, and the tables that they pick from."""

from collections.abc import Sequence

from aiohttp import web

from monitor.simulator import okx_auth as auth
from monitor.simulator import okx_public as public
from monitor.simulator.okx_rates import DISCOUNTS, PAIR_TIERS
from monitor.simulator.okx_tables import TIERS, Instrument

Row = dict[str, object]
TYPES = frozenset({"SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"})
_MOST_FAMILIES = 5
_PAGE = 100


def instruments(request: web.Request) -> Sequence[Row]:
    kind, family = kind_of(request), request.query.get("instFamily")
    if kind == "OPTION" and not (family or request.query.get("uly")):
        raise auth.missing_parameter("instFamily")
    found = public.instruments(kind, family or request.query.get("uly"))
    wanted = request.query.get("instId")
    found = [row for row in found if wanted in {None, row["instId"]}]
    if wanted and not found:
        raise auth.no_such_instrument()
    return [row for row in found if family in {None, row["instFamily"]}]


def tiers(request: web.Request) -> Sequence[Row]:
    kind = kind_of(request)
    if request.query.get("tdMode") not in {"cross", "isolated"}:
        raise auth.parameter_error("tdMode")
    families = listed(request, "instFamily", _MOST_FAMILIES)
    families = families or listed(request, "uly", _MOST_FAMILIES)
    if kind == "MARGIN":
        return _borrowing_tiers(request)
    if not families:
        raise auth.missing_parameter("instFamily")
    if not TIERS.get(kind, {}).keys() >= set(families):
        raise auth.parameter_error("instFamily")
    tier = request.query.get("tier")
    found = [row for family in families for row in public.position_tiers(kind, family)]
    return [row for row in found if tier in {None, row["tier"]}]


def _borrowing_tiers(request: web.Request) -> Sequence[Row]:
    """Of a coin, or of the pairs of MARGIN positions."""
    if "ccy" in request.query:
        return public.loan_tiers(request.query["ccy"])
    pairs = listed(request, "instId", _MOST_FAMILIES)
    if not pairs:
        raise auth.missing_parameter("instId or ccy")
    if not PAIR_TIERS.keys() >= set(pairs):
        raise auth.no_such_instrument()
    return [row for pair in pairs for row in public.pair_tiers(pair)]


def discounts(request: web.Request) -> Sequence[Row]:
    wanted = request.query.get("ccy")
    return [public.discounts(ccy) for ccy in DISCOUNTS if wanted in {None, ccy}]


def kind_of(request: web.Request) -> str:
    kind = request.query.get("instType", "")
    if not kind:
        raise auth.missing_parameter("instType")
    if kind not in TYPES:
        raise auth.parameter_error("instType")
    return kind


def is_asked(it: Instrument, request: web.Request) -> bool:
    family = request.query.get("instFamily") or request.query.get("uly")
    return request.query.get("instId") in {None, it.inst_id} and family in {None, it.family}


def listed(request: web.Request, name: str, most: int) -> list[str]:
    """The values of a comma-separated parameter."""
    values = [value for value in request.query.get(name, "").split(",") if value]
    if len(values) > most:
        raise auth.parameter_error(name)
    return values


def page_of(found: list[Row], key: str, request: web.Request) -> list[Row]:
    """One page: newest first, older than `after`, newer than `before`."""
    limit = request.query.get("limit", str(_PAGE))
    if not limit.isdecimal() or not 1 <= int(limit) <= _PAGE:
        raise auth.parameter_error("limit")
    after, before = request.query.get("after"), request.query.get("before")
    page = sorted(found, key=lambda row: int(str(row[key])), reverse=True)
    if after:
        page = [row for row in page if int(str(row[key])) < int(after)]
    if before:
        page = [row for row in page if int(str(row[key])) > int(before)]
    return page[: int(limit)]
