"""Into the logs of a data directory: one that is free, and one that another process owns."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from connectors.file_log import LogReader, LogWriter, Record, end_offsets, partition_of
from connectors.owner_socket import LINE_LIMIT, UnableToAppendThere, append_through_owner
from edge_collector.entry import Entry, Kind
from edge_collector.publishing import UnableToPublish
from edge_collector.records import READS, TELEMETRY
from edge_collector.to_file_log import ToFileLog
from meterfold.following import appending_to
from meterfold.serving import OwnerServer, ask_owner
from meterfold.workspace import Paths, create

NOW_MS = 1_767_225_600_000


@pytest.fixture
def data(tmp_path: Path) -> Paths:
    return create(tmp_path / "data")


@contextmanager
def owned(paths: Paths) -> Iterator[LogWriter]:
    """The raw log as `run --follow` holds it, serving."""
    with LogWriter(paths.raw) as raw:
        server = OwnerServer(paths.socket, lambda argv, *_: len(argv), appending_to(raw))
        try:
            yield raw
        finally:
            server.close()


def entries(topic: str, count: int, size: int = 20) -> list[Entry]:
    return [
        Entry(at, Kind.READ, topic, f"SUB-{at % 5}", f"SUB-{at % 5}", b"%d " % at + b"x" * size) for at in range(count)
    ]


def publish(paths: Paths, batch: list[Entry]) -> None:
    asyncio.run(ToFileLog(paths.root, lambda: NOW_MS).publish(batch))


def logged(directory: Path) -> list[Record]:
    partitions = len(end_offsets(directory))
    found: list[Record] = []
    for partition in range(partitions):
        reader = LogReader(directory, partition)
        while records := reader.read():
            found += records
    return found


def assert_there(directory: Path, batch: list[Entry]) -> None:
    """All of the batch, each in its key's partition, in order within it."""
    found = logged(directory)
    assert len(found) == len(batch)
    partitions = len(end_offsets(directory))
    assert all(record.partition == partition_of(record.key, partitions) for record in found)
    for partition in range(partitions):
        expected = [e.payload for e in batch if partition_of(e.key.encode(), partitions) == partition]
        assert [record.payload for record in found if record.partition == partition] == expected


def test_into_a_free_directory(data: Paths) -> None:
    batch = entries(READS, 300)
    publish(data, batch[:200])
    publish(data, batch[200:])
    assert_there(data.raw, batch)
    LogWriter(data.raw).close()  # nothing holds it between batches


def test_telemetry_makes_its_topic(data: Paths) -> None:
    directory = data.root / "logs" / TELEMETRY
    publish(data, entries(TELEMETRY, 20))
    assert_there(directory, entries(TELEMETRY, 20))
    assert len(end_offsets(directory)) == 1
    with owned(data):
        publish(data, entries(TELEMETRY, 3))
    assert len(logged(directory)) == 23, "it is nobody else's, also while the directory is owned"


def test_into_an_owned_directory(data: Paths) -> None:
    batch = entries(READS, 300)
    with owned(data) as raw:
        publish(data, batch[:200])
        assert len(logged(data.raw)) == 200, "visible at once"
        raw.append(0, b"other", b"of the owner", NOW_MS)
        publish(data, batch[200:250])
    publish(data, batch[250:])
    assert {record.payload for record in logged(data.raw)} == {e.payload for e in batch} | {b"of the owner"}


def test_what_is_too_long_for_one_request_goes_in_several(data: Paths) -> None:
    batch = entries(READS, 50, size=60_000)
    assert sum(len(entry.payload) for entry in batch) > 2 * LINE_LIMIT
    with owned(data):
        publish(data, batch)
    assert_there(data.raw, batch)


def test_commands_still_reach_the_owner(data: Paths) -> None:
    with owned(data), Path(os.devnull).open("w") as null:
        out = Console(file=null)
        assert ask_owner(data.socket, ["one", "two"], out, out) == 2


def test_an_owner_that_does_not_serve_is_waited_for(data: Paths) -> None:
    with LogWriter(data.raw), pytest.raises(UnableToPublish, match=r"owner\.sock"):
        publish(data, entries(READS, 5))
    assert logged(data.raw) == []
    publish(data, entries(READS, 5))
    assert len(logged(data.raw)) == 5


def test_an_owner_that_cannot_append_says_why(data: Paths) -> None:
    with owned(data) as raw:
        with pytest.raises(UnableToAppendThere, match=r"reads\.raw only"):
            append_through_owner(data.socket, "billing", [(b"key", b"payload")])
        raw.abandon()
        with pytest.raises(UnableToAppendThere, match="this writer is closed"):
            append_through_owner(data.socket, READS, [(b"key", b"payload")])


def test_a_broken_request_leaves_the_owner_well(data: Paths) -> None:
    with owned(data):
        for broken in ([["%%%"]], [["a", "b", "c"]], 7):
            with pytest.raises(UnableToAppendThere):
                _raw_request(data.socket, {"append": READS, "entries": broken})
        publish(data, entries(READS, 5))
    assert len(logged(data.raw)) == 5


def _raw_request(path: Path, request: dict[str, object]) -> None:
    from connectors.owner_socket import _ask

    _ask(path, json.dumps(request).encode() + b"\n", 10)


def test_no_directory_no_topic(tmp_path: Path) -> None:
    for topic in (READS, TELEMETRY):
        with pytest.raises(UnableToPublish):
            asyncio.run(ToFileLog(tmp_path / "not mounted", lambda: NOW_MS).publish(entries(topic, 1)))
    assert not (tmp_path / "not mounted").exists()


def test_batches_of_two_collectors_and_the_owner_are_all_there(data: Paths) -> None:
    """Whoever finds the writer's lock taken by another batch tries again."""

    def insist(batch: list[Entry]) -> None:
        for at in range(0, len(batch), 10):
            while True:
                try:
                    publish(data, batch[at : at + 10])
                    break
                except UnableToPublish:
                    continue

    halves = entries(READS, 200)
    threads = [threading.Thread(target=insist, args=(halves[start::2],)) for start in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record.payload for record in logged(data.raw)) == sorted(entry.payload for entry in halves)
    with LogWriter(data.raw) as writer:
        assert writer.cuts == ()
