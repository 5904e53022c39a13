"""The independent oracle over some supply points of the sample: what it says of them is what the scalar step must say."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from benchmarks.sizes import Size, supply_point
from benchmarks.stage import batches, reference_batches
from connectors.codec import decode
from meterfold.workspace import CURATED_PARTITIONS
from tests.simulation.comparison import first_difference, fold_rows, oracle_rows
from tests.simulation.oracle.fold import Oracle

POINTS: Final = 5
"""It takes milliseconds a reading."""


def by_oracle(size: Size, root: Path) -> dict[str, Any]:
    """Where oracle and scalar step part, "" if nowhere; and how many determinants and adjustments were compared."""
    wanted = {supply_point(number) for number in range(min(POINTS, size.sample, size.points))} | {""}
    compared: dict[str, int] = {}
    for partition in range(CURATED_PARTITIONS):
        records = list(_records(root, partition, wanted))
        oracle = Oracle(partition)
        for record in records:
            oracle.apply(record)
        said = oracle_rows(oracle.rows)
        if difference := first_difference(fold_rows(records, partition), said):
            return {"difference": difference, "rows": compared}
        for stream, rows in said.items():
            compared[stream] = compared.get(stream, 0) + len(rows)
    return {"difference": "", "rows": compared}


def _records(root: Path, partition: int, wanted: set[str]) -> Iterator[dict[str, Any]]:
    for frames in chain(reference_batches(root, partition), batches(root, partition)):
        for record in frames:
            body = decode(record.payload)
            if body["supply_point"] in wanted:
                yield {**body, "curated_offset": record.offset, "append_ms": record.append_ms}
