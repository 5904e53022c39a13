"""The file log: what is acknowledged stays and can be read; torn tails are cut and said; corruption is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest

from connectors import file_log
from connectors.file_log import (
    LogReader,
    LogWriter,
    Record,
    UnableToAppend,
    UnableToLock,
    UnableToOpenTopic,
    UnableToRead,
    UnableToRepair,
    create_topic,
    end_offsets,
    merged_read,
    open_topic,
    partition_of,
    read_at,
    verify_topic,
    writer,
)
from connectors.file_log.frame import encode_frame


@pytest.fixture
def topic(tmp_path: Path) -> Path:
    return create_topic(tmp_path / "reads.raw", partitions=2).directory


def everything(topic: Path) -> list[Record]:
    starts = [0] * open_topic(topic).partitions
    return [record for batch in merged_read(topic, starts) for record in batch.records]


def three_flushes(topic: Path) -> list[int]:
    """Three records in partition 0, each acknowledged by itself; their offsets."""
    offsets = []
    with LogWriter(topic) as log:
        for number, payload in enumerate((b"first", b"second, which is longer", b"")):
            offsets.append(log.append(0, b"meter-%d" % number, payload, append_ms=1000 * number))
            log.flush()
    return offsets


def flip_byte(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x41
    path.write_bytes(content)


# --- the format -------------------------------------------------------------------------------------------------------


def test_a_frame_is_these_bytes() -> None:
    body = bytes.fromhex("e803000000000000 0200 6b31 7061796c6f6164")
    frame = bytes.fromhex("07000000") + zlib.crc32(body).to_bytes(4, "little") + body
    assert encode_frame(1000, b"k1", b"payload") == frame


def test_partitions_are_those_of_librdkafkas_consistent_partitioner() -> None:
    assert partition_of(b"123456789", 1000) == 0xCBF43926 % 1000  # the check value of CRC-32
    assert partition_of(b"", 7) == 0


def test_records_come_back_with_their_coordinates(topic: Path) -> None:
    with LogWriter(topic) as log:
        offsets = log.append_many([(0, b"a", b"one"), (1, b"b", b"two"), (0, b"", b"")], append_ms=5)
    assert everything(topic) == [
        Record(0, offsets[0], offsets[2], 5, b"a", b"one"),
        Record(0, offsets[2], end_offsets(topic)[0], 5, b"", b""),
        Record(1, offsets[1], end_offsets(topic)[1], 5, b"b", b"two"),
    ]
    assert read_at(topic, 0, offsets[2]).payload == b""
    with LogReader(topic, 0, offsets[2]) as reader:
        assert [record.offset for record in reader.read()] == [offsets[2]]


def test_a_record_longer_than_one_read_is_given_whole(topic: Path) -> None:
    long_payload = os.urandom(3 * 1024 * 1024)
    with LogWriter(topic) as log:
        offset = log.append(1, b"k", long_payload, append_ms=1)
        log.append(1, b"k", b"next", append_ms=1)
    assert read_at(topic, 1, offset).payload == long_payload
    with LogReader(topic, 1) as reader:
        assert [len(reader.read(max_bytes=1000)) for _ in range(3)] == [1, 1, 0]


def test_a_topic_keeps_its_partition_count(topic: Path) -> None:
    assert create_topic(topic, partitions=2).partitions == 2
    with pytest.raises(UnableToOpenTopic, match="has 2 partitions, 3 were asked for"):
        create_topic(topic, partitions=3)
    with pytest.raises(UnableToOpenTopic, match="no topic here"):
        LogWriter(topic.parent)
    (topic / "topic.json").write_text('{"format": 2, "partitions": 2}')
    with pytest.raises(UnableToOpenTopic, match="log format 2"):
        open_topic(topic)


# --- appending --------------------------------------------------------------------------------------------------------


def test_nothing_is_visible_before_flush_and_abandoned_records_never_are(topic: Path) -> None:
    log = LogWriter(topic)
    log.append(0, b"k", b"kept", append_ms=1)
    assert everything(topic) == []
    log.flush()
    log.append(0, b"k", b"dropped", append_ms=1)
    log.abandon()
    assert [record.payload for record in everything(topic)] == [b"kept"]


def test_stamps_never_go_back_and_each_flush_is_above_the_last(topic: Path) -> None:
    with LogWriter(topic) as log:
        log.append_many([(0, b"", b""), (1, b"", b"")], append_ms=1000)
        log.append(0, b"", b"", append_ms=900)  # the same flush: held at 1000
        log.flush()
        log.append(1, b"", b"", append_ms=1000)  # a later flush: above it
    with LogWriter(topic) as log:
        log.append(0, b"", b"", append_ms=500)  # and so it goes on after opening again
        log.append(1, b"", b"", append_ms=2000)
    assert [(record.partition, record.append_ms) for record in everything(topic)] == [
        (0, 1000), (0, 1000), (1, 1000), (1, 1001), (0, 1002), (1, 2000),
    ]  # fmt: skip


def test_records_out_of_bounds_are_refused(topic: Path) -> None:
    with LogWriter(topic) as log:
        for partition, key, payload, append_ms, why in (
            (2, b"", b"", 0, "no partition 2"),
            (0, b"k" * (file_log.MAX_KEY_BYTES + 1), b"", 0, "a key of"),
            (0, b"", bytes(file_log.MAX_PAYLOAD_BYTES + 1), 0, "a payload of"),
            (0, b"", b"", -1, "append_ms -1"),
        ):
            with pytest.raises(UnableToAppend, match=why):
                log.append(partition, key, payload, append_ms)
        assert log.flush() == (0, 0)


def test_a_second_writer_is_refused_and_told_who_is_first(topic: Path) -> None:
    with LogWriter(topic), pytest.raises(UnableToLock, match=f"process {os.getpid()}"):
        LogWriter(topic)
    LogWriter(topic).close()


def test_after_a_failed_flush_the_writer_says_so_until_it_is_opened_again(
    topic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    log = LogWriter(topic)
    log.append(0, b"k", b"lost", append_ms=1)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            log.flush()
    for attempt in (log.flush, log.close, lambda: log.append(0, b"k", b"", 1)):
        with pytest.raises(UnableToAppend, match=r"No space left|closed"):
            attempt()
    log.close()
    assert everything(topic) == []
    with LogWriter(topic) as log:
        log.append(0, b"k", b"kept", append_ms=1)
    assert everything(topic)[-1].payload == b"kept"


def test_what_is_beyond_the_buffer_is_flushed_meanwhile(topic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_BUFFERED_BYTES", 300)
    payloads = [b"%d" % number * (number % 40) for number in range(500)]
    with LogWriter(topic) as log:
        offsets = log.append_many([(number % 2, b"k", payload) for number, payload in enumerate(payloads[:100])], 7)
        assert sum(end_offsets(topic)) > 0, "one after the other: only the last may be under way"
        offsets += [log.append(number % 2, b"k", payloads[number], 7) for number in range(100, 500)]
        log.flush()
        assert [read_at(topic, at % 2, offset).payload for at, offset in enumerate(offsets)] == payloads
    stamps = [record.append_ms for record in everything(topic)]
    assert stamps == sorted(stamps) and len(set(stamps)) > 10, "each flush is stamped above the one before"


def test_a_disk_that_refuses_what_is_flushed_meanwhile_is_told_of_at_the_next_append_or_flush(
    topic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()

    def full_disk(_: int) -> None:
        refused.set()
        raise OSError(28, "No space left on device")

    log = LogWriter(topic)
    log.append(0, b"k", b"kept", append_ms=1)
    log.flush()
    monkeypatch.setattr(writer, "MAX_BUFFERED_BYTES", 10)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk)
        log.append(0, b"k", b"lost", append_ms=1)
        assert refused.wait(10)
        with pytest.raises(UnableToAppend, match="No space left"):
            log.flush()
    for attempt in (log.flush, log.close, lambda: log.append(0, b"k", b"", 1)):
        with pytest.raises(UnableToAppend, match=r"No space left|closed"):
            attempt()
    log.close()
    assert [record.payload for record in everything(topic)] == [b"kept"]


# --- crashes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left_behind", ["cut off", "zeros", "garbage"])
def test_a_torn_tail_is_cut_and_reported_wherever_it_tore(topic: Path, left_behind: str) -> None:
    """The append of the last record got as far as any byte; what the disk holds beyond is nothing, zeros or garbage."""
    three_flushes(topic)
    before = end_offsets(topic)[0]
    committed = (topic / "committed").read_bytes()
    with LogWriter(topic) as log:
        log.append(0, b"meter-9", b"a read that never was acknowledged", append_ms=9000)
    path, after = topic / "00000.log", end_offsets(topic)[0]
    whole = path.read_bytes()
    for torn_at in range(before + 1, after):
        rest = {"cut off": b"", "zeros": bytes(after - torn_at), "garbage": b"\xa5" * (after - torn_at)}[left_behind]
        path.write_bytes(whole[:torn_at] + rest)
        (topic / "committed").write_bytes(committed)
        with LogWriter(topic) as log:
            (cut,) = log.cuts
            assert (cut.partition, cut.offset, cut.cut_bytes) == (0, before, torn_at - before + len(rest))
            assert path.read_bytes() == whole[:before]
            assert log.append(0, b"meter-9", b"again", append_ms=9000) == before
        assert [record.payload for record in everything(topic)][-1:] == [b"again"]


def test_whole_frames_beyond_the_acknowledged_end_are_kept(topic: Path) -> None:
    committed = (topic / "committed").read_bytes()
    three_flushes(topic)
    (topic / "committed").write_bytes(committed)
    assert everything(topic) == []  # a reader waits for the writer to confirm them
    with LogWriter(topic, trust_committed=True) as log:
        assert log.cuts == ()
    assert len(everything(topic)) == 3


@pytest.mark.parametrize("committed_too", [True, False], ids=["acknowledged vector intact", "acknowledged vector lost"])
def test_corruption_inside_the_log_is_refused_and_never_cut(topic: Path, committed_too: bool) -> None:
    """Any byte of the middle record: its length, crc, stamp, key or payload."""
    _, middle, last = three_flushes(topic)
    path, committed = topic / "00000.log", (topic / "committed").read_bytes()
    whole = path.read_bytes()
    for position in range(middle, last):
        path.write_bytes(whole)
        flip_byte(path, position)
        corrupt = path.read_bytes()
        (topic / "committed").unlink(missing_ok=True)
        if committed_too:
            (topic / "committed").write_bytes(committed)
            assert len(verify_topic(topic)) == 1
        with pytest.raises(UnableToRepair, match=rf"00000\.log: no valid record at offset {middle}\b"):
            LogWriter(topic)
        assert path.read_bytes() == corrupt


def test_a_reader_gives_what_precedes_corruption_then_names_it(topic: Path) -> None:
    first, middle, last = three_flushes(topic)
    for position in range(middle, last):
        flip_byte(topic / "00000.log", position)
        with LogReader(topic, 0) as reader:
            assert [record.offset for record in reader.read()] == [first]
            with pytest.raises(UnableToRead, match=rf"00000\.log: no valid record at offset {middle}\b"):
                reader.read()
        flip_byte(topic / "00000.log", position)
    assert len(everything(topic)) == 3


def test_a_damaged_last_record_is_a_torn_tail_only_when_it_was_not_acknowledged(topic: Path) -> None:
    last = three_flushes(topic)[-1]
    flip_byte(topic / "00000.log", last + 20)
    with pytest.raises(UnableToRepair, match=f"offset {last}, below the acknowledged end"):
        LogWriter(topic)
    (topic / "committed").unlink()
    with LogWriter(topic) as log:  # nothing left says that it was: the limit of what can be told
        assert [cut.offset for cut in log.cuts] == [last]


def test_acknowledged_records_that_are_gone_are_not_taken_for_a_torn_tail(topic: Path) -> None:
    last = three_flushes(topic)[-1]
    os.truncate(topic / "00000.log", last)
    with pytest.raises(UnableToRepair, match="the end of the log is lost"):
        LogWriter(topic)
    with LogReader(topic, 0) as reader, pytest.raises(UnableToRead, match="below its acknowledged end"):
        reader.read()


def test_offsets_where_no_record_starts_are_refused(topic: Path) -> None:
    middle = three_flushes(topic)[1]
    with pytest.raises(UnableToRead, match=f"no valid record at offset {middle + 1}"):
        read_at(topic, 0, middle + 1)
    with pytest.raises(UnableToRead, match="outside the log"):
        LogReader(topic, 0, end_offsets(topic)[0] + 1)
    with pytest.raises(UnableToRead, match="no record starts there yet"):
        read_at(topic, 0, end_offsets(topic)[0])
    with pytest.raises(UnableToRead, match="no partition 2"):
        LogReader(topic, 2)


def test_without_the_acknowledged_vector_readers_wait_for_a_writer(topic: Path) -> None:
    three_flushes(topic)
    flip_byte(topic / "committed", 5)
    with pytest.raises(UnableToRead, match="opening the topic for writing makes it anew"):
        end_offsets(topic)
    LogWriter(topic).close()
    assert len(everything(topic)) == 3


WRITE_UNTIL_KILLED = """
import random, sys
from connectors.file_log import LogWriter, writer
directory, name, number = sys.argv[1], sys.argv[2], 0
writer.MAX_BUFFERED_BYTES = int(sys.argv[3])
chance = random.Random(name)
with LogWriter(directory) as log:
    while True:
        for _ in range(chance.randint(1, 40)):
            log.append(number % 2, name.encode(), b"%d " % number + bytes(chance.randint(0, 20000)), append_ms=number)
            number += 1
        log.flush()
        print(number, flush=True)
"""


@pytest.mark.parametrize("buffered_bytes", [1 << 24, 30_000])
def test_kill_9_of_a_writer_loses_nothing_it_acknowledged(topic: Path, buffered_bytes: int) -> None:
    before: list[Record] = []
    for name in ("one", "two", "three", "four", "five", "six"):
        command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(topic), name, str(buffered_bytes)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(5)]
            writer.send_signal(signal.SIGKILL)
            acknowledged = int([*lines, *writer.stdout.read().splitlines()][-1])
        LogWriter(topic).close()

        records = everything(topic)
        assert records[: len(before)] == before
        for partition in range(2):  # all that was acknowledged; beyond that, at most more of the same sequence
            new = [record for record in records[len(before) :] if record.partition == partition]
            numbers = [int(record.payload.split()[0]) for record in new]
            assert numbers == list(range(partition, partition + 2 * len(new), 2))
            assert len(numbers) >= (acknowledged - partition + 1) // 2
            assert {record.key for record in new} == {name.encode()}
        before = records
