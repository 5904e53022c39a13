"""Ingest in columns against ingest record by record: the same bytes appended, the same rows, the same state, wherever the log is cut."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.clickhouse_columns import Column, Slices
from connectors.clickhouse_sink import Block
from connectors.curate import SLOW, prepare
from connectors.file_log import LogWriter, MergedReader, create_topic
from connectors.file_log import reader as reader_module
from connectors.file_log.frames import JoinedFrames
from connectors.file_log.prepared import PreparedFrames
from connectors.log_streams import LogSink
from connectors.scan import RawColumns
from dataflows import ingest, ingest_columns
from dataflows.ingest import IngestWiring, RouteLogic
from state.compiling import Worth
from state.outputs import plain
from tests.simulation.raw_log import PARTITIONS, RawLog

CURATED_PARTITIONS = 3
SEEDS, RECORDS = 8, 600


@pytest.fixture(autouse=True)
def columns_for_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Array code for batches of fifty records; smaller ones go one by one, so that both take turns on the same routers."""
    monkeypatch.setattr(ingest, "COLUMNS", Worth("connectors.scan.raw._scan", few=50, many=0))
    monkeypatch.setattr(reader_module, "_COLUMNS", Worth("connectors.file_log.walk.walk", few=0, many=0))


class Side:
    """One of the two ways through ingest, with a curated log of its own."""

    def __init__(self, root: Path, name: str) -> None:
        create_topic(root / name, CURATED_PARTITIONS)
        self.writer = LogWriter(root / name)
        self.now_ms = 0
        self.wiring = IngestWiring(root / "raw", self.writer, None, lambda: self.now_ms)  # type: ignore[arg-type]
        self.logic = RouteLogic(None, self.wiring)
        self.sink = LogSink(self.writer, self.wiring.now_ms).build_part("", "log", None)

    def restart(self) -> None:
        self.logic = RouteLogic(self.logic.snapshot(), self.wiring)

    def files(self) -> list[bytes]:
        return [self.writer.topic.log_path(partition).read_bytes() for partition in range(CURATED_PARTITIONS)]


def rows(block: Block) -> dict[str, list[str]]:
    """The rows of each table, in an order of their own."""
    found: dict[str, list[str]] = {}
    for table, blocks in block.tables.items():
        for columns in blocks:
            lines = zip(*map(values, columns.values()), strict=True)
            found.setdefault(table, []).extend(repr((*columns, *line)) for line in lines)
    return {table: sorted(lines) for table, lines in found.items()}


def values(column: Column) -> list[Any]:
    if isinstance(column, Slices):
        return [
            bytes(column.data[start:end]).decode()
            for start, end in zip(column.start.tolist(), column.end.tolist(), strict=True)
        ]
    return plain(column)  # type: ignore[arg-type]


def compare(root: Path, seed: int, records: int) -> None:
    """Both ways over the same log."""
    rng = Random(f"ingest/{seed}")
    RawLog(rng, root / "raw").write(records)
    one_by_one, in_columns = Side(root, "one"), Side(root, "columns")
    with MergedReader(root / "raw", (0,) * PARTITIONS) as reader:
        number = 0
        while runs := reader.read_frames(rng.choice([1, 49, 100, 1_000]), rng.choice([None, None, 5_000])):
            number += 1
            expected = one_by_one.logic.route_records([record for run in runs for record in run])
            got = in_columns.logic.route_runs(runs)
            assert rows(got.block) == rows(expected.block), (seed, number)
            assert got.block.frontier == expected.block.frontier
            for side, batch in ((one_by_one, expected), (in_columns, got)):
                side.now_ms = 10 * number
                side.sink.write_batch([batch.entries])
            assert in_columns.logic.snapshot() == one_by_one.logic.snapshot(), (seed, number)
            if rng.random() < 0.1:
                in_columns.restart()
                one_by_one.restart()
    assert in_columns.files() == one_by_one.files(), seed
    assert in_columns.writer.end_offsets() == one_by_one.writer.end_offsets()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many readings of each batch array code forwards."""
    counts: list[int] = []

    def counting(frames: JoinedFrames, columns: RawColumns, point: Any, *more: Any) -> PreparedFrames:
        counts.append(int((point != SLOW).sum()))
        return prepare(frames, columns, point, *more)

    monkeypatch.setattr(ingest_columns, "prepare", counting)
    return counts


def test_the_same_comes_of_a_log_both_ways(tmp_path: Path, taken: list[int], tell: Callable[[str], None]) -> None:
    for seed in range(SEEDS):
        compare(tmp_path / str(seed), seed, RECORDS)
    tell(f"{SEEDS * RECORDS:,} records of {SEEDS} logs, {sum(taken) / SEEDS / RECORDS:.0%} of them routed in columns")
    assert sum(taken) > 0.2 * SEEDS * RECORDS, "the logs hardly exercise the array code"


@pytest.mark.long
def test_the_same_comes_of_many_logs_both_ways(tmp_path: Path) -> None:
    for seed in range(1_000, 1_200):
        compare(tmp_path / str(seed), seed, 2_000)
