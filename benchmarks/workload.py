"""The workload: a seeded portfolio's reads as raw records, dirty as real ones are.

2 % duplicates, 1 % out of order, 0.2 % corrections, 0.5 % missing; one channel a supply point on half-hours.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

DAY_MS: Final = 86_400_000
START_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00Z
SLOTS: Final = 48
Record = dict[str, Any]


def reference(points: int) -> Iterator[Record]:
    """The assignment and configuration of every device."""
    for number in range(points):
        device = f"M{number:06}"
        spans = [{"supply_point": f"SP{number:06}", "from_ms": START_MS, "to_ms": None}]
        yield {"v": 1, "type": "assignment", "device": device, "version": 1, "spans": spans}
        yield {
            "v": 1, "type": "configuration", "device": device, "version": 1,
            "registers": [
                {"register": "E1", "channel": "E1", "role": "intervals", "from_ms": START_MS, "to_ms": None,
                 "multiplier": 1, "max_nano_per_hour": 50 * 10**9}
            ],
            "channels": [
                {"channel": "E1", "kind": "intervals", "unit": "kWh", "interval_s": 1800, "grid_s": 1800,
                 "allowance_s": 3600, "horizon_days": 35, "signed": False,
                 "policy": {"interpolate_max_s": 7200, "like_days": 3, "spike_factor": 30, "zero_run_s": 86400}}
            ],
            "calendar": {"site": "BENCH", "time_zone": "UTC", "utc_offsets": [[0, 0]], "holidays": []},
        }  # fmt: skip


def readings(points: int, days: int, shape: str, seed: int = 1) -> Iterator[Record]:
    """The reads, day by day; `shape` is `day` (a record a day) or `single` (a record an interval)."""
    rng = Random(seed)
    for day in range(days):
        records = [record for number in range(points) for record in _day(rng, number, day, shape)]
        for _ in range(len(records) // 100):
            at = rng.randrange(len(records) - 1)
            records[at], records[at + 1] = records[at + 1], records[at]
        yield from records


def _day(rng: Random, number: int, day: int, shape: str) -> Iterator[Record]:
    start_ms = START_MS + day * DAY_MS
    values: list[int | None] = [rng.randrange(20, 900) * 10**6 for _ in range(SLOTS)]
    if shape == "day":
        record = _record(number, start_ms, "day", {"quantities_nano": values})
        yield record
        if rng.random() < 0.02:
            yield record
        return
    for at, value in enumerate(values):
        if rng.random() < 0.005:
            continue
        single = _record(number, start_ms + at * 1_800_000, "interval", {"quantity_nano": value})
        yield single
        if rng.random() < 0.02:
            yield single
        if rng.random() < 0.002:
            yield {**single, "quantity_nano": rng.randrange(20, 900) * 10**6, "version": 1}


def _record(number: int, start_ms: int, kind: str, more: Record) -> Record:
    return {
        "v": 1, "type": kind, "device": f"M{number:06}", "register": "E1", "unit": "kWh", "start_ms": start_ms,
        "interval_s": 1800, "quality": "ACTUAL", "version": 0, **more,
    }  # fmt: skip
