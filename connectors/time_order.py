"""Records in time order, with bounded memory, and nothing at all from a file that is refused.

An import gives the log its records oldest first, whatever order the file had: a later read would otherwise close the slots of earlier ones.
The order is (first instant, device, register, place in the file): stable, and nothing is dropped, exact duplicates included.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from connectors.dead_letter import Problem

Record = dict[str, Any]
Keyed = tuple[int, str, str, int, Record]

BUDGET = 500_000  # weight held in memory before it is written to disk; a record weighs its values and `RECORD_WEIGHT`
RECORD_WEIGHT = 16
RUNS = 64  # sorted runs open at once; one more and they are merged into one


def in_time_order(
    items: Iterable[Record | Problem], *, keep_good: bool, budget: int = BUDGET, folder: Path | None = None
) -> Iterator[Record | Problem]:
    """Every problem first, as it is met; then, the whole input being read, the records in time order.

    No record comes after a problem that refuses the file, nor after any problem unless `keep_good`. `budget` bounds memory, in values;
    what is beyond it waits in sorted runs in temporary files (`folder`, default the system's), deleted when the iterator ends.
    """
    sorter = _Sorter(budget, folder)
    refused = False
    try:
        for item in items:
            if isinstance(item, Problem):
                refused = refused or item.refuses_file or not keep_good
                yield item
            elif not refused:
                sorter.add(item)
        if not refused:
            yield from sorter.drain()
    finally:
        sorter.close()


class _Sorter:
    """An external merge sort: sorted runs of at most `budget` weight on disk, merged lazily with the last one in memory."""

    def __init__(self, budget: int, folder: Path | None) -> None:
        self._budget = budget
        self._folder = folder
        self._rows: list[Keyed] = []
        self._weight = 0
        self._count = 0
        self._runs: list[IO[bytes]] = []

    def add(self, record: Record) -> None:
        instant = record["at_ms"] if record["type"] == "register" else record["start_ms"]
        # The count is unique, so a comparison never reaches the record, and equal keys stay in the order of the file.
        self._rows.append((instant, record["device"], record["register"], self._count, record))
        self._count += 1
        self._weight += RECORD_WEIGHT + len(record.get("quantities_nano", ()))
        if self._weight >= self._budget:
            self._spill()

    def drain(self) -> Iterator[Record]:
        self._rows.sort()
        for *_, record in heapq.merge(*map(_read, self._runs), self._rows):
            yield record

    def close(self) -> None:
        for run in self._runs:
            run.close()

    def _spill(self) -> None:
        self._rows.sort()
        if len(self._runs) == RUNS:
            merged = self._write(heapq.merge(*map(_read, self._runs)))
            self.close()
            self._runs = [merged]
        self._runs.append(self._write(self._rows))
        self._rows.clear()
        self._weight = 0

    def _write(self, rows: Iterable[Keyed]) -> IO[bytes]:
        run: IO[bytes] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by close(), deleted with it
        run.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        return run


def _read(run: IO[bytes]) -> Iterator[Keyed]:
    run.seek(0)
    for line in run:
        yield tuple(orjson.loads(line))
