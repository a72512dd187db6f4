"""Detection of what an exchange takes by itself: funding may bring a pool over a rung as well."""

from decimal import Decimal

from tests.hunt.detection import (
    HOLDS_SECONDS,
    READING_SECONDS,
    RECOVERY_SECONDS,
    WELL_SECONDS,
    WIRE,
    RungIsTold,
    began_at,
    is_exact,
    watched,
)
from tests.hunt.invariant import Invariant, Run
from tests.hunt.record import Charge


class FundingIsTold(Invariant):
    """
    A charge that takes a pool over a rung is told as any crossing.

    Within a second of its having held where the private stream tells the charge and all is well,
    within the poll interval and one more where only REST does.
    """

    name = "Detection.funding"

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0

    def look(self, found: Run) -> None:
        for charge in found.record.charges[self._judged :]:
            due = self._due(found, charge)
            if found.now <= due:
                return
            self._judged += 1
            if charge.account in watched(found) and self._is_well(found, charge):
                self._judge(found, charge, due)

    @staticmethod
    def _due(found: Run, charge: Charge) -> float:
        # The books are looked at once a second where all was calm.
        known = 1.0 + HOLDS_SECONDS + WELL_SECONDS + 0.5
        if charge.is_announced:
            return charge.at + known
        return charge.at + max(known, found.plan.poll_seconds + 1 + READING_SECONDS)

    @staticmethod
    def _is_well(found: Run, charge: Charge) -> bool:
        start = charge.at - RECOVERY_SECONDS
        return (
            is_exact(found, charge.account)
            and began_at(found) < start
            and not found.faults_on(charge.account, start - RECOVERY_SECONDS, found.now)
        )

    def _judge(self, found: Run, charge: Charge, due: float) -> None:
        account = charge.account
        found.record.counts["charges judged"] += 1
        for pool in found.record.pools(account):
            known = list(found.record.since(account, pool, charge.at))
            samples = [sample for sample in known if sample.at > charge.at]
            if not samples or known[0].at >= charge.at or not all(s.stakes for s in samples):
                continue
            before, lowest = known[0].ratio, min(sample.ratio for sample in samples)
            for rung, enter in found.ladder_on_ratio:
                threshold = Decimal(str(enter))
                if not before < threshold <= lowest - WIRE:
                    continue
                found.record.counts["charges over a rung"] += 1
                if not RungIsTold._is_told(found, account, pool, rung):
                    told = "announced" if charge.is_announced else "seen by REST alone"
                    self.violated(
                        found,
                        f"{account}/{pool} stands above {rung} by a charge of {charge.at:.1f} s, "
                        f"{told}, due by {due:.1f} s, and nobody was told",
                    )
