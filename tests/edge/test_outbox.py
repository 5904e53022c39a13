"""The outbox, played at random: whatever is committed is waiting, in the log, or said to be missing."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_collector.entry import Entry, Kind
from edge_collector.outbox import Outbox, OutboxIsOwned, UnableToCommit
from edge_collector.outbox_bounds import Bounds, used_bytes
from edge_collector.reading import StatusKind, StatusReport
from edge_collector.records import READS, TELEMETRY
from edge_collector.status import UnableToShow, read_status
from tests.edge.outbox_world import (
    INTERVAL_MS,
    UNSYNCHRONISED,
    Read,
    boundary,
    cycle,
    outbox_at,
    reads_of,
    record,
    said_missing,
    small,
    waiting,
)

DEVICES = ("A", "B", "C", "D")
BOUND = small(56)


class OutboxPlayed(RuleBasedStateMachine):
    """Commits, deliveries, evictions and reopenings in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.now = 0
        self.outbox = self.opened()
        self.committed: set[Read] = set()
        self.log: list[Entry] = []
        self.highest = 0

    def opened(self) -> Outbox:
        return outbox_at(Path(self.directory.name), self.now, bounds=BOUND)

    @rule(cycles=st.integers(1, 12), who=st.sets(st.sampled_from(DEVICES)), telemetry=st.integers(0, 3))
    def commit(self, cycles: int, who: set[str], telemetry: int) -> None:
        for _ in range(cycles):
            self.now += 1
            silent = set(DEVICES) - who
            self.outbox.commit(cycle(self.now, sorted(who), telemetry, silent=sorted(silent)))
            self.committed |= {(device, boundary(self.now)) for device in who}

    @rule(part=st.floats(0, 1), topic=st.sampled_from([READS, TELEMETRY]), is_fresh=st.booleans())
    def deliver(self, part: float, topic: str, is_fresh: bool) -> None:
        entries = self.outbox.fresh(10) if is_fresh else self.outbox.backlog(topic, 1000)
        entries = entries[: int(len(entries) * part)]
        self.log += entries
        self.outbox.delivered([entry.sequence for entry in entries])

    @rule()
    def publish_without_noting_it(self) -> None:
        self.log += self.outbox.backlog(READS, 5)

    @rule(device=st.sampled_from(DEVICES), back=st.integers(1, 30))
    def ask_again(self, device: str, back: int) -> None:
        self.outbox.publish_again(device, boundary(self.now - back), boundary(self.now + 1))

    @rule()
    def reopen(self) -> None:
        self.outbox.close()
        self.outbox = self.opened()
        assert self.outbox.repair is None

    @invariant()
    def nothing_is_lost_in_silence(self) -> None:
        known = [*waiting(self.outbox), *self.log]
        for read in self.committed - reads_of(known):
            assert said_missing(read, known, known_only=True), read

    @invariant()
    def sequences_rise_and_order_holds(self) -> None:
        sequences = [entry.sequence for entry in self.outbox.backlog(READS, 10_000)]
        assert sequences == sorted(set(sequences))
        next_sequence = self.outbox.standing.sequence
        assert next_sequence >= self.highest and all(each < next_sequence for each in sequences)
        self.highest = next_sequence

    @invariant()
    def it_keeps_its_bound(self) -> None:
        gaps = sum(entry.kind is Kind.GAP for entry in waiting(self.outbox))
        used = read_status(self.outbox.path, boundary(self.now)).used_bytes
        assert used <= BOUND.max_bytes + 3 * 8192 and gaps <= 8 * len(DEVICES)

    def teardown(self) -> None:
        self.outbox.close()
        self.directory.cleanup()


OutboxPlayed.TestCase.settings = settings(
    max_examples=10, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOutboxPlayed = OutboxPlayed.TestCase


def test_kept_reads_go_first_then_telemetry_then_the_oldest_reads(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, bounds=small(56))
    outbox.commit(cycle(1, DEVICES))
    outbox.delivered([entry.sequence for entry in outbox.backlog(READS, 100)])
    seen: list[str] = []
    for n in range(2, 80):
        outbox.commit(cycle(n, DEVICES, telemetry=4))
        standing = outbox.standing
        for name in ("evicted_kept", "evicted_telemetry", "evicted_reads"):
            if getattr(standing, name) and name not in seen:
                seen.append(name)
    assert seen == ["evicted_kept", "evicted_telemetry", "evicted_reads"]
    left = outbox.backlog(READS, 10_000)
    gaps = [record(entry) for entry in left if entry.kind is Kind.GAP]
    assert [gap["device"] for gap in gaps] == list(DEVICES), "one a device, however often some were evicted"
    first_left = min(at_ms for _, at_ms in reads_of(left))
    assert {gap["to_ms"] for gap in gaps} <= {first_left - INTERVAL_MS, first_left}
    assert all(gap["from_ms"] == boundary(1) for gap in gaps)
    assert int(gaps[0]["detail"].split(": ")[1].split()[0]) == (gaps[0]["to_ms"] - boundary(1)) // INTERVAL_MS


def test_a_gap_that_is_on_its_way_is_not_mistaken_for_the_wider_one(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, bounds=small(40))
    n = 0
    while not outbox.standing.evicted_reads:
        n += 1
        outbox.commit(cycle(n, DEVICES))
    on_its_way = [entry for entry in outbox.backlog(READS, 1000) if entry.kind is Kind.GAP]
    before = outbox.standing.evicted_reads
    while outbox.standing.evicted_reads == before:
        n += 1
        outbox.commit(cycle(n, DEVICES))
    outbox.delivered([entry.sequence for entry in on_its_way])
    assert any(entry.kind is Kind.GAP for entry in outbox.backlog(READS, 1000)), "the wider gap must still go out"


def test_age_is_judged_by_a_clock_that_is_held_only(tmp_path: Path) -> None:
    bounds = Bounds(kept_ms=INTERVAL_MS, telemetry_ms=2 * INTERVAL_MS, reads_ms=10 * INTERVAL_MS)
    outbox = outbox_at(tmp_path, bounds=bounds)
    outbox.commit(cycle(1, DEVICES, telemetry=1))
    outbox.commit(cycle(500, DEVICES, telemetry=1, clock=UNSYNCHRONISED))
    assert reads_of(waiting(outbox)) == {(device, boundary(n)) for device in DEVICES for n in (1, 500)}
    outbox.commit(cycle(501, DEVICES, telemetry=1))
    left = waiting(outbox)
    assert reads_of(left) == {(device, boundary(n)) for device in DEVICES for n in (500, 501)}
    assert all(said_missing((device, boundary(1)), left, known_only=True) for device in DEVICES)
    assert len([entry for entry in left if entry.kind is Kind.TELEMETRY]) == 8


def test_a_boundary_read_has_one_name_and_a_second_read_of_it_another(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path)
    outbox.commit(cycle(7))
    (first,) = outbox.backlog(READS, 10)
    assert first.read_id == f"harbour-house/SUB-4/T/{boundary(7)}"
    outbox.delivered([first.sequence])
    assert outbox.publish_again("SUB-4", boundary(7), boundary(8)) == (1, 0)
    (again,) = outbox.backlog(READS, 10)
    assert (again.read_id, again.payload) == (first.read_id, first.payload) and again.sequence > first.sequence
    outbox.commit(cycle(7))  # as after a restart between poll and commit
    names = [entry.read_id for entry in outbox.backlog(READS, 10)]
    assert len(set(names)) == 2 and first.read_id in names


def test_memory_goes_with_the_cycle(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path)
    outbox.commit(cycle(1), {"serial/SUB-4": "4711"})
    outbox.remember("scale/SUB-4", "10")
    outbox.close()
    outbox = outbox_at(tmp_path)
    assert outbox.recall("serial/SUB-4") == "4711" and outbox.recall("scale/SUB-4") == "10"
    outbox.forget("scale/SUB-4")
    assert outbox.recall("scale/SUB-4") is None and outbox.recall("other") is None


def test_a_commit_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    """What no kill shows: only a power cut would."""
    connection = outbox_at(tmp_path)._store.connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_process_owns_it(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path)
    with pytest.raises(OutboxIsOwned):
        outbox_at(tmp_path)
    outbox.close()
    outbox_at(tmp_path).close()


def test_a_full_disk_loses_nothing_that_was_committed_and_holds_what_comes(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, max_pages=20)
    committed: set[Read] = set()
    n = 0
    with pytest.raises(UnableToCommit):
        while True:
            n += 1
            outbox.commit(cycle(n, DEVICES))
            committed |= {(device, boundary(n)) for device in DEVICES}
    assert n > 10 and outbox.held_readings == len(DEVICES)
    assert reads_of(waiting(outbox)) == committed
    with pytest.raises(UnableToCommit):
        outbox.commit(cycle(n + 1, DEVICES))
    outbox.delivered([entry.sequence for entry in outbox.backlog(READS, 40)])  # leaves kept reads, which make room
    outbox.commit(cycle(n + 2, DEVICES))
    assert outbox.held_readings == 0 and outbox.standing.evicted_kept > 0
    expected = {(device, boundary(at)) for device in DEVICES for at in (n, n + 1, n + 2)}
    assert expected <= reads_of(waiting(outbox))


def test_what_cannot_be_held_any_more_leaves_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_collector.outbox.HELD_READINGS", 2 * len(DEVICES))
    outbox = outbox_at(tmp_path, max_pages=20)
    failed: list[int] = []
    for n in range(1, 200):
        try:
            outbox.commit(cycle(n, DEVICES))
        except UnableToCommit:
            failed.append(n)
        if len(failed) == 5:
            break
    assert outbox.held_readings == 2 * len(DEVICES)
    outbox.delivered([entry.sequence for entry in outbox.backlog(READS, 1000)])
    outbox.commit(cycle(n + 1, DEVICES))
    left = waiting(outbox)
    assert reads_of(left) == {(device, boundary(at)) for device in DEVICES for at in (n - 1, n, n + 1)}
    for at in failed[:3]:
        assert all(said_missing((device, boundary(at)), left, known_only=True) for device in DEVICES)


def test_status_beside_its_owner(tmp_path: Path) -> None:
    with pytest.raises(UnableToShow):
        read_status(tmp_path / "outbox.db", 0)
    outbox = outbox_at(tmp_path)
    outbox.commit(
        cycle(1, DEVICES, telemetry=2, reports=(StatusReport("A", boundary(1), StatusKind.CLOCK, "stepped"),))
    )
    outbox.delivered([entry.sequence for entry in outbox.backlog(READS, 2)])
    for is_open in (True, False):
        if not is_open:
            outbox.close()
        shown = read_status(tmp_path / "outbox.db", boundary(3)).to_json()
        assert shown["depth"] == {READS: {"read": 2, "status": 1}, TELEMETRY: {"telemetry": 4}}
        assert (shown["oldest_ms"], shown["age_ms"], shown["kept_reads"]) == (boundary(1), 2 * INTERVAL_MS, 2)
        assert (shown["first_sequence"], shown["last_sequence"], shown["next_sequence"]) == (3, 9, 10)
        assert shown["delivered"] == 2 and shown["last_error"] is None and shown["used_bytes"] > 8192


def test_the_bound_is_of_pages_in_use(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, bounds=small(40))
    for n in range(200):
        outbox.commit(cycle(n, random.Random(n).sample(DEVICES, 3)))
    assert used_bytes(outbox._store.connection) <= small(40).max_bytes + 8192
    assert outbox.path.stat().st_size < 1 << 20
