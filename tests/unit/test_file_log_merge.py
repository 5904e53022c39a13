"""The merged order of a topic: the same whatever the batches, wherever one resumes, and while it is still growing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.file_log import (
    LogWriter,
    MergedReader,
    Record,
    UnableToRead,
    create_topic,
    end_offsets,
    merged_read,
)

PARTITIONS = 3
# A tape of flushes: each is a list of (partition, step of the clock in ms, back in time too).
flushes = st.lists(st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.integers(-3, 3)), max_size=8), max_size=8)


def append_flush(log: LogWriter, entries: Sequence[tuple[int, int]], clock_ms: int) -> int:
    for partition, step_ms in entries:
        clock_ms = max(0, clock_ms + step_ms)
        log.append(partition, b"k", b"%d" % clock_ms, append_ms=clock_ms)
    log.flush()
    return clock_ms


def merge_order(record: Record) -> tuple[int, int, int]:
    return record.append_ms, record.partition, record.offset


def merged(directory: str, starts: Sequence[int], batch_records: int = 1000) -> list[Record]:
    return [record for batch in merged_read(directory, starts, batch_records=batch_records) for record in batch.records]


@settings(max_examples=60, deadline=None)
@given(tape=flushes, batch_records=st.integers(1, 7))
def test_the_order_depends_on_neither_batches_nor_resume_points(
    tape: list[list[tuple[int, int]]], batch_records: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        create_topic(directory, PARTITIONS)
        clock_ms = 50
        with LogWriter(directory) as log:
            for entries in tape:
                clock_ms = append_flush(log, entries, clock_ms)
        whole = merged(directory, [0] * PARTITIONS)
        assert whole == sorted(whole, key=merge_order)
        assert len(whole) == sum(map(len, tape))
        given_so_far = 0
        for batch in merged_read(directory, [0] * PARTITIONS, batch_records=batch_records):
            given_so_far += len(batch.records)
            assert batch.records == whole[given_so_far - len(batch.records) : given_so_far]
            assert merged(directory, batch.next_offsets) == whole[given_so_far:]
        assert given_so_far == len(whole)


@settings(max_examples=60, deadline=None)
@given(tape=flushes, reads_between=st.integers(0, 3), batch_records=st.integers(1, 7))
def test_following_gives_the_order_of_a_replay(
    tape: list[list[tuple[int, int]]], reads_between: int, batch_records: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        create_topic(directory, PARTITIONS)
        followed: list[Record] = []
        clock_ms = 50
        with LogWriter(directory) as log, MergedReader(directory, [0] * PARTITIONS) as reader:
            for entries in tape:
                clock_ms = append_flush(log, entries, clock_ms)
                for _ in range(reads_between):
                    followed += reader.read(batch_records)
            while records := reader.read(batch_records):
                followed += records
            assert reader.next_offsets == log.end_offsets()
        assert followed == merged(directory, [0] * PARTITIONS)


def test_fixed_ends_hold_while_the_log_grows(tmp_path: Path) -> None:
    create_topic(tmp_path, PARTITIONS)
    with LogWriter(tmp_path) as log:
        append_flush(log, [(0, 1), (1, 1), (2, 0)], 0)
        ends = end_offsets(tmp_path)
        append_flush(log, [(0, 1), (1, 1)], 10)
    batches = list(merged_read(tmp_path, [0] * PARTITIONS, ends, batch_records=2))
    assert [len(batch.records) for batch in batches] == [2, 1]
    assert batches[-1].next_offsets == ends


def test_vectors_that_do_not_fit_the_log_are_refused(tmp_path: Path) -> None:
    create_topic(tmp_path, PARTITIONS)
    with LogWriter(tmp_path) as log:
        append_flush(log, [(0, 1), (1, 1), (2, 0)], 0)
    ends = end_offsets(tmp_path)
    for starts, wrong_ends, why in (
        ([0, 0], ends, "has 3 partitions"),
        ([0, 0, 0], (ends[0] + 1, *ends[1:]), "not within"),
        ([ends[0] + 1, 0, 0], ends, "not within"),
        ([0, 0, 0], (ends[0] - 1, *ends[1:]), "no valid record at offset 0"),
        ([1, 0, 0], ends, "no valid record at offset 1"),
    ):
        with pytest.raises(UnableToRead, match=why):
            list(merged_read(tmp_path, starts, wrong_ends))


WRITE = """
import random, sys
from connectors.file_log import LogWriter
chance = random.Random(7)
with LogWriter(sys.argv[1]) as log:
    for number in range(400):
        for _ in range(chance.randint(1, 30)):
            log.append(chance.randrange(log.partitions), b"k", bytes(chance.randint(0, 3000)), append_ms=number // 3)
        log.flush()
"""


def test_a_reader_beside_a_writing_process_sees_whole_flushes_in_order(tmp_path: Path) -> None:
    create_topic(tmp_path, PARTITIONS)
    followed: list[Record] = []
    reads = 0
    with (
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)]) as writer,
        MergedReader(tmp_path, [0] * PARTITIONS) as reader,
    ):
        while writer.poll() is None or reader.next_offsets != end_offsets(tmp_path):
            records = reader.read(50)
            followed += records
            reads += bool(records)
        assert writer.returncode == 0
    assert followed == merged(str(tmp_path), [0] * PARTITIONS)
    assert followed == sorted(followed, key=merge_order)
    assert reads > 10


def test_threads_may_share_a_writer(tmp_path: Path) -> None:
    create_topic(tmp_path, PARTITIONS)

    def append_hundred(log: LogWriter, name: int) -> None:
        for number in range(100):
            log.append(number % PARTITIONS, b"%d" % name, b"%d" % number, append_ms=number)
            log.flush()

    with LogWriter(tmp_path) as log:
        threads = [threading.Thread(target=append_hundred, args=(log, name)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    records = merged(str(tmp_path), [0] * PARTITIONS)
    for name in range(4):
        assert sorted(int(record.payload) for record in records if record.key == b"%d" % name) == list(range(100))
