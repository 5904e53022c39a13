"""Frames as columns are the frames one by one: the same records, stops and errors, and the same merged order."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from connectors.file_log import Frames, LogReader, LogWriter, MergedReader, Record, UnableToRead, create_topic
from connectors.file_log import reader as reader_module
from connectors.file_log.crc import crc32
from connectors.file_log.frame import decode_frames, encode_frame
from connectors.file_log.walk import walk
from state.compiling import Worth


@pytest.fixture(autouse=True)
def columns_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walk in compiled code however little there is."""
    monkeypatch.setattr(reader_module, "_COLUMNS", Worth("connectors.file_log.walk.walk", few=0, many=0))


def some_frames(rng: Random, number: int) -> list[bytes]:
    return [
        encode_frame(rng.randrange(1 << 48), rng.randbytes(rng.randrange(12)), rng.randbytes(rng.choice([0, 1, 7, 8, 9, 300])))
        for _ in range(number)
    ]  # fmt: skip


def walked(chunk: bytes, offset: int, most: int) -> tuple[list[Record], bool]:
    places, damaged = walk(np.frombuffer(chunk, np.uint8), offset, most)
    return list(Frames(3, chunk, places)), damaged


def test_a_log_is_walked_in_compiled_code_once_much_of_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where that code was never compiled before: somebody has to be the first to ask for it."""
    walks = list[int]()

    def spied(data: NDArray[np.uint8], offset: int, most: int) -> object:
        walks.append(offset)
        return walk(data, offset, most)

    monkeypatch.setattr("connectors.file_log.walk.walk", spied)
    monkeypatch.setattr(reader_module, "_COLUMNS", Worth("never.compiled.before", few=1, many=10_000))
    create_topic(tmp_path, partitions=1)
    with LogWriter(tmp_path) as writer:
        writer.append_many([(0, b"", b"x" * 100)] * 40, append_ms=1)
    with LogReader(tmp_path, 0) as reader:
        read = [record.payload for _ in range(8) for record in reader.read_frames(max_records=5)]
    assert read == [b"x" * 100] * 40
    assert walks and walks[0] > 0, "the first batch was too little to compile anything for"


def test_the_crc_is_zlibs() -> None:
    data = Random(1).randbytes(400)
    columns = np.frombuffer(data, np.uint8)
    for start, end in [(0, 0), (0, 400), *((start, start + length) for start in range(9) for length in range(40))]:
        assert crc32(columns, start, end) == zlib.crc32(data[start:end])


def test_a_chunk_is_walked_as_it_is_decoded() -> None:
    """Whatever is cut off, flipped or added at its end."""
    rng = Random(2)
    for _ in range(300):
        chunk = b"".join(some_frames(rng, rng.randrange(8))) + rng.randbytes(rng.choice([0, 0, 5, 40]))
        chunk = chunk[: rng.choice([len(chunk), rng.randrange(len(chunk) + 1)])]
        if chunk and rng.random() < 0.5:
            at = rng.randrange(len(chunk))
            chunk = chunk[:at] + bytes([chunk[at] ^ 1 << rng.randrange(8)]) + chunk[at + 1 :]
        offset, most = rng.randrange(1 << 40), rng.choice([1, 3, 100])
        assert walked(chunk, offset, most) == decode_frames(chunk, 3, offset, most)


def test_frames_are_a_sequence_of_records() -> None:
    chunk = b"".join(some_frames(Random(3), 6))
    records, _ = decode_frames(chunk, 1, 50, 100)
    for frames in (
        Frames.of_records(1, chunk, 50, records),
        Frames(1, chunk, walk(np.frombuffer(chunk, np.uint8), 50, 9)[0]),
    ):
        assert list(frames) == [frames.record(at) for at in range(6)] == records
        assert list(frames[2:5]) == records[2:5] and frames[2:5][1] == records[3] and frames[-1] == records[-1]
        assert list(frames[4:]) == records[4:] and len(frames[6:]) == 0
        assert frames.offset[1] == records[1].offset and frames[3:].append_ms[0] == records[3].append_ms
        with pytest.raises(ValueError, match="without a step"):
            frames[::2]


@pytest.fixture
def topic(tmp_path: Path) -> Iterator[Path]:
    """Three partitions and a few hundred records, many flushes of few and few of many."""
    rng = Random(4)
    directory = create_topic(tmp_path / "topic", 3).directory
    with LogWriter(directory) as log:
        for _ in range(60):
            for _ in range(rng.choice([1, 2, 30])):
                append_ms = rng.randrange(50)
                log.append(rng.randrange(3), rng.randbytes(3), rng.randbytes(rng.randrange(200)), append_ms)
            log.flush()
    yield directory


def test_a_partition_is_read_as_columns_as_it_is_one_by_one(topic: Path) -> None:
    for most, most_bytes in [(1000, 1 << 20), (7, 1 << 20), (1000, 300), (2, 1)]:
        with LogReader(topic, 1) as one, LogReader(topic, 1) as other:
            while records := one.read(most, most_bytes):
                assert list(other.read_frames(most, most_bytes)) == records
                assert other.offset == one.offset
            assert len(other.read_frames()) == 0 and len(other.read_frames(max_records=0)) == 0


def test_damage_and_a_short_file_give_the_same_errors(topic: Path) -> None:
    path = topic / "00001.log"
    content = path.read_bytes()
    with LogReader(topic, 1) as reader:
        fourth = reader.read(max_records=4)[-1]
    spoiled = bytearray(content)
    spoiled[fourth.offset + 10] ^= 1
    for there in (bytes(spoiled), content[: fourth.offset + 5]):
        path.write_bytes(there)
        with LogReader(topic, 1) as one, LogReader(topic, 1) as other:
            for most in (2, 2, 2):
                try:
                    expected = one.read(most, 4096)
                except UnableToRead as error:
                    with pytest.raises(UnableToRead) as raised:
                        other.read_frames(most, 4096)
                    assert str(raised.value) == str(error)
                else:
                    assert list(other.read_frames(most, 4096)) == expected


def test_runs_laid_end_to_end_are_the_merged_order(topic: Path) -> None:
    records = []
    for partition in range(3):
        with LogReader(topic, partition) as reader:
            records += reader.read()
    records.sort(key=lambda record: (record.append_ms, record.partition, record.offset))
    for most, most_bytes in [(10_000, None), (13, None), (10_000, 500), (1, None)]:
        found: list[Record] = []
        with MergedReader(topic, (0, 0, 0)) as merged:
            while runs := merged.read_frames(most, most_bytes):
                assert all(len(run) for run in runs) and sum(map(len, runs)) <= most
                found += [record for run in runs for record in run]
                ends = {record.partition: record.next_offset for record in found}
                assert merged.next_offsets == tuple(ends.get(partition, 0) for partition in range(3))
        assert found == records
