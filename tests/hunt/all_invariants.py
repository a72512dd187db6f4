"""All promises that a run is held against."""

from tests.hunt import charged, dead_man, detection, distance, flood, gathering, keeping, living
from tests.hunt.invariant import Invariant

ALL: tuple[type[Invariant], ...] = (
    detection.RungIsTold,
    detection.EndIsTold,
    detection.FreshOrTold,
    detection.StaleDrives,
    detection.ResolvedIsTrue,
    detection.NoFalseAlarm,
    detection.NoBadMark,
    charged.FundingIsTold,
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
    gathering.ManyAreGathered,
    gathering.NobodyIsLeftOut,
    living.FreshAgain,
    living.OutboxEmpties,
    living.NoChannelDelaysAnother,
    living.Bounded,
    dead_man.PingComes,
    dead_man.PingStops,
    dead_man.PingFails,
    living.NoBug,
    living.NoSecret,
)


def fresh() -> tuple[Invariant, ...]:
    """One of each, that have seen nothing yet."""
    return tuple(kind() for kind in ALL)
