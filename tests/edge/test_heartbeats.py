"""Complete through when: never beyond a read that is still to come, never back, never for an exchanged meter's name."""

from pathlib import Path

import pytest

from edge_collector.heartbeats import AHEAD_MS, DeviceState, Heartbeat, complete_through, due, polled, sent
from edge_collector.outbox import Outbox
from edge_collector.reading import StatusKind, StatusReport
from edge_collector.records import READS
from tests.edge.outbox_world import boundary, cycle, outbox_at, small

NOW_MS = boundary(100)


@pytest.mark.parametrize(
    ("polled_n", "oldest_n", "through_n"),
    [
        (None, None, None),  # never asked
        (4, None, 4),  # nothing waits
        (4, 3, 3),  # the read of boundary 4 waits: it closes [3, 4)
        (4, 1, 1),  # a backlog
        (4, 9, 4),  # what waits is of later
    ],
)
def test_complete_through(polled_n: int | None, oldest_n: int | None, through_n: int | None) -> None:
    def at(n: int | None) -> int | None:
        return None if n is None else boundary(n)

    assert complete_through(DeviceState("A", at(polled_n)), at(oldest_n)) == at(through_n)


def said(outbox: Outbox) -> dict[str, int]:
    """What is due, by device; then it is sent."""
    beats = outbox.heartbeats_due()
    outbox.heartbeats_sent(beats)
    return {beat.device: beat.complete_through_ms for beat in beats}


def deliver(outbox: Outbox, limit: int = 1000) -> None:
    outbox.delivered([entry.sequence for entry in outbox.backlog(READS, limit)])


def test_fresh_reads_do_not_close_a_backlog(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, 10)
    outbox.commit(cycle(1, ("A", "B")))
    deliver(outbox)
    assert said(outbox) == {"A": boundary(1), "B": boundary(1)}
    assert said(outbox) == {}, "only what rises"
    for n in (2, 3, 4):
        outbox.commit(cycle(n, ("A", "B")))
    outbox.delivered([entry.sequence for entry in outbox.fresh(10)])
    assert said(outbox) == {}, "2 and 3 are still to come"
    deliver(outbox, 2)
    assert said(outbox) == {"A": boundary(2), "B": boundary(2)}
    deliver(outbox)
    assert said(outbox) == {"A": boundary(4), "B": boundary(4)}


def test_a_silent_device_is_complete_through_its_last_boundary(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, 10)
    outbox.commit(cycle(1, ("A",), silent=("B",)))
    assert said(outbox) == {"A": boundary(0), "B": boundary(1)}, "nothing will come of B; A's read waits"
    deliver(outbox)
    assert said(outbox) == {"A": boundary(1)}


def test_a_gap_holds_it_until_it_is_told(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, 1000, bounds=small(40))
    n = 0
    while not outbox.standing.evicted_reads:
        n += 1
        outbox.commit(cycle(n, ("A", "B")))
    reads = [entry.sequence for entry in outbox.backlog(READS, 1000) if entry.read_id]
    outbox.delivered(reads)
    assert all(through <= boundary(1) for through in said(outbox).values()), "what is missing is not said yet"
    deliver(outbox)
    assert said(outbox) == {"A": boundary(n), "B": boundary(n)}


def test_the_name_of_an_exchanged_meter_stays_where_it_was(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, 10)
    outbox.commit(cycle(1, ("A",)))
    deliver(outbox)
    assert said(outbox) == {"A": boundary(1)}
    report = StatusReport("A", boundary(2), StatusKind.EXCHANGE, "serial 4711, was 4710")
    outbox.commit(cycle(2, ("A@4711",), reports=(report,), silent=("A",)))
    outbox.commit(cycle(3, ("A@4711",), silent=("A",)))
    deliver(outbox)
    assert said(outbox) == {"A@4711": boundary(3)}
    outbox.close()
    outbox = outbox_at(tmp_path, 10)
    outbox.commit(cycle(4, ("A@4711",), silent=("A",)))
    deliver(outbox)
    assert said(outbox) == {"A@4711": boundary(4)}, "nor after a restart"
    outbox.commit(cycle(5, ("A",)))
    deliver(outbox)
    assert said(outbox) == {"A": boundary(5)}, "until a meter answers under its name again"


def test_numbers_rise_over_restarts(tmp_path: Path) -> None:
    numbers: list[int] = []
    for n in range(1, 5):
        outbox = outbox_at(tmp_path, 10)
        outbox.commit(cycle(n, ("A",)))
        deliver(outbox)
        (beat,) = outbox.heartbeats_due()
        outbox.heartbeats_sent([beat])
        numbers.append(beat.sequence)
        outbox.close()
    assert numbers == sorted(set(numbers))


def test_a_clock_that_ran_ahead_does_not_silence_a_device_for_ever() -> None:
    ahead = NOW_MS + 10 * AHEAD_MS
    state = polled(DeviceState("A", boundary(1), boundary(1), 1), ahead, ahead, False, True)
    (beat,) = due([state], {}, 0, ahead)
    state = sent(state, beat)
    assert due([state], {}, 0, NOW_MS) == [], "nothing of the future is said"
    state = polled(state, NOW_MS, NOW_MS, False, True)
    assert due([state], {}, 0, NOW_MS) == [Heartbeat("A", NOW_MS, 3)]


def test_a_boundary_does_not_fall() -> None:
    state = DeviceState("A", boundary(5))
    assert polled(state, boundary(4), NOW_MS, False, True).polled_ms == boundary(5)
