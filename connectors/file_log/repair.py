"""What the writer does before it writes: read the frames, cut a torn tail, refuse corruption.

A crash stops an append somewhere: the file ends inside a frame, or in bytes that never were one. Nothing of that was acknowledged, so
it is cut, and reported. Everything else that does not read as frames is damage to acknowledged records, and not ours to mend.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from connectors.file_log.frame import HEADER_BYTES, valid_frame
from connectors.file_log.topic import Committed, Topic, open_topic, read_committed


class UnableToRepair(Exception):
    """The log is damaged where acknowledged records are; the message names the file and the offset."""


@dataclass(frozen=True, slots=True)
class TailCut:
    """A torn tail: what stood from `offset` to the end of the file, `cut_bytes` long, was removed."""

    path: Path
    partition: int
    offset: int
    cut_bytes: int

    def __str__(self) -> str:
        return f"{self.path}: cut {self.cut_bytes} bytes of an unfinished append at offset {self.offset}"


@dataclass(frozen=True, slots=True)
class _Scan:
    """Where the valid frames end, the highest append_ms seen, and how long the file is."""

    end: int
    append_ms: int
    size: int


def repair_topic(topic: Topic, trust_committed: bool = False) -> tuple[Committed, tuple[TailCut, ...]]:
    """Cut torn tails; return what the topic durably holds and the cuts. The caller holds the writer's lock.

    `trust_committed` reads only what lies beyond the committed vector, for logs too long to read at each start; damage below
    it is then found by whoever reads it. Raises UnableToRepair for corruption; no file is changed when any partition has some.
    """
    committed = read_committed(topic) or Committed((0,) * topic.partitions, -1)
    scans = [_checked_scan(topic, partition, committed, trust_committed) for partition in range(topic.partitions)]
    cuts = tuple(
        TailCut(topic.log_path(partition), partition, scan.end, scan.size - scan.end)
        for partition, scan in enumerate(scans)
        if scan.size > scan.end
    )
    for partition, scan in enumerate(scans):
        if scan.size > scan.end or scan.end > committed.ends[partition]:
            _truncate_durably(topic.log_path(partition), scan.end)
    append_ms = max(committed.append_ms, *(scan.append_ms for scan in scans))
    return Committed(tuple(scan.end for scan in scans), append_ms), cuts


def verify_topic(directory: Path | str) -> list[str]:
    """Read every acknowledged frame and say what is wrong; empty when nothing is. Changes nothing, and may run beside a writer."""
    topic = open_topic(directory)
    committed = read_committed(topic)
    if committed is None:
        return [f"{topic.committed_path}: missing or unreadable; opening the topic for writing makes it anew"]
    problems = []
    for partition, promised in enumerate(committed.ends):
        try:
            _verify_acknowledged(topic.log_path(partition), promised)
        except UnableToRepair as problem:
            problems.append(str(problem))
    return problems


def _verify_acknowledged(path: Path, promised: int) -> None:
    _size_of(path, promised)
    if promised == 0:  # which mmap refuses
        return
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), promised, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as view,
    ):
        end, _ = _last_valid(view, 0)
    if end < promised:
        raise UnableToRepair(_corrupt_below(path, end, promised))


def _checked_scan(topic: Topic, partition: int, committed: Committed, trust_committed: bool) -> _Scan:
    path, promised = topic.log_path(partition), committed.ends[partition]
    size = _size_of(path, promised)
    if size == 0:
        return _Scan(0, -1, 0)
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as view,
    ):
        end, append_ms = _last_valid(view, promised if trust_committed else 0)
        if end < size:
            _refuse_corruption(path, mapped, view, end, promised)
    return _Scan(end, append_ms, size)


def _size_of(path: Path, promised: int) -> int:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise UnableToRepair(f"{path}: missing; restore the file from a copy") from None
    if size < promised:
        raise UnableToRepair(
            f"{path}: {size} bytes, but {promised} were acknowledged: the end of the log is lost; restore the file from a copy"
        )
    return size


def _last_valid(view: memoryview, start: int) -> tuple[int, int]:
    at, latest_ms = start, -1
    while (frame := valid_frame(view, at)) is not None:
        at += frame[0]
        latest_ms = max(latest_ms, frame[1])
    return at, latest_ms


def _refuse_corruption(path: Path, mapped: mmap.mmap, view: memoryview, damaged: int, promised: int) -> None:
    if damaged < promised:
        raise UnableToRepair(_corrupt_below(path, damaged, promised))
    following = _find_frame(mapped, view, damaged + 1)
    if following is not None:
        raise UnableToRepair(
            f"{path}: no valid record at offset {damaged}, but one follows at {following}: the log is corrupt, not torn; "
            "restore the file from a copy"
        )


def _corrupt_below(path: Path, damaged: int, promised: int) -> str:
    return (
        f"{path}: no valid record at offset {damaged}, below the acknowledged end {promised}: the log is corrupt; "
        "restore the file from a copy"
    )


def _find_frame(mapped: mmap.mmap, view: memoryview, start: int) -> int | None:
    """The first intact frame at or after `start`. The top two bytes of a stamp are zero: they lead from one candidate to the next."""
    stamp_top = 14  # bytes 14 and 15 of a frame
    found = mapped.find(b"\0\0", start + stamp_top)
    while found >= 0 and found - stamp_top + HEADER_BYTES <= len(view):
        if valid_frame(view, found - stamp_top) is not None:
            return found - stamp_top
        found = mapped.find(b"\0\0", found + 1)
    return None


def _truncate_durably(path: Path, size: int) -> None:
    """Also for frames that are whole but were never acknowledged: they stay, so from now on they must survive."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
