"""Plain curated records as a batch of columns, made record by record: what decoding in columns must give too."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from state.codes import MISSING, QUALITY_OF
from state.columnar.batch import Batch
from state.columnar.readings import INTERVALS, LOCAL_DAYS, REGISTER, ReadingColumns
from state.grid import LOCAL_DAY
from state.interval_list import spread_qualities

Record = Mapping[str, Any]


class Columns:
    """Batches with names that last."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str, str, str], int] = {}

    def batch(self, records: Sequence[Record]) -> Batch:
        """The records, each with its `curated_offset` and `append_ms`, as a batch."""
        rows: list[tuple[int, ...]] = []
        values: list[int] = []
        is_number: list[bool] = []
        qualities: list[int] = []
        others = []
        for at, record in enumerate(records):
            if record["type"] not in ("intervals", "register"):
                others.append(at)
                continue
            is_register = record["type"] == "register"
            given = [record["count"]] if is_register else record["quantities_nano"]
            found = [QUALITY_OF.get(record["quality"], MISSING)] if is_register else spread_qualities(record)
            fits = [value is not None and -(1 << 63) <= value < 1 << 63 for value in given]
            raw, sub = record["raw"], record.get("sub") or 0
            origin = record.get("origin") or (*raw, sub)
            interval_s = record.get("interval_s", 0)
            rows.append(
                (at, REGISTER if is_register else INTERVALS, self._name(record), *raw, sub, *origin, record["received_ms"],
                 record["version"], record["at_ms" if is_register else "start_ms"],
                 LOCAL_DAYS if interval_s == LOCAL_DAY else interval_s, len(values), len(given),
                 record.get("decimals", 0), record.get("event") == "reset")
            )  # fmt: skip
            values += [value if ok else 0 for value, ok in zip(given, fits, strict=True)]
            is_number += fits
            qualities += found
        table = np.array(rows, np.int64).reshape(-1, 17).T.copy()
        at, kind, *columns = table[:15]
        readings = ReadingColumns._make(
            [at, kind.astype(np.uint8), *columns, table[15].astype(np.uint8), table[16] != 0,
            np.array(values, np.int64), np.array(is_number, bool), np.array(qualities, np.uint8),
            np.array(others, np.int64)]
        )  # fmt: skip
        offsets = np.array([record["curated_offset"] for record in records], np.int64)
        append_ms = np.array([record["append_ms"] for record in records], np.int64)
        return Batch(readings, list(self._names), offsets, append_ms, records.__getitem__)

    def _name(self, record: Record) -> int:
        name = (record["supply_point"], record["device"], record["register"], record["unit"])
        return self._names.setdefault(name, len(self._names))
