"""Bringing a file into reads.raw: problems first, then its records in time order, a batch at a time."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from connectors.codec import encode
from connectors.dead_letter import Problem
from connectors.file_log import LogReader
from meterfold.clock import now_ms
from meterfold.workspace import Workspace

BATCH: Final = 2_000
Record = dict[str, Any]


class UnableToImport(RuntimeError):
    """Nothing of the file was loaded."""


@dataclass(slots=True)
class Imported:
    """What came of a file. `refused`: nothing was loaded."""

    import_id: str
    records: int = 0
    readings: int = 0
    problems: tuple[Problem, ...] = ()
    refused: bool = False


def import_id_of(path: Path) -> str:
    """The same bytes are the same import: the beginning of their SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def refuse_again(workspace: Workspace, import_id: str) -> None:
    """`UnableToImport` if the log holds records of this very file, interpreted yet or not."""
    mark = f'"import":"{import_id}"'
    found = workspace.store.query(
        "SELECT min(received_utc) FROM raw_records WHERE position(payload, {mark:String}) > 0 HAVING count() > 0",
        {"mark": mark},
    )
    if found.rows:
        raise UnableToImport(
            f"this file was imported already, at {found.rows[0][0]:%Y-%m-%d %H:%M}Z (its bytes are the same)"
        )
    if _waits_in_the_log(workspace, mark.encode()):
        raise UnableToImport("this file was imported already (its bytes are the same); `meterfold run` interprets it")


def _waits_in_the_log(workspace: Workspace, mark: bytes) -> bool:
    """True if a raw record that ingest has not brought to the tables yet bears the mark."""
    reached = dict(
        workspace.store.query(
            "SELECT partition, max(next_offset) FROM frontier WHERE kind = 'ingest' GROUP BY partition"
        ).rows
    )
    for partition in range(workspace.raw.partitions):
        with LogReader(workspace.paths.raw, partition, int(reached.get(partition, 0))) as reader:
            while records := reader.read():
                if any(mark in record.payload for record in records):
                    return True
    return False


def load(
    workspace: Workspace,
    import_id: str,
    found: Iterable[Record | Problem],
    tell: Callable[[int], None],
    *,
    dead_alone: bool = False,
) -> Imported:
    """Append a file's records; `tell` is given the number of readings so far.

    A file with nothing good in it is refused. With `dead_alone` its problems become dead letters nevertheless, unless one refuses it.
    """
    result = Imported(import_id)
    problems: list[Problem] = []
    items = iter(found)
    first = _take_problems(items, problems)
    result.problems = tuple(problems)
    nothing = first is None and not (dead_alone and problems)
    result.refused = nothing or any(problem.refuses_file for problem in problems)
    if result.refused:
        return result
    dead = (problem.as_dead_letter(import_id) for problem in problems)
    records = (item for item in chain([] if first is None else [first], items) if not isinstance(item, Problem))
    for batch in _batched(chain(dead, records)):
        workspace.raw.append_many([_entry(workspace, record) for record in batch], now_ms())
        workspace.raw.flush()
        result.records += len(batch)
        result.readings += sum(map(_readings, batch))
        tell(result.readings)
    return result


def _take_problems(items: Iterator[Record | Problem], problems: list[Problem]) -> Record | None:
    """Collect the problems that stand before the first record; returns that record."""
    for item in items:
        if not isinstance(item, Problem):
            return item
        problems.append(item)
    return None


def _batched(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _entry(workspace: Workspace, record: Record) -> tuple[int, bytes, bytes]:
    key = str(record.get("device") or (record.get("source") or {}).get("file") or "").encode()
    return workspace.raw.partition_of(key), key, encode(record)


def _readings(record: Record) -> int:
    return len(record["quantities_nano"]) if "quantities_nano" in record else int(record["type"] != "dead_letter")
