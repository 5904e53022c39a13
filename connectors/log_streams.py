"""The file log as Bytewax sources and sinks: positions are offsets, items are whole batches of records.

A source gives one item per batch, keyed by its partition (or, merged, by its group), as columns of frames, so that there is no object
per record. A sink has written and synced what it was given before its snapshot is taken.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from connectors.file_log import Frames, LogReader, LogWriter, MergedReader, end_offsets
from connectors.file_log.prepared import PreparedFrames

BATCH_RECORDS: Final = 16_384
BATCH_BYTES: Final = 8 * 1024 * 1024
"""A batch ends near whichever it reaches first: enough records for array code, few enough bytes for a small machine."""
_IDLE: Final = timedelta(milliseconds=50)

Runs = list[Frames]
"""A batch in merged order: one run after the other, each of one partition."""
Entry = tuple[int, bytes, bytes]
"""What a log sink appends: (partition, key, payload)."""
Entries = Sequence[Entry] | PreparedFrames


class _Following:
    """When a source with nothing to read is asked again, and when it is over."""

    def __init__(self, stop: Event | None) -> None:
        self._stop = stop
        self._idle = False

    def settle(self, found: bool) -> None:
        """Note what the last look gave; raises StopIteration where nothing more is to come."""
        if not found and (self._stop is None or self._stop.is_set()):
            raise StopIteration
        self._idle = not found

    def next_awake(self) -> datetime | None:
        return datetime.now(UTC) + _IDLE if self._idle else None


class _MergedPartition(StatefulSourcePartition[tuple[str, Runs], tuple[int, ...]]):
    def __init__(self, key: str, reader: MergedReader, stop: Event | None) -> None:
        self._key = key
        self._reader = reader
        self._following = _Following(stop)

    def next_batch(self) -> Iterable[tuple[str, Runs]]:
        runs = self._reader.read_frames(BATCH_RECORDS, BATCH_BYTES)
        self._following.settle(bool(runs))
        return [(self._key, runs)] if runs else []

    def next_awake(self) -> datetime | None:
        return self._following.next_awake()

    def snapshot(self) -> tuple[int, ...]:
        return self._reader.next_offsets

    def close(self) -> None:
        self._reader.close()


class MergedLogSource(FixedPartitionedSource[tuple[str, Runs], tuple[int, ...]]):
    """All partitions of a topic as one stream in merged order, under one key.

    `stop` None: up to what the log holds now, then EOF. Otherwise it follows the log until `stop` is set.
    """

    def __init__(self, directory: Path, key: str, stop: Event | None = None) -> None:
        self._directory, self._key, self._stop = directory, key, stop

    def list_parts(self) -> list[str]:
        return [self._key]

    def build_part(self, step_id: str, for_part: str, resume_state: tuple[int, ...] | None) -> _MergedPartition:
        ends = end_offsets(self._directory)
        starts = resume_state or tuple(0 for _ in ends)
        reader = MergedReader(self._directory, starts, ends if self._stop is None else None)
        return _MergedPartition(self._key, reader, self._stop)


class _LogPartition(StatefulSourcePartition[tuple[str, Frames], int]):
    def __init__(self, key: str, reader: LogReader, end: int | None, stop: Event | None) -> None:
        self._key, self._reader, self._end = key, reader, end
        self._following = _Following(stop)

    def next_batch(self) -> Iterable[tuple[str, Frames]]:
        frames = self._reader.read_frames(BATCH_RECORDS, BATCH_BYTES, self._end)
        self._following.settle(bool(frames))
        return [(self._key, frames)] if frames else []

    def next_awake(self) -> datetime | None:
        return self._following.next_awake()

    def snapshot(self) -> int:
        return self._reader.offset

    def close(self) -> None:
        self._reader.close()


class LogSource(FixedPartitionedSource[tuple[str, Frames], int]):
    """Each partition of a topic as a stream of its own, keyed by its number; `stop` as for the merged source."""

    def __init__(self, directory: Path, stop: Event | None = None) -> None:
        self._directory, self._stop = directory, stop

    def list_parts(self) -> list[str]:
        return [str(partition) for partition in range(len(end_offsets(self._directory)))]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _LogPartition:
        partition = int(for_part)
        end = end_offsets(self._directory)[partition] if self._stop is None else None
        reader = LogReader(self._directory, partition, resume_state or 0)
        return _LogPartition(for_part, reader, end, self._stop)


class _LogSinkPartition(StatefulSinkPartition[Entries, None]):
    def __init__(self, writer: LogWriter, now_ms: Callable[[], int]) -> None:
        self._writer, self._now_ms = writer, now_ms

    def write_batch(self, values: list[Entries]) -> None:
        append_ms = self._now_ms()
        for entries in values:
            if isinstance(entries, PreparedFrames):
                self._writer.append_prepared(entries, append_ms)
            else:
                self._writer.append_many(entries, append_ms)
        self._writer.flush()

    def snapshot(self) -> None:
        self._writer.flush()


class LogSink(FixedPartitionedSink[Entries, None]):
    """Appends entries to a topic through its one writer, durable when a write returns."""

    def __init__(self, writer: LogWriter, now_ms: Callable[[], int]) -> None:
        self._writer, self._now_ms = writer, now_ms

    def list_parts(self) -> list[str]:
        return ["log"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _LogSinkPartition:
        return _LogSinkPartition(self._writer, self._now_ms)
