"""The one writer of a topic: appends are buffered, `flush` makes them durable and then visible."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from connectors.file_log.frame import APPEND_MS_LIMIT, MAX_KEY_BYTES, MAX_PAYLOAD_BYTES, encode_header, partition_of
from connectors.file_log.repair import TailCut, repair_topic
from connectors.file_log.topic import Committed, Topic, open_topic

if TYPE_CHECKING:  # what makes them loads the compiler, which takes half a second
    import numpy as np
    from numpy.typing import NDArray

    from connectors.file_log.prepared import PreparedFrames

MAX_BUFFERED_BYTES = 16 * 1024 * 1024
_LOOK_AGAIN_S = 0.01
_PIECES_AT_ONCE = 1024  # Linux takes no more

logger = logging.getLogger(__name__)


class UnableToLock(Exception):
    """Somebody else writes this topic."""


class UnableToAppend(Exception):
    """A record is out of bounds, or the writer has failed or is closed; nothing of it will be acknowledged."""


class _Flush(NamedTuple):
    """What is made durable, then visible, together: `frames` of each partition, which take it from `starts` to `ends`."""

    frames: list[list[bytes | memoryview]]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    stamp_ms: int


class LogWriter:
    """Appends to the partitions of a topic. There is one at a time, among all processes; threads may share it.

    Opening repairs torn tails (`cuts` says what was removed; it is logged too) and raises UnableToLock, UnableToOpenTopic or
    UnableToRepair. Leaving the context flushes, unless an exception is on its way: then what was not flushed is dropped.
    """

    topic: Topic
    cuts: tuple[TailCut, ...]
    _ends: tuple[int, ...]  # acknowledged
    _under_way: Future[None] | None  # the flush of what lies behind them
    _starts: tuple[int, ...]  # where what is buffered begins
    _buffers: list[list[bytes | memoryview]]  # frames, whole or in pieces
    _buffered_bytes: int
    _next_offsets: list[int]  # where the next append goes
    _stamp_ms: int  # no later record may be stamped below it

    def __init__(self, directory: Path | str, trust_committed: bool = False, wait_s: float = 0) -> None:
        """`trust_committed` checks only what lies beyond the last acknowledged flush, for logs too long to read at a start.

        `wait_s`: how long another writer, which may only be appending a batch, is waited for.
        """
        self.topic = open_topic(directory)
        self._mutex = RLock()
        self._closed_because: str | None = None
        self._disk: ThreadPoolExecutor | None = None
        self._under_way = None
        self._descriptors = [_lock(self.topic, wait_s)]
        try:
            committed, self.cuts = repair_topic(self.topic, trust_committed)
            self._open(committed)
        except BaseException:
            self.abandon()
            raise
        for cut in self.cuts:
            logger.warning("%s", cut)

    @property
    def partitions(self) -> int:
        return self.topic.partitions

    def partition_of(self, key: bytes) -> int:
        """Where records of this key go."""
        return partition_of(key, self.topic.partitions)

    def end_offsets(self) -> tuple[int, ...]:
        """The acknowledged end of every partition."""
        with self._mutex:
            return self._ends

    def append(self, partition: int, key: bytes, payload: bytes, append_ms: int) -> int:
        """Buffer one record and return its offset; it counts for nothing before `flush` returns.

        It is stamped with `append_ms`, or with the topic's latest stamp if that is greater; the first record of a flush is stamped
        above every earlier flush. What is buffered beyond 16 MiB is flushed meanwhile. Raises UnableToAppend.
        """
        return self.append_many(((partition, key, payload),), append_ms)[0]

    def append_many(self, entries: Iterable[tuple[int, bytes, bytes]], append_ms: int) -> list[int]:
        """Buffer (partition, key, payload) one after the other, all with `append_ms`; returns their offsets.

        Raises as `append`; what came before the one that is out of bounds stays buffered.
        """
        offsets = []
        with self._mutex:
            self._check(0, b"", b"", append_ms)
            ends, buffers, partitions = self._next_offsets, self._buffers, self.partitions
            for partition, key, payload in entries:
                if len(key) > MAX_KEY_BYTES or len(payload) > MAX_PAYLOAD_BYTES or not 0 <= partition < partitions:
                    self._check(partition, key, payload, append_ms)
                if self._stamp_ms < append_ms:
                    self._stamp_ms = append_ms
                header = encode_header(self._stamp_ms, key, payload)
                length = len(header) + len(key) + len(payload)
                offsets.append(ends[partition])
                buffers[partition] += (header, key, payload)
                ends[partition] += length
                self._buffered_bytes += length
                if self._buffered_bytes > MAX_BUFFERED_BYTES:
                    self._flush_meanwhile()
                    buffers = self._buffers
        return offsets

    def append_prepared(self, frames: PreparedFrames, append_ms: int) -> NDArray[np.int64]:
        """Buffer frames that array code made, all with one stamp, under the rules of `append`; returns their offsets.

        Raises UnableToAppend, and takes none.
        """
        with self._mutex:
            offsets = frames.starts[:-1].copy()
            self._refuse_when_closed()
            if frames.partitions != self.topic.partitions:
                raise UnableToAppend(f"{self.topic.directory}: frames for {frames.partitions} partitions")
            self._check(*(frames.out_of_bounds() or (0, b"", b"")), append_ms)
            self._stamp_ms = max(self._stamp_ms, append_ms)
            for partition in range(self.topic.partitions):
                sealed = frames.sealed(partition, self._stamp_ms)
                low, high = frames.first[partition : partition + 2]
                offsets[low:high] += self._next_offsets[partition] - frames.starts[low]
                if sealed:
                    self._buffers[partition].append(sealed)
                    self._next_offsets[partition] += len(sealed)
                    self._buffered_bytes += len(sealed)
            if self._buffered_bytes > MAX_BUFFERED_BYTES:
                self._flush_meanwhile()
        return offsets

    def flush(self) -> tuple[int, ...]:
        """Make everything appended so far durable, then visible; returns the acknowledged ends.

        The writes, then one fsync, for each partition touched. A crash inside keeps some of the records: a prefix in each partition.
        When the disk refuses, this writer is finished: the kernel may have dropped the pages, so only opening the log anew tells
        what is there. Raises UnableToAppend where it refused what was flushed meanwhile.
        """
        with self._mutex:
            self._settle()
            self._refuse_when_closed()
            if self._buffered_bytes:
                self._carry_out(self._taken())
            return self._ends

    def close(self) -> None:
        """Flush and let go of the topic; nothing when that is done already. Raises UnableToAppend when an earlier flush failed."""
        with self._mutex:
            if self._descriptors:
                try:
                    self.flush()
                finally:
                    self.abandon()

    def abandon(self) -> None:
        """Let go of the topic without flushing: what was appended since the last flush is dropped."""
        with self._mutex:
            self._settle()
            self._closed_because = self._closed_because or "this writer is closed"
            if self._disk is not None:
                self._disk.shutdown()
            while self._descriptors:
                os.close(self._descriptors.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def _open(self, committed: Committed) -> None:
        self._ends = self._starts = committed.ends
        self._next_offsets = list(committed.ends)
        self._buffers = [[] for _ in committed.ends]
        self._buffered_bytes = 0
        self._stamp_ms = committed.append_ms
        paths = [self.topic.log_path(partition) for partition in range(self.topic.partitions)]
        files = [os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in paths]
        self._descriptors += files
        self._files = files
        self._committed_file = os.open(self.topic.committed_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._descriptors.append(self._committed_file)
        self._publish(committed)
        self._stamp_ms += 1

    def _taken(self) -> _Flush:
        """What is buffered, to be flushed. Whatever comes next is stamped above all that its readers will see."""
        taken = _Flush(self._buffers, self._starts, tuple(self._next_offsets), self._stamp_ms)
        self._buffers = [[] for _ in taken.ends]
        self._buffered_bytes = 0
        self._starts = taken.ends
        self._stamp_ms += 1
        return taken

    def _flush_meanwhile(self) -> None:
        """Begin to flush what is buffered, in a thread of its own; one flush at a time."""
        self._settle()
        self._refuse_when_closed()
        if self._disk is None:
            self._disk = ThreadPoolExecutor(1, "log")
        self._under_way = self._disk.submit(self._carry_out, self._taken())

    def _settle(self) -> None:
        """Wait for the flush that is under way. Where the disk refused it, nothing is appended any more."""
        if self._under_way is not None:
            self._under_way.exception()
            self._under_way = None

    def _carry_out(self, flush: _Flush) -> None:
        try:
            touched = [partition for partition, frames in enumerate(flush.frames) if frames]
            for partition in touched:
                _write_all(self._files[partition], flush.frames[partition], flush.starts[partition])
            for partition in touched:
                os.fsync(self._files[partition])
            self._ends = flush.ends
            self._publish(Committed(flush.ends, flush.stamp_ms))
        except BaseException as cause:
            self._closed_because = f"an earlier flush failed ({cause!r}): open the log again"
            raise

    def _publish(self, committed: Committed) -> None:
        """Show readers the new ends."""
        _write_all(self._committed_file, [committed.encode()], 0)

    def _check(self, partition: int, key: bytes, payload: bytes, append_ms: int) -> None:
        self._refuse_when_closed()
        where = self.topic.directory
        if not 0 <= partition < self.topic.partitions:
            raise UnableToAppend(f"{where}: no partition {partition}; there are {self.topic.partitions}")
        if len(key) > MAX_KEY_BYTES:
            raise UnableToAppend(f"{where}: a key of {len(key)} bytes; at most {MAX_KEY_BYTES}")
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise UnableToAppend(f"{where}: a payload of {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES}")
        if not 0 <= append_ms < APPEND_MS_LIMIT:
            raise UnableToAppend(f"{where}: append_ms {append_ms} is no time in milliseconds since 1970")

    def _refuse_when_closed(self) -> None:
        if self._closed_because is not None:
            raise UnableToAppend(f"{self.topic.directory}: {self._closed_because}")


def _lock(topic: Topic, wait_s: float) -> int:
    path = topic.directory / "writer.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    until = time.monotonic() + wait_s
    while not _is_locked(descriptor):
        if time.monotonic() >= until:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise UnableToLock(f"{topic.directory}: another writer has this topic open (process {holder})")
        time.sleep(_LOOK_AGAIN_S)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _is_locked(descriptor: int) -> bool:
    """Whether the lock was free, and now is ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(descriptor: int, pieces: Sequence[bytes | memoryview], offset: int) -> None:
    """Write the pieces one behind the other. They are not joined first: there may be 64 MB of them."""
    for at in range(0, len(pieces), _PIECES_AT_ONCE):
        some = pieces[at : at + _PIECES_AT_ONCE]
        length = sum(map(len, some))
        written = os.pwritev(descriptor, some, offset)
        if written < length:
            remaining = memoryview(b"".join(some))
            while written < length:
                written += os.pwrite(descriptor, remaining[written:], offset + written)
        offset += length
