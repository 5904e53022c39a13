"""Files torn, overwritten and lost: the outbox always opens, and what it had is there or said to be missing."""

import random
import shutil
from pathlib import Path

import pytest

from edge_collector.entry import Kind
from edge_collector.outbox import Outbox
from edge_collector.records import READS
from tests.edge.outbox_world import (
    COLLECTOR,
    Read,
    boundary,
    cycle,
    outbox_at,
    reads_of,
    record,
    said_missing,
    waiting,
)

DEVICES = ("A", "B", "C")
CYCLES = 60
FILES = ("outbox.db", "outbox.db-wal", "outbox.db.mark")


def crashed(
    home: Path, rng: random.Random, checkpoint_at: int | None = None, cycles: int = CYCLES
) -> tuple[Path, set[Read], set[Read]]:
    """What a power cut leaves of an outbox in use: (its directory, what waited, what was delivered before).

    Some twenty cycles lie in the write-ahead log alone; after more, part of it is of the time before a checkpoint.
    """
    (home / "running").mkdir(parents=True)
    outbox = outbox_at(home / "running")
    committed: set[Read] = set()
    for n in range(1, cycles + 1):
        outbox.commit(cycle(n, DEVICES, telemetry=1), {"newest": str(n)})
        committed |= {(device, boundary(n)) for device in DEVICES}
        if rng.random() < 0.3 and n < cycles - 10:
            outbox.delivered([entry.sequence for entry in outbox.backlog(READS, rng.randrange(12))])
        if n == checkpoint_at:
            outbox._store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    left = home / "left"
    left.mkdir()
    for name in FILES:
        shutil.copy(home / "running" / name, left / name)
    still = reads_of(waiting(outbox))
    outbox.close()
    return left, still, committed - still


def tear(path: Path, rng: random.Random) -> None:
    """Cut the file, or write over a part of it."""
    size = path.stat().st_size
    at = rng.randrange(size)
    with path.open("r+b") as file:
        if rng.random() < 0.4:
            file.truncate(at)
            return
        file.seek(at)
        file.write(rng.randbytes(min(size - at, rng.choice([1, 16, 512, 8192, 200_000]))))


def assert_accounted(outbox: Outbox, still: set[Read], delivered: set[Read]) -> None:
    left = waiting(outbox)
    found = reads_of(left)
    assert found <= still | delivered, "nothing is invented"
    for read in still - found:
        assert said_missing(read, left), read


@pytest.mark.parametrize("seed", range(14))
def test_whatever_is_torn_it_opens_and_accounts_for_everything(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    left, still, delivered = crashed(tmp_path, rng, rng.choice([None, 10, 40]), rng.choice([20, CYCLES]))
    before = outbox_sequence(left)
    for _ in range(rng.randrange(1, 4)):
        tear(left / rng.choice(FILES[:2]), rng)
    outbox = outbox_at(left, CYCLES)
    assert_accounted(outbox, still, delivered)
    assert outbox.standing.sequence >= before, "a sequence number is never given twice"
    outbox.commit(cycle(CYCLES + 1, DEVICES))
    assert {(device, boundary(CYCLES + 1)) for device in DEVICES} <= reads_of(waiting(outbox))
    outbox.close()
    again = outbox_at(left, CYCLES + 1)
    assert again.repair is None, "what was repaired is sound"
    again.close()


def outbox_sequence(directory: Path) -> int:
    """The next number of an outbox that lies in a directory, looked up in a copy."""
    copy = directory.with_name("copy")
    shutil.copytree(directory, copy)
    outbox = outbox_at(copy, CYCLES)
    assert outbox.repair is None, "a crash alone needs no repair"
    sequence = outbox.standing.sequence
    outbox.close()
    shutil.rmtree(copy)
    return sequence


def test_a_header_of_garbage_costs_nothing(tmp_path: Path) -> None:
    left, still, delivered = crashed(tmp_path, random.Random(1), checkpoint_at=CYCLES)
    with (left / "outbox.db").open("r+b") as file:
        file.write(b"\xff" * 8192)
    outbox = outbox_at(left, CYCLES)
    assert outbox.repair is not None and outbox.repair.gaps == ()
    assert reads_of(waiting(outbox)) == still
    assert outbox.recall("newest") == str(CYCLES)
    assert outbox.publish_again("A", 0, boundary(CYCLES))[0] == sum(device == "A" for device, _ in delivered)
    aside = "outbox.db.damaged-20260101T150005Z"
    names = {path.name for path in left.glob("outbox.db.damaged-*")}
    assert names == {aside, f"{aside}-wal", f"{aside}-wal.before"}


def test_damage_in_the_middle_of_the_log_does_not_cost_what_follows(tmp_path: Path) -> None:
    """SQLite takes the log to end there; the frames behind it are found all the same."""
    left, still, delivered = crashed(tmp_path, random.Random(2), cycles=20)
    wal = left / "outbox.db-wal"
    with wal.open("r+b") as file:
        file.seek(wal.stat().st_size // 2)
        file.write(b"\0" * 16)
    outbox = outbox_at(left, CYCLES)
    assert outbox.repair is not None and "committed" in outbox.repair.problem
    newest = {(device, boundary(20)) for device in DEVICES}
    assert newest <= reads_of(waiting(outbox))
    assert_accounted(outbox, still, delivered)


def test_a_log_that_lost_its_end_is_noticed(tmp_path: Path) -> None:
    """The database is sound, and short of what was promised: a gap for every device, and one in the collector's own name."""
    left, still, _ = crashed(tmp_path, random.Random(3), checkpoint_at=30)
    (left / "outbox.db-wal").unlink()
    outbox = outbox_at(left, CYCLES)
    left_over = waiting(outbox)
    gaps = [record(entry) for entry in left_over if entry.kind is Kind.GAP]
    assert {gap["device"] for gap in gaps} == {*DEVICES, COLLECTOR}
    assert all(gap["to_ms"] == boundary(CYCLES) for gap in gaps)
    lost = still - reads_of(left_over)
    assert lost and all(said_missing(read, left_over, known_only=True) for read in lost)


def test_nothing_left_at_all_is_said_in_the_collectors_name(tmp_path: Path) -> None:
    left, still, _ = crashed(tmp_path, random.Random(4))
    for name in FILES[:2]:
        (left / name).write_bytes(random.Random(5).randbytes(4096))
    outbox = outbox_at(left, CYCLES)
    (only,) = waiting(outbox)
    assert record(only)["device"] == COLLECTOR and still and all(said_missing(read, [only]) for read in still)
    floor = outbox.standing.beat_floor
    outbox.commit(cycle(CYCLES + 1, DEVICES))
    outbox.delivered([entry.sequence for entry in waiting(outbox)])
    assert all(beat.sequence >= floor > CYCLES for beat in outbox.heartbeats_due()), (
        "heartbeats go on above the old ones"
    )


def test_a_torn_mark_alone_costs_nothing(tmp_path: Path) -> None:
    left, still, _ = crashed(tmp_path, random.Random(6))
    (left / "outbox.db.mark").write_bytes(b"\xee" * 300)
    outbox = outbox_at(left, CYCLES)
    assert outbox.repair is None and reads_of(waiting(outbox)) == still


def test_a_crash_during_the_repair_is_gone_on_with(tmp_path: Path) -> None:
    """Between setting the old file aside and putting the new one in its place."""
    left, still, _ = crashed(tmp_path, random.Random(7), checkpoint_at=CYCLES)
    (left / "outbox.db").rename(left / "outbox.db.rebuilt")
    (left / "outbox.db-wal").write_bytes(b"of the old one")
    (left / "outbox.db.new").write_bytes(b"half built")
    outbox = outbox_at(left, CYCLES)
    assert outbox.repair is None and reads_of(waiting(outbox)) == still


def test_damage_met_while_running_is_repaired_there_and_then(tmp_path: Path) -> None:
    outbox = outbox_at(tmp_path, CYCLES)
    for n in range(1, CYCLES):
        outbox.commit(cycle(n, DEVICES))
    connection = outbox._store.connection
    (sequence,) = connection.execute("SELECT max(sequence) - 5 FROM entries").fetchone()
    connection.execute("UPDATE entries SET frame = zeroblob(length(frame)) WHERE sequence = ?", (sequence,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    left = waiting(outbox)
    assert outbox.repair is not None
    all_reads = {(device, boundary(n)) for device in DEVICES for n in range(1, CYCLES)}
    (lost,) = all_reads - reads_of(left)
    assert said_missing(lost, left, known_only=True)
    outbox.commit(cycle(CYCLES, DEVICES))
