"""Where the rows of one shape find their input: a directory with the logs, and the curated readings as lines of JSON for peers."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from benchmarks.sizes import Size
from benchmarks.workload import gate, readings, reads_in, reference
from connectors.codec import decode, encode
from connectors.file_log import Frames, LogReader, Record
from connectors.log_streams import BATCH_BYTES, BATCH_RECORDS
from meterfold.clock import now_ms
from meterfold.raw_records import append_raw
from meterfold.running import run_once
from meterfold.workspace import CURATED_PARTITIONS, Paths, Workspace

_CHUNK: Final = 10_000
_READINGS: Final = ("intervals", "register")


def paths_of(root: Path) -> Paths:
    """The data directory of a shape."""
    return Paths(root / "data")


def lines_of(root: Path) -> Path:
    """The curated readings, one JSON object a line, in the order of their partitions."""
    return root / "curated.ndjson"


def receive(workspace: Workspace, size: Size) -> int:
    """Bring the tables up to the reference data, and append the readings to the raw log; returns how many readings."""
    append_raw(workspace, reference(size))
    run_once(workspace)
    ends = workspace.curated.end_offsets()
    (workspace.paths.root / "reference.json").write_text(json.dumps(ends))
    reads = 0
    records = readings(size)
    while chunk := list(islice(records, _CHUNK)):
        reads += sum(map(reads_in, chunk))
        keyed = ((str(record["device"]).encode(), record) for record in chunk)
        entries = [(workspace.raw.partition_of(key), key, encode(record)) for key, record in keyed]
        workspace.raw.append_many(entries, now_ms())
    closing = encode(gate(size, workspace.raw.partitions))
    workspace.raw.append_many([(partition, b"", closing) for partition in range(workspace.raw.partitions)], now_ms())
    workspace.raw.flush()
    return reads


def batches(root: Path, partition: int) -> Iterator[Frames]:
    """The curated log of a partition in the batches that the dataflow takes, from the first reading on."""
    return _batches(root, partition, _reference_end(root, partition), None)


def reference_batches(root: Path, partition: int) -> Iterator[Frames]:
    """What comes before the first reading: the configurations."""
    return _batches(root, partition, 0, _reference_end(root, partition))


def _reference_end(root: Path, partition: int) -> int:
    ends: list[int] = json.loads((paths_of(root).root / "reference.json").read_text())
    return ends[partition]


def _batches(root: Path, partition: int, first: int, end: int | None) -> Iterator[Frames]:
    with LogReader(paths_of(root).curated, partition, first) as reader:
        while frames := reader.read_frames(BATCH_RECORDS, BATCH_BYTES, end):
            yield frames


def write_lines(_: Size, root: Path) -> dict[str, Any]:
    """Make the lines that peers read: what is configured they are told otherwise."""
    with lines_of(root).open("wb") as file:
        for partition in range(CURATED_PARTITIONS):
            for records in batches(root, partition):
                file.writelines(record.payload + b"\n" for record in records if _is_reading(record))
    return {"bytes": lines_of(root).stat().st_size}


def units_in(record: dict[str, Any]) -> int:
    """How many readings a curated record carries."""
    if record["type"] not in _READINGS:
        return 0
    return reads_in(record)


def _is_reading(record: Record) -> bool:
    return decode(record.payload)["type"] in _READINGS
