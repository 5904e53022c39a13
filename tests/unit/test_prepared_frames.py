"""Frames made by array code are appended under the writer's rules, and are then what it would have written itself."""

from pathlib import Path

import numpy as np
import pytest

from connectors.file_log import MAX_KEY_BYTES, MAX_PAYLOAD_BYTES, LogReader, LogWriter, UnableToAppend, create_topic
from connectors.file_log import writer as writer_module
from connectors.file_log.frame import encode_frame
from connectors.file_log.prepared import PreparedFrames, framed
from connectors.texts import Texts

Entry = tuple[int, bytes, bytes]
PARTITIONS = 3
ENTRIES: list[Entry] = [(0, b"a", b"one"), (0, b"", b""), (2, b"k" * MAX_KEY_BYTES, b"x" * 70_000), (2, b"b", b"\x00")]


def prepared(entries: list[Entry], partitions: int = PARTITIONS) -> PreparedFrames:
    """Frames of entries that are sorted by partition, without stamp and crc."""
    frames = [b"\xee" * 16 + len(key).to_bytes(2, "little") + key + payload for _, key, payload in entries]
    frames = [
        len(payload).to_bytes(4, "little") + frame[4:] for frame, (_, _, payload) in zip(frames, entries, strict=True)
    ]
    starts = np.cumsum([0, *map(len, frames)])
    first = np.searchsorted([partition for partition, _, _ in entries], np.arange(partitions + 1))
    return PreparedFrames(np.frombuffer(bytearray(b"".join(frames)), np.uint8), starts, first)


@pytest.fixture
def topic(tmp_path: Path) -> Path:
    return create_topic(tmp_path / "topic", PARTITIONS).directory


def content(topic: Path) -> list[bytes]:
    return [(topic / f"{partition:05d}.log").read_bytes() for partition in range(PARTITIONS)]


def test_they_are_a_sequence_of_entries() -> None:
    frames = prepared(ENTRIES)
    assert list(frames) == [frames[at] for at in range(4)] == ENTRIES and len(frames) == 4
    assert frames[1:3] == ENTRIES[1:3] and frames[-1] == ENTRIES[-1]
    assert list(prepared([])) == []


def test_they_become_the_bytes_that_the_writer_makes(topic: Path) -> None:
    expected = [
        b"".join(encode_frame(7, key, payload) for at, key, payload in ENTRIES if at == part) for part in range(3)
    ]
    with LogWriter(topic) as log:
        log.append_prepared(prepared(ENTRIES), append_ms=7)
        assert content(topic) == [b"", b"", b""], "nothing is written before the flush"
        assert log.flush() == tuple(map(len, expected)) == log.end_offsets()
    assert content(topic) == expected


def test_texts_are_framed_as_the_writer_frames_them(tmp_path: Path) -> None:
    texts = Texts(
        np.frombuffer(b"..one.two" + bytes(70_000), np.uint8), np.array([2, 6, 6, 5]), np.array([5, 9, 6, 70_000])
    )
    directory = create_topic(tmp_path / "one", 1).directory
    with LogWriter(directory) as log:
        for key in (b"", b"key"):
            log.append(0, key, b"before", append_ms=3)
            offsets = log.append_prepared(framed(key, texts), append_ms=3)
            log.append_prepared(framed(key, texts[:0]), append_ms=3)
            assert log.flush()
            with LogReader(directory, 0, int(offsets[0])) as reader:
                found = reader.read()
            assert [(record.offset, record.key, record.payload) for record in found] == list(
                zip(offsets.tolist(), [key] * 4, texts, strict=True)
            )


def test_their_offsets_are_those_that_the_writer_gives(tmp_path: Path) -> None:
    found = []
    for way in range(2):
        with LogWriter(create_topic(tmp_path / str(way), PARTITIONS).directory) as log:
            log.append(2, b"k", b"before", append_ms=7)
            found.append(log.append_many(ENTRIES, 7) if way else log.append_prepared(prepared(ENTRIES), 7).tolist())
    assert found[0] == found[1]


def test_their_stamps_never_go_back_and_each_flush_is_above_the_last(topic: Path) -> None:
    one = [(1, b"", b"")]
    with LogWriter(topic) as log:
        log.append(1, b"", b"", append_ms=1000)
        log.append_prepared(prepared(one), append_ms=900)  # the same flush: held at 1000
        log.flush()
        log.append_prepared(prepared(one), append_ms=1000)  # a later flush: above it
        log.append(1, b"", b"", append_ms=0)
    stamps = [1000, 1000, 1001, 1001]
    assert content(topic)[1] == b"".join(encode_frame(stamp, b"", b"") for stamp in stamps)


def test_a_full_buffer_is_flushed_meanwhile(topic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_BUFFERED_BYTES", 100)
    with LogWriter(topic) as log:
        log.append_prepared(prepared(ENTRIES[:1]), append_ms=1)
        assert content(topic)[0] == b""
        log.append_prepared(prepared(ENTRIES), append_ms=1)
        log.append_prepared(prepared(ENTRIES), append_ms=1)  # waits for the one before
        ends = log.end_offsets()
        assert ends[0] > 0 and ends[2] > 0


@pytest.mark.parametrize(
    ("entries", "append_ms", "why"),
    [
        ([*ENTRIES, (2, b"k" * (MAX_KEY_BYTES + 1), b"")], 1, "a key of"),
        ([(0, b"", b""), (1, b"", bytes(MAX_PAYLOAD_BYTES + 1))], 1, "a payload of"),
        (ENTRIES, -1, "append_ms -1"),
        (ENTRIES, 1 << 48, "append_ms"),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_none_of_it_taken(
    topic: Path, entries: list[Entry], append_ms: int, why: str
) -> None:
    with LogWriter(topic) as log:
        with pytest.raises(UnableToAppend, match=why):
            log.append_prepared(prepared(entries), append_ms)
        assert log.flush() == (0, 0, 0)


def test_frames_for_another_topic_and_a_closed_writer_are_refused(topic: Path) -> None:
    log = LogWriter(topic)
    with pytest.raises(UnableToAppend, match="frames for 4 partitions"):
        log.append_prepared(prepared(ENTRIES, partitions=4), 1)
    log.close()
    with pytest.raises(UnableToAppend, match="closed"):
        log.append_prepared(prepared(ENTRIES), 1)
