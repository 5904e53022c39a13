"""A topic on disk: its directory, its fixed partition count, and `committed`, the vector up to which it is durable.

`committed` is one small block, rewritten in place after each flush: crc32 | highest append_ms | one end offset a partition. It is not
fsynced: it is moved only after the partitions were, so after a power cut it may lag behind them and never leads.
"""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
MAX_PARTITIONS = 256  # so that `committed` stays within one page
_READ_ATTEMPTS = 200  # of `committed`, one millisecond apart, while a writer is rewriting it


class UnableToOpenTopic(Exception):
    """The directory is not a topic this version can use, or is one of another shape than was asked for."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic directory that exists, with its partition count."""

    directory: Path
    partitions: int

    def log_path(self, partition: int) -> Path:
        return self.directory / f"{partition:05d}.log"

    @property
    def committed_path(self) -> Path:
        return self.directory / "committed"


@dataclass(frozen=True, slots=True)
class Committed:
    """End offset of every partition, and the highest append_ms below them (-1 when the topic is empty)."""

    ends: tuple[int, ...]
    append_ms: int

    def encode(self) -> bytes:
        body = struct.pack(f"<q{len(self.ends)}q", self.append_ms, *self.ends)
        return struct.pack("<I", zlib.crc32(body)) + body


def create_topic(directory: Path | str, partitions: int) -> Topic:
    """Make the topic, durably. One that exists with as many partitions is opened; with another number: UnableToOpenTopic.

    `topic.json` appears last and whole, so a crash in between leaves a directory that creating again completes.
    """
    directory = Path(directory)
    if not 1 <= partitions <= MAX_PARTITIONS:
        raise UnableToOpenTopic(f"{directory}: a topic has 1 to {MAX_PARTITIONS} partitions, not {partitions}")
    if (directory / "topic.json").exists():
        return _require(open_topic(directory), partitions)
    directory.mkdir(parents=True, exist_ok=True)
    topic = Topic(directory, partitions)
    for partition in range(partitions):
        topic.log_path(partition).touch()
    _write_durably(topic.committed_path, Committed((0,) * partitions, -1).encode())
    description = json.dumps({"format": FORMAT, "partitions": partitions}) + "\n"
    _write_durably(directory / "topic.json.new", description.encode())
    (directory / "topic.json.new").rename(directory / "topic.json")
    sync_directory(directory)
    sync_directory(directory.parent)
    return topic


def open_topic(directory: Path | str) -> Topic:
    """The topic in this directory. Raises UnableToOpenTopic when there is none, or one of another format."""
    directory = Path(directory)
    try:
        description = json.loads((directory / "topic.json").read_bytes())
        written_format, partitions = description["format"], description["partitions"]
    except FileNotFoundError:
        raise UnableToOpenTopic(f"{directory}: no topic here (topic.json is missing)") from None
    except (ValueError, KeyError, TypeError) as cause:
        raise UnableToOpenTopic(f"{directory}: topic.json cannot be understood: {cause}") from cause
    if written_format != FORMAT:
        raise UnableToOpenTopic(f"{directory}: log format {written_format}; this version reads format {FORMAT}")
    return Topic(directory, partitions)


def read_committed(topic: Topic) -> Committed | None:
    """The committed vector, or None when the file is missing or stays unreadable.

    Reading beside a writer can catch the block half rewritten: its crc tells, and it is read again.
    """
    size = 4 + 8 * (1 + topic.partitions)
    for _ in range(_READ_ATTEMPTS):
        try:
            block = topic.committed_path.read_bytes()
        except FileNotFoundError:
            return None
        if len(block) == size and zlib.crc32(block[4:]) == struct.unpack_from("<I", block)[0]:
            append_ms, *ends = struct.unpack_from(f"<{1 + topic.partitions}q", block, 4)
            return Committed(tuple(ends), append_ms)
        time.sleep(0.001)
    return None


def sync_directory(directory: Path) -> None:
    """Make names created or renamed in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require(topic: Topic, partitions: int) -> Topic:
    if topic.partitions != partitions:
        raise UnableToOpenTopic(f"{topic.directory}: has {topic.partitions} partitions, {partitions} were asked for")
    return topic


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
