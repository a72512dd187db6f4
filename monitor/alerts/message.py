"""
What a person is told: a title and a body to act on.

Plain text only: no markup of any channel, no links. Here stands what is said of a pool on the
ladder; `message_on_opening` has the calm words, `message_on_key` those on the key,
`message_on_news` those on what the exchange did by itself, `message_on_data` all other
subjects, and `figures_text` the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.alerts import message_on_data as on_data
from monitor.alerts import message_on_key as on_key
from monitor.alerts import message_on_news as on_news
from monitor.alerts import words
from monitor.alerts.figures_text import distance_of, figures_lines, known_lines, standing_lines
from monitor.alerts.incident import Step, Subject
from monitor.alerts.ladder import Measure, Severity
from monitor.alerts.message_on_opening import calm
from monitor.alerts.naming import place, still, where
from monitor.risk.model import ONE, ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.alerts.facts import Facts, Gone, PoolFacts
    from monitor.alerts.incident import Incident, Transition
    from monitor.alerts.ladder import Rung
    from monitor.alerts.naming import Told

LONGEST = 3400
"""Characters of a body: every channel that people use takes that many in one message."""

_USEFUL_FOR = timedelta(days=1)
_USED_UP = (
    "So much was told of this within the hour that until {} only what is graver is: a higher "
    "rung, figures that are late or can't be given, what the exchange takes. What is open stays "
    "open until then; `margin-monitor status` shows how it stands."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """
    One message, before it is given to channels.

    `id` is unique and stable (incident id, step and time). `severity` is the one that channels
    choose by (for an end: the worst that the incident had). `step` is None for messages that
    belong to no incident's step. After `useful_until` nobody needs it any more. `news` is the
    severity of the rungs that are new in it: a pool that stands on a critical one already and
    reaches a milder one has little news. None where it is about no rungs, and after a restart.
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
    news: Severity | None = None

    @property
    def about(self) -> str:
        """What it is news of: its incident, or, where it belongs to none, only itself."""
        return self.incident_id or self.id

    @property
    def is_on_rungs(self) -> bool:
        """Whether it tells of rungs that prices brought a pool to, or of the end of that."""
        return self.news is not None

    @property
    def urgency(self) -> Severity:
        """How grave its news is: an end is none, but for what was most likely liquidated."""
        if self.news is not None:
            return self.news
        return Severity.INFO if self.step is Step.RESOLVED else self.severity


def write(
    transition: Transition, facts: Facts, used_up_until: datetime | None = None
) -> Notification:
    """
    The message of one step. The same step and facts give the same message.

    `used_up_until` is till when less is told, because so much was told within the hour.
    """
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
        body=_fitted(
            lines,
            _USED_UP.format(words.clock(used_up_until)) if used_up_until else "",
            f"Incident {incident.id}, {words.moment(transition.at)}",
        ),
        created_at=transition.at,
        useful_until=transition.at + _USEFUL_FOR,
        news=_news(transition, facts),
    )


def _news(transition: Transition, facts: Facts) -> Severity | None:
    """How grave the rungs are that a step reaches, or what has come to an end."""
    before, after = transition.before, transition.after
    if not after.subject.has_rungs:
        return None
    if transition.step is Step.RESOLVED:
        if _reached_the_end(after):
            return Severity.CRITICAL
        return Severity.INFO if facts.gone is None else Severity.WARNING
    if transition.step not in (Step.OPENED, Step.ESCALATED):
        return None
    held = () if before is None else before.alarms
    new = facts.ladder.highest(set(after.alarms) - set(held))
    return after.severity if new is None else new.severity


def _told(transition: Transition, facts: Facts) -> Told:
    subject = transition.after.subject
    if subject.has_rungs:
        if transition.step is Step.RESOLVED:
            return _over(transition, facts)
        if not transition.after.alarms:
            return calm(transition, facts)
        return _on_rung(transition, facts)
    writer = {
        Subject.STALE: on_data.stale,
        Subject.BLIND: on_data.blind,
        Subject.DISAGREES: on_data.disagrees,
        Subject.PREDICTION: on_data.prediction,
        Subject.KEY_TOO_POWERFUL: on_key.key,
        Subject.KEY_LACKS: on_key.lacks,
        Subject.KEY_ENDS: on_key.ends,
        Subject.MODE: on_data.mode,
        Subject.TIERS: on_data.tiers,
        Subject.TAKEN: on_news.taken,
        Subject.WARNED: on_news.warned,
        Subject.DRIFT: on_news.drift,
        Subject.SHRUNK: on_news.drift,
    }[subject]
    return writer(transition, facts)


def _on_rung(transition: Transition, facts: Facts) -> Told:
    incident, pool = transition.after, facts.pool
    rung = _told_of(transition, facts)
    name = (rung.name if rung else incident.rung or incident.subject.value).upper()
    enter = f" {words.threshold(rung.enter)}" if rung else ""
    title = f"{still(transition)}{name}{enter}: {place(incident, facts)}"
    if pool is None:
        return title, where(incident, facts)
    lines = [*standing_lines(transition, facts), "", *figures_lines(pool, transition.at)]
    return f"{title} {_how(rung, incident, facts, pool)}", lines


def _told_of(transition: Transition, facts: Facts) -> Rung | None:
    """The rung that the title names: of a deeper one just taken on it speaks, as the body does."""
    incident, ladder = transition.after, facts.ladder
    if transition.step is Step.TAKEN_ON:
        return ladder.highest((*incident.alarms, *incident.accepted))
    return ladder.rung(incident.rung)


def _how(rung: Rung | None, incident: Incident, facts: Facts, pool: PoolFacts) -> str:
    """Ratio and distance in a title: first what the gravest rung goes by, then the other."""
    ladder, held = facts.ladder, (*incident.alarms, *incident.accepted)
    ratio, left = f"at {words.ratio(pool.requirement.ratio)}", distance_of(pool)
    near = f"{'an unknown move' if left is None else words.distance(left)} from liquidation"
    if rung is not None and rung.on is Measure.DISTANCE:
        near = "at liquidation" if left == ZERO else near
        return f"is {near}" + (f", {ratio}" if ladder.top(held, Measure.RATIO) else "")
    is_near = left != ZERO and ladder.top(held, Measure.DISTANCE) is not None
    return f"{ratio}, {near}" if is_near else ratio


def _over(transition: Transition, facts: Facts) -> Told:
    """The end of an incident on rungs; it must not sound like safety after a liquidation."""
    incident = transition.after
    where_it_is = place(incident, facts)
    peak, lasted = _peak(incident, facts), _lasted(incident, facts)
    if facts.gone is not None:
        return _positions_gone(incident, facts, peak, lasted)
    pool = facts.pool
    if pool is None:
        return f"RESOLVED: {where_it_is}; {peak}", [*where(incident, facts), lasted]
    ratio, left = words.ratio(pool.requirement.ratio), distance_of(pool)
    how = f"at {ratio}"
    if left is not None and facts.ladder.top(incident.told, Measure.DISTANCE):
        how += f", {words.distance(left)} from liquidation"
    first = f"Margin pool {incident.pool} on {facts.exchange} stands at a margin ratio of {ratio}."
    lines = [first, lasted, *standing_lines(None, facts)]
    title = f"RESOLVED: {where_it_is} {how}"
    if _reached_the_end(incident):
        title = f"BACK FROM OVER 100 %: {where_it_is} {how}, CHECK YOUR POSITIONS"
        lines.insert(2, _CHECK)
    return title, [*lines, "", *figures_lines(pool, transition.at)]


_CHECK = (
    "It stood at 100 % or above, where the exchange liquidates: check at the exchange which "
    "positions are left."
)


def _positions_gone(incident: Incident, facts: Facts, peak: str, lasted: str) -> Told:
    where_it_is, gone = place(incident, facts), facts.gone
    if gone is not None and gone.by_mode:
        return _gone_by_mode(incident, facts, gone, lasted)
    lines = [f"All positions of pool {incident.pool} on {facts.exchange} are gone."]
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
        return f"POSITIONS GONE, LIQUIDATED? {where_it_is}; {peak}", [*lines, lasted]
    lines.append("If it was not you who closed them, check the account at the exchange.")
    return f"POSITIONS GONE: {where_it_is}; {peak}", [*lines, lasted]


def _gone_by_mode(incident: Incident, facts: Facts, gone: Gone, lasted: str) -> Told:
    lines = [
        (
            f"Margin pool {incident.pool} on {facts.exchange} is no more: the account's mode "
            f"changed {words.outside(gone.by_mode)}."
        ),
        "What it held is watched in the pools of the new mode.",
        lasted,
    ]
    if _reached_the_end(incident):
        lines.insert(2, _CHECK)
    title = f"RESOLVED: {incident.pool} ({facts.exchange}) is no more: the account's mode changed"
    return title, [*lines, "", *known_lines(facts)]


def _peak(incident: Incident, facts: Facts) -> str:
    """The highest ratio, the least distance, or both: by what rungs it was told."""
    near = facts.ladder.top(incident.told, Measure.DISTANCE) is not None
    said = []
    by_ratio = facts.ladder.top(incident.told, Measure.RATIO) is not None
    if incident.worst is not None and (by_ratio or not near or _reached_the_end(incident)):
        said.append(f"peak {words.ratio(incident.worst)}")
    if incident.nearest is not None and near and not _reached_the_end(incident):
        said.append(f"nearest {words.distance(incident.nearest)}")
    return ", ".join(said) or "peak unknown"


def _lasted(incident: Incident, facts: Facts) -> str:
    over = incident.resolved_at or incident.changed_at
    began = incident.openings[-1] if incident.openings else incident.opened_at
    said = [f"It lasted {words.duration((over - began).total_seconds())}"]
    near = facts.ladder.top(incident.told, Measure.DISTANCE) is not None
    if (
        incident.worst is not None
        and incident.worst_at is not None
        and (facts.ladder.top(incident.told, Measure.RATIO) or not near)
    ):
        ratio = words.ratio(incident.worst)
        said.append(f"peak {ratio} at {words.moment(incident.worst_at)}")
    if incident.nearest is not None and incident.nearest_at is not None and near:
        left = words.distance(incident.nearest)
        said.append(f"nearest {left} from liquidation at {words.moment(incident.nearest_at)}")
    return f"{'; '.join(said)}."


def _reached_the_end(incident: Incident) -> bool:
    return incident.worst is not None and incident.worst >= ONE


def _microseconds(incident: Incident, at: datetime) -> int:
    return (at - incident.opened_at) // timedelta(microseconds=1)


def _fitted(lines: list[str], *last: str) -> str:
    ending = "\n\n".join(each for each in last if each)
    text = "\n".join(lines).strip()
    room = LONGEST - len(ending) - 4
    if len(text) > room:
        text = f"{text[:room]}…"
    return f"{text}\n\n{ending}"
