"""All promises that a run is held against."""

from tests.hunt import detection, distance, flood, keeping, living
from tests.hunt.invariant import Invariant

ALL: tuple[type[Invariant], ...] = (
    detection.RungIsTold,
    detection.EndIsTold,
    detection.FreshOrTold,
    detection.StaleDrives,
    detection.ResolvedIsTrue,
    detection.NoFalseAlarm,
    detection.NoBadMark,
    distance.DistanceIsTold,
    distance.NoFalseDistance,
    keeping.RowBeforeByte,
    keeping.NothingIsLost,
    keeping.FewDuplicates,
    keeping.NeverLowerAfterHigher,
    keeping.RestartIsQuiet,
    flood.FewAnHour,
    flood.OscillationIsQuiet,
    flood.CrashIsShort,
    flood.PaceIsKept,
    living.FreshAgain,
    living.OutboxEmpties,
    living.NoChannelDelaysAnother,
    living.Bounded,
    living.NoBug,
    living.NoSecret,
)


def fresh() -> tuple[Invariant, ...]:
    """One of each, that have seen nothing yet."""
    return tuple(kind() for kind in ALL)
