"""Draining the outbox into a log that fails: order, no starvation, patience, and heartbeats after what they speak for."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from edge_collector.entry import Entry
from edge_collector.outbox import Outbox
from edge_collector.publishing import Backoff, Drain, UnableToPublish
from edge_collector.reading import ClockQuality
from edge_collector.records import READS, TELEMETRY
from edge_collector.simulate.clock import SteppedClock
from edge_collector.status import read_status
from tests.edge.outbox_world import SYNCHRONISED, Read, boundary, cycle, outbox_at, reads_of, record, waiting

DEVICES = ("A", "B", "C")


@dataclass
class FakeLog:
    """Takes batches, or a beginning of one and then fails. `down`: topics that take nothing."""

    random: Random = field(default_factory=lambda: Random(0))
    failures: float = 0.0
    down: set[str] = field(default_factory=set)
    log: list[Entry] = field(default_factory=list)
    batches: list[list[Entry]] = field(default_factory=list)

    async def publish(self, entries: Sequence[Entry]) -> None:
        await asyncio.sleep(0)
        if entries[0].topic in self.down:
            raise UnableToPublish("the broker is down")
        if self.random.random() < self.failures:
            self.log += entries[: self.random.randrange(len(entries))]
            raise UnableToPublish("not all of it")
        self.log += entries
        self.batches.append(list(entries))

    async def close(self) -> None:
        pass


@dataclass
class QuickClock:
    """Sleeps take no time, and are noted."""

    slept_ms: list[float] = field(default_factory=list)

    def now_ms(self) -> int:
        return boundary(1000)

    def monotonic_ms(self) -> float:
        return sum(self.slept_ms)

    async def sleep_until(self, at_ms: int) -> None:
        await asyncio.sleep(0)

    async def sleep(self, span_ms: float) -> None:
        self.slept_ms.append(span_ms)
        await asyncio.sleep(0.001)

    def quality(self) -> ClockQuality:
        return SYNCHRONISED


@dataclass
class Counting:
    """Adds up what a drain tells."""

    told: int = 0
    refusals: list[str] = field(default_factory=list)

    def published(self, topic: str, entries: int) -> None:
        self.told += entries

    def refused(self, topic: str, reason: str) -> None:
        self.refusals.append(f"{topic}: {reason}")


def drain_of(outbox: Outbox, log: FakeLog, batch: int = 500, watcher: Counting | None = None) -> Drain:
    return Drain(outbox, log, QuickClock(), Random(1), watcher or Counting(), batch)


async def until_empty(drain: Drain, outbox: Outbox) -> None:
    for _ in range(10_000):
        try:
            await drain.empty()
            return
        except UnableToPublish:
            continue
    raise AssertionError(f"{len(waiting(outbox))} entries still wait")


def read_of(entry: Entry) -> Read:
    (found,) = reads_of([entry])
    return found


def test_fresh_reads_do_not_wait_and_the_backlog_goes_oldest_first(tmp_path: Path) -> None:
    outbox, log = outbox_at(tmp_path, 1000), FakeLog()
    for n in range(100):
        outbox.commit(cycle(n, DEVICES))
    drain = drain_of(outbox, log, batch=10)

    async def play() -> None:
        for n in range(100, 140):
            outbox.commit(cycle(n, DEVICES))
            before = len(log.batches)
            await drain.step(READS)
            first = [entry for entry in log.batches[before] if entry.read_id]
            fresh = {(device, boundary(n)) for device in DEVICES}
            assert fresh <= reads_of(first), "with the very next batch"
            assert len(reads_of(first) - fresh) == 7, "and the rest of it is backlog"

    asyncio.run(play())
    old = [read_of(entry) for entry in log.log if entry.read_id and read_of(entry)[1] < boundary(100)]
    assert [at_ms for _, at_ms in old] == sorted(at_ms for _, at_ms in old) and len(old) == 40 * 7


def test_much_that_is_fresh_leaves_half_to_the_backlog(tmp_path: Path) -> None:
    outbox, log = outbox_at(tmp_path, 1000), FakeLog()
    many = [f"M{at}" for at in range(40)]
    for n in range(3):
        outbox.commit(cycle(n, many))
    asyncio.run(drain_of(outbox, log, batch=20).step(READS))
    boundaries = [read_of(entry)[1] for entry in log.batches[0]]
    assert boundaries.count(boundary(2)) == boundaries.count(boundary(0)) == 10


@pytest.mark.parametrize("seed", range(3))
def test_a_log_that_fails_gets_everything_in_order(seed: int, tmp_path: Path) -> None:
    outbox, log = outbox_at(tmp_path, 1000), FakeLog(Random(seed), failures=0.5)
    for n in range(60):
        outbox.commit(cycle(n, DEVICES, telemetry=2))
    asyncio.run(until_empty(drain_of(outbox, log, batch=7), outbox))
    assert reads_of(log.log) == {(device, boundary(n)) for device in DEVICES for n in range(60)}
    assert all(sorted(e.sequence for e in batch) == [e.sequence for e in batch] for batch in log.batches)
    assert sum(entry.topic == TELEMETRY for entry in {e.payload: e for e in log.log}.values()) == 60 * len(DEVICES)
    for device in DEVICES:
        arrived = dict.fromkeys(read_of(e)[1] for e in log.log if e.read_id and e.device == device)
        backlog = [at_ms for at_ms in arrived if at_ms != boundary(59)]
        assert backlog == sorted(backlog), "nothing of a device's backlog overtakes"


@pytest.mark.parametrize("seed", range(3))
def test_heartbeats_come_after_what_they_speak_for(seed: int, tmp_path: Path) -> None:
    outbox, log, rng = outbox_at(tmp_path, 1000), FakeLog(Random(seed), failures=0.3), Random(seed)
    drain = drain_of(outbox, log, batch=8)

    async def play() -> None:
        for n in range(60):
            outbox.commit(cycle(n, rng.sample(DEVICES, rng.randrange(4)), silent=DEVICES))
            for _ in range(rng.randrange(3)):
                with suppress(UnableToPublish):
                    await drain.step(READS)
        await until_empty(drain, outbox)

    asyncio.run(play())
    committed = reads_of(log.log)
    arrived: set[Read] = set()
    highest: dict[str, tuple[int, int]] = {}
    for entry in log.log:
        if entry.read_id:
            arrived.add(read_of(entry))
            continue
        beat = record(entry)
        assert beat["type"] == "heartbeat"
        device, through, sequence = beat["device"], beat["complete_through_ms"], beat["sequence"]
        assert not {read for read in committed - arrived if read[0] == device and read[1] <= through}
        assert (sequence, through) >= highest.get(device, (0, 0)), "number and instant rise together"
        highest[device] = sequence, through
    assert {through for _, through in highest.values()} == {boundary(59)}


def test_a_crash_before_noting_publishes_the_same_again(tmp_path: Path) -> None:
    outbox, log = outbox_at(tmp_path, 1000), FakeLog()
    for n in range(5):
        outbox.commit(cycle(n, DEVICES))
    asyncio.run(log.publish(outbox.backlog(READS, 10)))
    outbox.close()
    outbox = outbox_at(tmp_path, 1000)
    asyncio.run(until_empty(drain_of(outbox, log), outbox))
    by_name: dict[str, set[bytes]] = {}
    for entry in log.log:
        if entry.read_id:
            by_name.setdefault(entry.read_id, set()).add(entry.payload)
    assert len(by_name) == 15 and all(len(payloads) == 1 for payloads in by_name.values())
    assert sum(entry.read_id is not None for entry in log.log) == 25


def test_no_topic_waits_for_another_and_failures_are_seen(tmp_path: Path) -> None:
    outbox, log, watcher = outbox_at(tmp_path, 1000), FakeLog(down={TELEMETRY}), Counting()
    drain = drain_of(outbox, log, watcher=watcher)

    async def play() -> None:
        running = asyncio.create_task(drain.run())
        for n in range(10):
            await asyncio.to_thread(outbox.commit, cycle(n, DEVICES, telemetry=1))
            await asyncio.sleep(0.02)
        while outbox.backlog(READS, 1) or len(watcher.refusals) < 3:
            await asyncio.sleep(0.01)
        assert len(outbox.backlog(TELEMETRY, 100)) == 30
        shown = read_status(outbox.path, boundary(1000))
        assert shown.last_error == f"{TELEMETRY}: the broker is down"
        log.down.clear()
        # the outbox forgets entries before the watcher hears of them
        while outbox.backlog(TELEMETRY, 1) or outbox.heartbeats_due() or watcher.told < len(log.log):
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(asyncio.wait_for(play(), 30))
    assert watcher.refusals == [f"{TELEMETRY}: the broker is down"] * len(watcher.refusals)
    assert watcher.told == len(log.log)


def test_a_commit_wakes_it_and_a_stepped_clock_waits_for_it(tmp_path: Path) -> None:
    """In virtual time a record stands in the log at the instant of its commit, whatever publishing takes."""
    outbox, clock = outbox_at(tmp_path, 1000), SteppedClock(boundary(0))
    arrived: list[int] = []

    class SlowLog(FakeLog):
        async def publish(self, entries: Sequence[Entry]) -> None:
            await asyncio.sleep(0.01)
            arrived.extend([clock.now_ms()] * sum(entry.read_id is not None for entry in entries))

    async def play() -> None:
        drain = Drain(outbox, SlowLog(), clock, Random(1), idle_ms=10**9)
        running = asyncio.create_task(drain.run(clock.participant))
        with clock.participant():
            for n in range(1, 6):
                await clock.sleep_until(boundary(n))
                await asyncio.to_thread(outbox.commit, cycle(n, DEVICES))
            await clock.sleep(1)
        running.cancel()

    asyncio.run(asyncio.wait_for(play(), 30))
    assert arrived == [boundary(n) for n in range(1, 6) for _ in DEVICES]


def test_a_delivery_that_the_disk_does_not_take_is_not_published_over_and_over(tmp_path: Path) -> None:
    outbox, log = outbox_at(tmp_path, 1000), FakeLog()
    for n in range(5):
        outbox.commit(cycle(n, DEVICES))
    connection = outbox._store.connection
    connection.execute("PRAGMA query_only = ON")  # every write fails
    asyncio.run(until_empty(drain_of(outbox, log, batch=4), outbox))
    assert len([entry for entry in log.log if entry.read_id]) == 15
    connection.execute("PRAGMA query_only = OFF")
    outbox.commit(cycle(5, DEVICES))
    asyncio.run(until_empty(drain_of(outbox, log), outbox))
    assert len([entry for entry in log.log if entry.read_id]) == 18 and outbox.standing.delivered == 18


def test_waits_double_with_jitter_up_to_a_limit() -> None:
    backoff = Backoff(Random(5), first_ms=100, limit_ms=1000)
    waits = [backoff.next_ms() for _ in range(50)]
    for wait, whole in zip(waits, [100, 200, 400, 800, *[1000] * 46], strict=True):
        assert whole / 2 <= wait <= whole
    assert len({round(wait, 3) for wait in waits[4:]}) > 40, "no two collectors knock together"
    backoff.succeeded()
    assert 50 <= backoff.next_ms() <= 100
    assert all(earlier < later for earlier, later in pairwise([waits[0], waits[2], waits[4]]))
