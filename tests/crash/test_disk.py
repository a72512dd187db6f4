"""What a loss of power may leave, by the model that the crash points go by."""

from __future__ import annotations

from tests.crash.disk import Disk, Files
from tests.crash.vfs import Op

FILE = "/disk/state/f"


def a_disk(*ops: Op) -> Disk:
    disk = Disk()
    for op in (Op("mkdir", "/disk/state"), Op("create", FILE), *ops):
        disk.do(op)
    return disk


def named(*ops: Op) -> Disk:
    """The same with every name on the disk."""
    return a_disk(Op("sync folder", "/disk"), Op("sync folder", "/disk/state"), *ops)


def contents(disk: Disk) -> set[bytes | None]:
    return {files.get(FILE) for files in disk.states(seed=1)}


def write(data: bytes, offset: int = 0) -> Op:
    return Op("write", FILE, offset, data)


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    disk = named(write(b"ab"), Op("sync", FILE), write(b"XY"))

    assert disk.certain() == {FILE: b"ab"}
    assert disk.arrived() == {FILE: b"XY"}
    assert contents(disk) == {b"ab", b"XY"}


def test_of_several_writes_any_may_be_lost_whatever_their_order() -> None:
    disk = named(write(b"a"), write(b"b", 1), write(b"c", 2))

    assert {b"", b"a", b"\0b", b"\0\0c", b"ab", b"a\0c", b"\0bc", b"abc"} >= contents(disk)
    assert {b"", b"\0\0c", b"ab", b"\0bc", b"abc"} <= contents(disk)


def test_a_file_is_no_safer_than_its_name_and_that_of_its_folder() -> None:
    synced = (write(b"a"), Op("sync", FILE))

    assert a_disk(*synced).certain() == {}
    assert a_disk(*synced, Op("sync folder", "/disk/state")).certain() == {}
    assert named(*synced).certain() == {FILE: b"a"}


def test_a_folder_is_no_file() -> None:
    disk = Disk()
    disk.do(Op("mkdir", "/disk/state"))
    disk.do(Op("sync folder", "/disk"))

    assert disk.certain() == disk.arrived() == {}


def test_a_name_taken_away_may_be_there_still() -> None:
    gone = (write(b"a"), Op("sync", FILE), Op("delete", FILE))

    assert contents(named(*gone)) == {b"a", None}
    assert contents(named(*gone, Op("sync folder", "/disk/state"))) == {None}


def test_a_sync_that_fails_gives_up_what_it_was_for() -> None:
    disk = named(write(b"ab"))
    disk.fail(Op("sync", FILE), 0)
    disk.do(write(b"c", 2))
    disk.do(Op("sync", FILE))

    assert disk.certain() == {FILE: b"\0\0c"}


def test_of_a_torn_write_a_beginning_or_some_sectors_are_there() -> None:
    page = b"1" * 512 + b"2" * 512
    found: list[Files] = list(named(write(b"0" * 1024), Op("sync", FILE)).torn(write(page)))
    texts = {files[FILE] for files in found}

    assert b"1" + b"0" * 1023 in texts
    assert page[:1023] + b"0" in texts
    assert b"1" * 512 + b"0" * 512 in texts
    assert b"0" * 512 + b"2" * 512 in texts
    assert page not in texts
