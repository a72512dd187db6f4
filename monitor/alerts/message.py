"""
What a person is told: a title and a body to act on.

Plain text only: no markup of any channel, no links. The words of the figures are in
`figures_text`; here stands what each subject says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts import words
from monitor.alerts.figures_text import concerned, figures_lines, known_lines, standing_lines
from monitor.alerts.incident import Step, Subject
from monitor.risk.model import ONE

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from monitor.alerts.facts import Facts
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.ladder import Severity

LONGEST = 3400
"""Characters of a body: every channel that people use takes that many in one message."""

_USEFUL_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """
    One message, before it is given to channels.

    `id` is unique and stable (incident id, step and time). `severity` is the one that channels
    choose by (for an end: the worst that the incident had). `step` is None for messages that
    belong to no incident's step. After `useful_until` nobody needs it any more.
    """

    id: str
    incident_id: str
    account: str
    severity: Severity
    step: Step | None
    title: str
    body: str
    created_at: datetime
    useful_until: datetime


def write(transition: Transition, facts: Facts) -> Notification:
    """The message of one step. The same step and facts give the same message."""
    incident = transition.after
    resolved = transition.step is Step.RESOLVED
    title, lines = _told(transition, facts)
    return Notification(
        id=f"{incident.id}-{transition.step.value}-{_microseconds(incident, transition.at)}",
        incident_id=incident.id,
        account=incident.account,
        severity=incident.worst_severity if resolved else incident.severity,
        step=transition.step,
        title=title,
        body=_fitted(lines, f"Incident {incident.id}, {words.moment(transition.at)}"),
        created_at=transition.at,
        useful_until=transition.at + _USEFUL_FOR,
    )


def _told(transition: Transition, facts: Facts) -> tuple[str, list[str]]:
    subject = transition.after.subject
    if subject.has_rungs:
        if transition.step is Step.RESOLVED:
            return _over(transition.after, facts)
        return _on_rung(transition, facts)
    writer = {
        Subject.STALE: _stale,
        Subject.BLIND: _blind,
        Subject.DISAGREES: _disagrees,
        Subject.KEY_TOO_POWERFUL: _key,
    }[subject]
    return writer(transition, facts)


def _on_rung(transition: Transition, facts: Facts) -> tuple[str, list[str]]:
    incident, pool = transition.after, facts.pool
    rung = facts.ladder.rung(incident.rung)
    name = (incident.rung or incident.subject.value).upper()
    enter = f" {words.threshold(rung.enter)}" if rung else ""
    if pool is None:
        return f"{_still(transition)}{name}{enter}: {_place(incident, facts)}", _where(
            incident, facts
        )
    if incident.subject is Subject.RATIO:
        how = f"at {words.ratio(pool.requirement.ratio)}"
    else:
        how = f"is {_left(pool.outlook.adverse_move if pool.outlook else None)} from liquidation"
    lines = [*standing_lines(transition, facts, rung), "", *figures_lines(pool)]
    return f"{_still(transition)}{name}{enter}: {_place(incident, facts)} {how}", lines


def _over(incident: Incident, facts: Facts) -> tuple[str, list[str]]:
    """The end of an incident on rungs; it must not sound like safety after a liquidation."""
    peak = _peak(incident)
    place = _place(incident, facts)
    lasted = _lasted(incident)
    if facts.gone is not None:
        return _positions_gone(incident, facts, peak, lasted)
    if facts.pool is None:
        return f"RESOLVED: {place}; {peak}", [*_where(incident, facts), lasted]
    ratio = words.ratio(facts.pool.requirement.ratio)
    first = f"Margin pool {incident.pool} on {facts.exchange} stands at a margin ratio of {ratio}."
    lines = [first, lasted, *standing_lines(None, facts, None)]
    title = f"RESOLVED: {place} at {ratio}"
    if _reached_the_end(incident):
        title = f"BACK FROM OVER 100 %: {place} at {ratio}, CHECK YOUR POSITIONS"
        lines.insert(2, _CHECK)
    return title, [*lines, "", *figures_lines(facts.pool)]


_CHECK = (
    "It stood at 100 % or above, where the exchange liquidates: check at the exchange which "
    "positions are left."
)


def _positions_gone(
    incident: Incident, facts: Facts, peak: str, lasted: str
) -> tuple[str, list[str]]:
    place = _place(incident, facts)
    lines = [f"All positions of pool {incident.pool} on {facts.exchange} are gone."]
    gone = facts.gone
    if gone is not None and gone.balance_before is not None and gone.balance_now is not None:
        before = words.money(gone.balance_before, gone.unit)
        lines.append(
            f"Its margin balance was {before} when they were last seen, "
            f"and is {words.money(gone.balance_now, gone.unit)} now."
        )
    if _reached_the_end(incident):
        lines.append(
            "It stood at 100 % or above before: it was most likely liquidated. "
            "Check the account at the exchange."
        )
        return f"POSITIONS GONE, LIQUIDATED? {place}; {peak}", [*lines, lasted]
    lines.append("If it was not you who closed them, check the account at the exchange.")
    return f"POSITIONS GONE: {place}; {peak}", [*lines, lasted]


def _stale(transition: Transition, facts: Facts) -> tuple[str, list[str]]:
    incident = transition.after
    place = f"{incident.account} ({facts.exchange})"
    if transition.step is Step.RESOLVED:
        lines = [f"Live mark prices of {place} arrive again. {_lasted(incident)}"]
        return f"RESOLVED: live marks of {place} are back", [*lines, "", *known_lines(facts)]
    lines = [
        f"Live mark prices of {_concerned(incident, facts)} are late or silent.",
        f"Why: {words.outside(incident.because)}.",
        (
            "Marks asked for by REST keep the figures going, and rungs are still told; between two "
            "of them a fast move is not seen."
        ),
        "",
        *known_lines(facts),
        "",
        "What to do: nothing while it is short. If it lasts, look at the account at the exchange.",
    ]
    return f"{_still(transition)}STALE: live marks of {place} are silent", lines


def _blind(transition: Transition, facts: Facts) -> tuple[str, list[str]]:
    incident = transition.after
    place = f"{incident.account} ({facts.exchange})"
    ratios = [known.ratio for known in concerned(facts) if known.ratio is not None]
    highest = words.ratio(max(ratios)) if ratios else ""
    if transition.step is Step.RESOLVED:
        lines = [f"The figures of {place} can be given again. {_lasted(incident)}"]
        now = f", at {highest}" if highest else ""
        return f"RESOLVED: {place} is seen again{now}", [*lines, "", *known_lines(facts)]
    since = f"since {words.moment(facts.since)}" if facts.since else "since the start"
    lines = [
        f"No figure can be given for {_concerned(incident, facts)} {since}.",
        f"Why: {words.outside(incident.because)}.",
        "",
        *(known_lines(facts) or ["Nothing was ever read of this account."]),
        "",
        f"What to do: {facts.to_do or _LOOK}",
    ]
    known = f"last known {highest}" if highest else "nothing known"
    return f"{_still(transition)}BLIND: {place}, {known}", lines


def _concerned(incident: Incident, facts: Facts) -> str:
    """The account and its exchange; before them the pools, where not all are concerned."""
    names = f"{', '.join(str(pool) for pool in facts.concerns)} of " if facts.concerns else ""
    return f"{names}{incident.account} on {facts.exchange}"


def _still(transition: Transition) -> str:
    return "STILL " if transition.step is Step.REPEATED else ""


_LOOK = "look at the account at the exchange itself until this is over; it is tried again."


def _disagrees(transition: Transition, facts: Facts) -> tuple[str, list[str]]:
    incident, pool = transition.after, facts.pool
    place = _place(incident, facts)
    if transition.step is Step.RESOLVED:
        lines = [*_where(incident, facts), f"Ours and theirs agree again. {_lasted(incident)}"]
        return f"RESOLVED: figures of {place} agree again", lines
    lines = [
        (
            f"For margin pool {incident.pool} on {facts.exchange} our figures and the exchange's "
            f"own differ at the same marks: {incident.because}."
        ),
        "The worse of the two drives the rungs until they agree again.",
    ]
    if pool is None or pool.reconciliation is None:
        return f"FIGURES DISAGREE: {place}", lines
    ours, theirs = pool.reconciliation.ours, pool.reconciliation.theirs
    lines.append(
        f"Ours: margin balance {words.money(ours.margin_balance, ours.unit)}, maintenance margin "
        f"{words.money(ours.maintenance_margin, ours.unit)}, ratio {words.ratio(ours.ratio)}."
    )
    if theirs is not None:
        parts = (
            ("margin balance", theirs.margin_balance),
            ("maintenance margin", theirs.maintenance_margin),
        )
        said = [f"{w} {words.money(v, ours.unit)}" for w, v in parts if v is not None]
        said += [f"ratio {words.ratio(theirs.ratio)}"] if theirs.ratio is not None else []
        lines.append(f"Theirs: {', '.join(said)}.")
    lines += ["", "What to do: go by the exchange's own figures, and tell us of the difference."]
    return f"FIGURES DISAGREE: {place}, worse of both {_at(pool.requirement.ratio)}", lines


def _key(transition: Transition, facts: Facts) -> tuple[str, list[str]]:
    incident = transition.after
    place = f"{incident.account} ({facts.exchange})"
    if transition.step is Step.RESOLVED:
        return f"RESOLVED: the key of {place} reads only", [_lasted(incident)]
    lines = [
        (
            f"The API key of {incident.account} on {facts.exchange} may do more than read: "
            f"{words.outside(incident.because)}."
        ),
        "The monitor needs none of that, and watches on.",
        "",
        (
            "What to do: make a read-only key and delete this one, "
            "or say allow_trading_key = true in the configuration."
        ),
    ]
    return f"{_still(transition)}KEY TOO POWERFUL: {place}", lines


def _place(incident: Incident, facts: Facts) -> str:
    """Account and exchange; the pool too where the account has several."""
    several = incident.pool is not None and len(facts.known) > 1
    return f"{incident.pool if several else incident.account} ({facts.exchange})"


def _where(incident: Incident, facts: Facts) -> list[str]:
    return [f"Margin pool {incident.pool} on {facts.exchange}."]


def _at(ratio: Decimal) -> str:
    return f"at {words.ratio(ratio)}"


def _left(adverse_move: Decimal | None) -> str:
    return "an unknown move" if adverse_move is None else words.distance(adverse_move)


def _peak(incident: Incident) -> str:
    if incident.worst is None:
        return "peak unknown"
    if incident.subject is Subject.LIQUIDATION_NEAR:
        return f"nearest {words.distance(incident.worst)}"
    return f"peak {words.ratio(incident.worst)}"


def _lasted(incident: Incident) -> str:
    over = incident.resolved_at or incident.changed_at
    lasted = words.duration((over - incident.opened_at).total_seconds())
    if incident.worst is None or incident.worst_at is None:
        return f"It lasted {lasted}."
    return f"It lasted {lasted}; {_peak(incident)} at {words.moment(incident.worst_at)}."


def _reached_the_end(incident: Incident) -> bool:
    if incident.worst is None:
        return False
    if incident.subject is Subject.LIQUIDATION_NEAR:
        return incident.worst <= 0
    return incident.worst >= ONE


def _microseconds(incident: Incident, at: datetime) -> int:
    return (at - incident.opened_at) // timedelta(microseconds=1)


def _fitted(lines: list[str], last: str) -> str:
    text = "\n".join(lines).strip()
    room = LONGEST - len(last) - 4
    if len(text) > room:
        text = f"{text[:room]}…"
    return f"{text}\n\n{last}"
