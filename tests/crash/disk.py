"""
What may be on a disk after the power went, given what was done to it before.

A write is certain once its file was synced after it, an entry of a folder once that folder was.
Of what is not certain anything may have arrived: all, nothing, each one alone, all but one; of a
single write a beginning or some of its sectors. Nothing else is assumed: no order between writes,
and no file system that syncs a folder along with a new file in it.

Model: the POSIX rules that https://www.sqlite.org/atomiccommit.html builds on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.vfs import SECTOR, Op

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Files = dict[str, bytes]
"""The files that are there, by path; folders are known by what is in them."""


@dataclass(eq=False)
class _Node:
    """A file, whatever its name is."""

    certain: bytearray = field(default_factory=bytearray)
    pending: list[Op] = field(default_factory=list)


@dataclass(eq=False)
class _Entry:
    """A change of a folder: a name that is given, taken away, or moved."""

    folder: str
    name: str
    node: _Node | None


class Disk:
    """Everything done to it, in order; `states` are what a loss of power may leave."""

    def __init__(self) -> None:
        self._names: dict[str, _Node] = {}  # as the process sees them
        self._certain: dict[str, _Node] = {}
        self._folders: set[str] = set()
        self._entries: list[_Entry] = []

    def do(self, op: Op) -> None:
        match op.kind:
            case "create" | "mkdir":
                self._enter(op.path, _Node())
                self._folders |= {op.path} if op.kind == "mkdir" else set()
            case "delete":
                self._enter(op.path, None)
            case "rename":
                node = self._names[op.path]
                self._enter(op.path, None)
                self._enter(op.to, node)
            case "write" | "truncate":
                self._names[op.path].pending.append(op)
            case "sync":
                node = self._names[op.path]
                for each in node.pending:
                    _apply(node.certain, each)
                node.pending.clear()
            case "sync folder":
                self._sync_folder(op.path)

    def fail(self, op: Op, arrived: int) -> None:
        """
        The operation failed. Of a write so many bytes may have arrived; what a sync was to make
        certain is given up by the kernel, and no later sync brings it back.
        """
        if op.kind == "write" and arrived and op.path in self._names:
            part = Op("write", op.path, op.offset, op.data[:arrived])
            self._names[op.path].pending.append(part)
        if op.kind == "sync" and op.path in self._names:
            self._names[op.path].pending.clear()

    def _enter(self, path: str, node: _Node | None) -> None:
        if node is None:
            self._names.pop(path, None)
        else:
            self._names[path] = node
        self._entries.append(_Entry(str(Path(path).parent), path, node))

    def _sync_folder(self, folder: str) -> None:
        for entry in [e for e in self._entries if e.folder == folder]:
            _change(self._certain, entry)
            self._entries.remove(entry)

    # -- what may be left -----------------------------------------------------------------

    def arrived(self) -> Files:
        """As if every write had arrived: what a killed process leaves behind."""
        return self._state(range(len(self._waiting())), len(self._entries))

    def certain(self) -> Files:
        """Nothing but what is certain."""
        return self._state((), 0)

    def states(self, seed: int) -> Iterator[Files]:
        """What a loss of power may leave, many of them, the same ones for the same seed."""
        count, entries = len(self._waiting()), len(self._entries)
        every = range(count)
        yield self._state((), 0)
        yield self._state(every, 0)
        for known in range(1, entries + 1):
            yield self._state((), known)
            yield self._state(every, known)
        for one in every:
            yield self._state([each for each in every if each != one], entries)
            yield self._state([one], entries)
        yield self._state(every[::2], entries)
        yield self._state(every[1::2], entries)
        dice = random.Random(seed)  # noqa: S311 - no secret
        for _ in range(3 if count > 2 else 0):
            yield self._state([each for each in every if dice.random() < 0.5], entries)

    def torn(self, op: Op) -> Iterator[Files]:
        """This write was under way: what there may be of it, after all others or after none."""
        if op.kind != "write" or op.path not in self._names:
            return
        every, entries = range(len(self._waiting())), len(self._entries)
        for part in _parts(op):
            yield self._state(every, entries, part)
        half = (Op("write", op.path, op.offset, op.data[: len(op.data) // 2]),)
        yield self._state((), entries, half)

    def torn_before(self, op: Op) -> Iterator[Files]:
        """A sync was under way: each of the writes that it waits for may be half there."""
        if op.kind != "sync":
            return
        waiting = self._waiting()
        for number, (_, each) in enumerate(waiting):
            if each.kind == "write" and len(each.data) > SECTOR:
                others = [other for other in range(len(waiting)) if other != number]
                half = Op("write", each.path, each.offset, each.data[: SECTOR * 3])
                yield self._state(others, len(self._entries), (half,))

    def _waiting(self) -> list[tuple[_Node, Op]]:
        nodes: dict[int, _Node] = {id(node): node for node in self._names.values()}
        nodes |= {id(node): node for node in self._certain.values()}
        return [(node, op) for node in nodes.values() for op in node.pending]

    def _state(self, arrived: Collection[int], entries: int, more: tuple[Op, ...] = ()) -> Files:
        names = dict(self._certain)
        for entry in self._entries[:entries]:
            _change(names, entry)
        contents = {id(node): bytearray(node.certain) for node in names.values()}
        wanted = set(arrived)
        for number, (node, op) in enumerate(self._waiting()):
            if number in wanted and id(node) in contents:
                _apply(contents[id(node)], op)
        for op in more:
            node = self._names[op.path]
            if id(node) in contents:
                _apply(contents[id(node)], op)
        # A folder without an entry of its own takes everything in it along.
        return {
            name: bytes(contents[id(node)])
            for name, node in names.items()
            if name not in self._folders and _is_reachable(name, names, self._names)
        }


def _is_reachable(name: str, names: dict[str, _Node], made: dict[str, _Node]) -> bool:
    """Whether every folder above that was made in this run is there as well."""
    return all(str(above) in names for above in Path(name).parents if str(above) in made)


def _change(names: dict[str, _Node], entry: _Entry) -> None:
    if entry.node is None:
        names.pop(entry.name, None)
    else:
        names[entry.name] = entry.node


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.offset :]
        content.extend(bytes(op.offset - len(content)))
        return
    if len(content) < op.offset:
        content.extend(bytes(op.offset - len(content)))
    content[op.offset : op.offset + len(op.data)] = op.data


def _parts(op: Op) -> Iterator[tuple[Op, ...]]:
    """A beginning of it, to the byte; or its sectors but for some."""
    size = len(op.data)
    for length in sorted({1, size // 2, size - 1} & set(range(1, size))):
        yield (Op("write", op.path, op.offset, op.data[:length]),)
    sectors = [
        Op("write", op.path, op.offset + start, op.data[start : start + SECTOR])
        for start in range(0, size, SECTOR)
    ]
    if len(sectors) < 2:
        return
    for number in range(len(sectors)):
        yield tuple(sectors[:number] + sectors[number + 1 :])
        yield (sectors[number],)
    yield tuple(sectors[::2])
    yield tuple(sectors[1::2])


def write(files: Files, folder: Path, begun: Path) -> None:
    """Put the files of a run that took place in `begun` into `folder`."""
    for name, content in files.items():
        path = folder / Path(name).relative_to(begun)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
