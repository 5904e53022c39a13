"""The curated archive: every record of reads.curated as it stands in the log, with what it is found by."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Slices
from connectors.codec import decode
from connectors.file_log import Frames
from connectors.scan import REGISTER
from state.columnar import Batch
from state.outputs import words_that_occur


def curated_archive(frames: Frames, batch: Batch | None) -> dict[str, Any]:
    """A block of curated_records; `batch`: the frames as columns, if they have been made."""
    where = _few(frames) if batch is None else _many(len(frames), batch)
    return {
        "curated_partition": np.full(len(frames), frames.partition),
        "curated_offset": frames.offset,
        **where,
        "appended_ms": frames.append_ms,
        "payload": Slices(frames.data, frames.payload_start, frames.payload_end),
    }


def _few(frames: Frames) -> dict[str, Any]:
    records = [decode(record.payload) for record in frames]
    return {
        "supply_point": [str(record["supply_point"]) for record in records],
        "type": [str(record["type"]) for record in records],
        "raw_partition": [record["raw"][0] for record in records],
        "raw_offset": [record["raw"][1] for record in records],
        "raw_sub": [record["sub"] for record in records],
        "received_ms": [record["received_ms"] for record in records],
    }


def _many(number: int, batch: Batch) -> dict[str, Any]:
    """The readings as columns, and between them what is no reading, each decoded."""
    readings, names = batch.readings, batch.names
    others = [batch.record(at) for at in readings.others.tolist()]

    def column(of_readings: Any, of_others: Any) -> NDArray[np.int64]:
        found = np.zeros(number, np.int64)
        found[readings.at], found[readings.others] = of_readings, of_others
        return found

    own = np.arange(len(others))
    points = [*(name[0] for name in names), *(str(record["supply_point"]) for record in others)]
    types = ["intervals", "register", *(str(record["type"]) for record in others)]
    return {
        "supply_point": words_that_occur(column(readings.name, len(names) + own), points),
        "type": words_that_occur(column(readings.kind == REGISTER, 2 + own), types),
        "raw_partition": column(readings.raw_partition, [record["raw"][0] for record in others]),
        "raw_offset": column(readings.raw_offset, [record["raw"][1] for record in others]),
        "raw_sub": column(readings.sub, [record["sub"] for record in others]),
        "received_ms": column(readings.received_ms, [record["received_ms"] for record in others]),
    }
