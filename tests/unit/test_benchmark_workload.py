"""The benchmark's workload is as dirty as its table says, and nothing in it is refused by the codec."""

from collections import Counter
from typing import Any

import pytest

from benchmarks.sizes import CHANNELS, SLOT_MS, SLOTS, START_MS, Size
from benchmarks.workload import CORRECTIONS, DUPLICATES, GAPS, LATE, gate, readings, reads_in, reference
from connectors.codec import decode_raw, encode

SIZES = [Size("day", 150, 24, 1), Size("single", 25, 8, 1), Size("register", 25, 8, 1)]
Read = tuple[str, str, int, int, int]
"""Device, register, the half-hour it ends with, version, content."""

by_shape = pytest.mark.parametrize("size", SIZES, ids=lambda size: size.shape)


def reads_of(record: dict[str, Any]) -> list[Read]:
    """What a record says, nulls left out."""
    owner, version = (record["device"], record["register"]), record["version"]
    if record["type"] == "register":
        return [(*owner, record["at_ms"], version, record["count"])]
    quantities = record["quantities_nano"] if record["type"] == "day" else [record["quantity_nano"]]
    first_ms = record["start_ms"] + SLOT_MS
    return [(*owner, first_ms + at * SLOT_MS, version, nano) for at, nano in enumerate(quantities) if nano is not None]


@by_shape
def test_every_record_is_one_of_the_contract(size: Size) -> None:
    small = Size(size.shape, 3, 3, 1)
    for record in (*reference(small), *readings(small), gate(small, 4)):
        assert decode_raw(encode(record)) == record


@by_shape
def test_the_same_seed_gives_the_same_readings_and_another_seed_others(size: Size) -> None:
    def small(seed: int) -> list[dict[str, Any]]:
        return list(readings(Size(size.shape, 3, 2, 1, seed)))

    assert small(1) == small(1)
    assert small(1) != small(2)


@by_shape
def test_shares_are_those_that_are_promised(size: Size) -> None:
    reads = [read for record in readings(size) for read in reads_of(record)]
    seen: Counter[Read] = Counter()
    instants: set[tuple[str, str, int]] = set()
    latest: dict[tuple[str, str], int] = {}
    late = corrections = 0
    for device, register, end_ms, version, content in reads:
        read = (device, register, end_ms, version, content)
        is_new = not seen[read]
        seen[read] += 1
        instants.add(read[:3])
        if version:
            corrections += is_new
            continue
        # a day's list is behind as a whole, so it is held against the latest day
        late += is_new and end_ms < latest.get((device, register), 0)
        latest[device, register] = max(latest.get((device, register), 0), end_ms)
    expected = size.points * size.days * SLOTS * len(CHANNELS)
    held = sum(end_ms > START_MS for _, _, end_ms in instants)
    duplicates = sum(seen.values()) - len(seen)
    for found, promised in (
        (expected - held, GAPS),
        (duplicates, DUPLICATES),
        (late, LATE),
        (corrections, CORRECTIONS),
    ):
        assert found / expected == pytest.approx(promised, rel=0.3)


def test_a_gap_of_a_day_is_a_null_or_a_part_that_is_not_there() -> None:
    records = [record for record in readings(SIZES[0]) if not record["version"]]
    nulls = sum(nano is None for record in records for nano in record["quantities_nano"])
    assert nulls
    assert any(reads_in(record) < SLOTS for record in records)


def test_a_register_never_runs_backwards() -> None:
    """Not even where it is corrected: the reads in force are in order."""
    force: dict[tuple[str, str, int], tuple[int, int]] = {}
    for record in readings(SIZES[2]):
        key = (record["device"], record["register"], record["at_ms"])
        force[key] = max(force.get(key, (-1, 0)), (record["version"], record["count"]))
    last: dict[tuple[str, str], int] = {}
    for device, register, _ in sorted(force):
        count = force[device, register, _][1]
        assert count >= last.get((device, register), 0)
        last[device, register] = count
