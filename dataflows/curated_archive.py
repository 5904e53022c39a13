"""The curated archive: every record of reads.curated as it stands in the log, with what it is found by."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from connectors.clickhouse_columns import Slices
from connectors.file_log import Frames
from connectors.scan import REGISTER, Names, ReadingColumns
from state.outputs import words_that_occur

Record = Mapping[str, Any]


def curated_archive(
    frames: Frames, readings: ReadingColumns, names: Names, others: Mapping[int, Record]
) -> dict[str, Any]:
    """A block of curated_records; `others`: the records that are not among the readings, decoded, by position."""
    number = len(frames)
    points = [name[0] for name in names.values] + [str(record["supply_point"]) for record in others.values()]
    kinds = ["intervals", "register"] + [str(record["type"]) for record in others.values()]
    at, rest = readings.at, np.array(list(others), np.int64)
    own = np.arange(len(rest))
    point, kind = np.zeros(number, np.int64), np.zeros(number, np.int64)
    point[at], point[rest] = readings.name, len(names.values) + own
    kind[at], kind[rest] = readings.kind == REGISTER, 2 + own

    def column(of_readings: Any, of_others: list[int]) -> Any:
        found = np.zeros(number, np.int64)
        found[at], found[rest] = of_readings, of_others
        return found

    return {
        "curated_partition": np.full(number, frames.partition),
        "curated_offset": frames.offset,
        "supply_point": words_that_occur(point, points),
        "type": words_that_occur(kind, kinds),
        "raw_partition": column(readings.raw_partition, [record["raw"][0] for record in others.values()]),
        "raw_offset": column(readings.raw_offset, [record["raw"][1] for record in others.values()]),
        "raw_sub": column(readings.sub, [record["sub"] for record in others.values()]),
        "received_ms": column(readings.received_ms, [record["received_ms"] for record in others.values()]),
        "appended_ms": frames.append_ms,
        "payload": Slices(frames.data, frames.payload_start, frames.payload_end),
    }
