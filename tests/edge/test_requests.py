"""What is asked of a collector is answered once: from what is kept, from the meter, or refused with a reason."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge_collector.answering import Answering, UnableToReadAgain
from edge_collector.outbox import Outbox, UnableToCommit
from edge_collector.reading import Flag, RegisterReading
from edge_collector.records import READS
from edge_collector.requests import Answer, Request, RequestKind, Requests, UnableToAsk, check, request_of
from tests.edge.outbox_world import INTERVAL_MS, START_MS, boundary, cycle, outbox_at, reading, record
from tests.edge.test_publishing import QuickClock


@dataclass
class FakeMeters:
    """Keeps a load profile of boundaries 0 to 9 for PROFILED; answers now for all but DEAD."""

    calls: list[str] = field(default_factory=list)

    async def reread(self, device: str, from_ms: int, to_ms: int) -> Sequence[RegisterReading]:
        self.calls.append(f"reread {device}")
        if device != "PROFILED":
            raise UnableToReadAgain(f"{device} keeps no load profile")
        return [reading(device, n, 1000 + n, flags=(Flag.REREAD,)) for n in range(10) if from_ms <= boundary(n) < to_ms]

    async def read_now(self, device: str) -> Sequence[RegisterReading]:
        self.calls.append(f"now {device}")
        if device == "DEAD":
            raise UnableToReadAgain("DEAD does not answer")
        return [replace(reading(device, 3, flags=(Flag.REREAD,)), boundary_ms=boundary(3) + 12_345)]


def window(id: str, device: str, first: int = 2, last: int = 5) -> Request:
    return Request(id, RequestKind.REREAD, device, boundary(first), boundary(last), "ana")


def now(id: str, device: str = "SUB-4") -> Request:
    return Request(id, RequestKind.READ_NOW, device, None, None, "ana")


@dataclass
class World:
    """A collector's second half, without its first."""

    directory: Path
    meters: FakeMeters = field(default_factory=FakeMeters)

    def __post_init__(self) -> None:
        self.requests = Requests(self.directory / "requests.db")
        self.outbox: Outbox = outbox_at(self.directory, 20)
        self.restart_answering()

    def restart_answering(self) -> None:
        self.answering = Answering(self.requests, self.outbox, self.meters, QuickClock())

    def ask(self, request: Request) -> Answer:
        """Ask, have it answered, and look the answer up."""
        self.requests.ask(request, START_MS)
        asyncio.run(self.answering.answer_all())
        found = self.requests.find(request.id)
        assert found is not None and found.answer is not None
        return found.answer

    def take_out(self) -> list[tuple[str | None, int]]:
        """(read id, version) of the reads that wait to be published; they are delivered then."""
        waiting = self.outbox.backlog(READS, 1000)
        self.outbox.delivered([entry.sequence for entry in waiting])
        return [(entry.read_id, record(entry)["version"]) for entry in waiting if entry.read_id]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def name(device: str, n: int, again: int = 0) -> str:
    return f"harbour-house/{device}/T/{boundary(n)}" + (f"/{again}" if again else "")


def test_a_window_is_published_again_from_what_is_kept(world: World) -> None:
    for n in range(8):
        world.outbox.commit(cycle(n))
    before = {entry.read_id: entry.payload for entry in world.outbox.backlog(READS, 100)}
    world.take_out()
    answer = world.ask(window("r1", "SUB-4"))
    assert (answer.is_refused, "3 kept reads are published again" in answer.text) == (False, True)
    again = [entry for entry in world.outbox.backlog(READS, 100) if entry.read_id]
    assert {entry.read_id: entry.payload for entry in again} == {
        name("SUB-4", n): before[name("SUB-4", n)] for n in (2, 3, 4)
    }


def test_what_still_waits_is_not_asked_for_in_vain(world: World) -> None:
    for n in range(8):
        world.outbox.commit(cycle(n))
    answer = world.ask(window("r1", "SUB-4"))
    assert not answer.is_refused and "3 were still to be published" in answer.text
    assert len(world.take_out()) == 8, "each once"


def test_a_load_profile_is_read_with_names_and_a_version_of_the_request(world: World) -> None:
    world.outbox.commit(cycle(2, ("PROFILED",)))
    world.take_out()
    answer = world.ask(window("r1", "PROFILED"))
    assert "3 read from the meter" in answer.text
    number = world.requests.find("r1")
    assert number is not None
    expected = [(name("PROFILED", 2), 0), *((name("PROFILED", n, number.number), number.number) for n in (2, 3, 4))]
    assert sorted(world.take_out(), key=str) == sorted(expected, key=str)


def test_refused_with_a_reason(world: World) -> None:
    assert world.ask(window("r1", "SUB-4")) == Answer(
        True, "no read of that window is kept here, and SUB-4 keeps no load profile", boundary(1000)
    )
    assert world.ask(now("r2", "DEAD")) == Answer(True, "DEAD does not answer", boundary(1000))
    said = [record(entry)["detail"] for entry in world.outbox.backlog(READS, 10)]
    assert said == [
        "request r1 (re-read window, by ana) refused: no read of that window is kept here, and SUB-4 keeps no load profile",
        "request r2 (read now, by ana) refused: DEAD does not answer",
    ]


def test_read_now(world: World) -> None:
    answer = world.ask(now("r1"))
    assert (answer.is_refused, answer.text) == (False, "1 registers read")
    (read,) = [entry for entry in world.outbox.backlog(READS, 10) if entry.read_id]
    assert "REREAD" in record(read)["flags"] and record(read)["version"] == 1


def test_a_request_is_carried_out_once_however_often_it_is_asked(world: World) -> None:
    first = world.ask(now("r1"))
    assert world.ask(now("r1")) == first
    assert world.ask(window("r1", "PROFILED")) == first, "the id is the asker's word for one request"
    assert world.meters.calls == ["now SUB-4"]
    other = Requests(world.requests._path)  # the command line, beside
    assert other.waiting() == [] and other.find("r1") is not None and other.find("r2") is None


def test_a_crash_before_the_answer_is_written_down_finds_it_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.requests.ask(now("r1"), START_MS)
    with monkeypatch.context() as crash, pytest.raises(KeyboardInterrupt):
        crash.setattr(Requests, "answer", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        asyncio.run(world.answering.answer_all())
    world.outbox.close()
    world.outbox = outbox_at(world.directory, 20)
    world.restart_answering()
    asyncio.run(world.answering.answer_all())
    found = world.requests.find("r1")
    assert found is not None and found.answer is not None and not found.answer.is_refused
    assert world.meters.calls == ["now SUB-4"] and len(world.take_out()) == 1
    assert world.outbox.recall("request/r1") is None, "forgotten once it stands in both"


def test_a_full_disk_leaves_the_request_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.requests.ask(now("r1"), START_MS)
    connection = world.outbox._store.connection
    connection.execute("PRAGMA query_only = ON")
    for _ in range(3):
        asyncio.run(world.answering.answer_all())
    assert world.meters.calls == ["now SUB-4"] and len(world.requests.waiting()) == 1
    connection.execute("PRAGMA query_only = OFF")
    world.outbox.commit(cycle(4))
    asyncio.run(world.answering.answer_all())
    assert world.requests.waiting() == [] and world.meters.calls == ["now SUB-4"]
    with pytest.raises(UnableToCommit):
        connection.execute("PRAGMA query_only = ON")
        world.outbox.commit(cycle(5))


@pytest.mark.parametrize(
    "request_",
    [
        Request("", RequestKind.READ_NOW, "A", None, None, "ana"),
        Request("r", RequestKind.READ_NOW, "A" * 201, None, None, "ana"),
        Request("r", RequestKind.READ_NOW, "A", 1, 2, "ana"),
        Request("r", RequestKind.REREAD, "A", None, 2, "ana"),
        Request("r", RequestKind.REREAD, "A", 2, 2, "ana"),
        Request("r", RequestKind.REREAD, "A", -1, 2, "ana"),
        Request("r", RequestKind.REREAD, "A", True, 2, "ana"),
    ],
)
def test_what_makes_no_sense_is_not_written_down(request_: Request, world: World) -> None:
    with pytest.raises(UnableToAsk):
        world.requests.ask(request_, START_MS)
    assert world.requests.waiting() == []


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b'{"id": "r"}', b'{"id": 1, "kind": "read now", "device": "A"}'])
def test_what_is_no_request(payload: bytes) -> None:
    with pytest.raises(UnableToAsk):
        request_of(payload, "ana")


def test_a_request_as_it_travels() -> None:
    payload = b'{"id": "r", "kind": "re-read window", "device": "A", "from_ms": 1, "to_ms": 2, "more": 3}'
    request = request_of(payload, "edge.commands")
    check(request)
    assert request == Request("r", RequestKind.REREAD, "A", 1, 2, "edge.commands")


def test_a_damaged_file_of_requests_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "requests.db"
    first = Requests(path)
    number = first.ask(now("r1"), START_MS)
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    again = Requests(path)
    assert again.waiting() == [] and len(list(tmp_path.glob("requests.db.damaged-*"))) >= 1
    assert again.ask(now("r2"), START_MS) > number


def test_old_answers_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_collector.requests.KEPT_ANSWERS", 5)
    requests = Requests(tmp_path / "requests.db")
    for at in range(9):
        number = requests.ask(now(f"r{at}"), START_MS)
        assert requests.answer(number, Answer(False, "done", START_MS + INTERVAL_MS))
        assert not requests.answer(number, Answer(True, "another", START_MS)), "answered once"
    assert [requests.find(f"r{at}") is not None for at in range(9)] == [False] * 4 + [True] * 5
