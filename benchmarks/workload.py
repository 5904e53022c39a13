"""The workload: a seeded portfolio's reads as raw records in order of arrival, dirty as real ones are.

Two channels a supply point, import and export, on half-hours. Shapes: `day` is a record a day, `single` a record an interval,
`register` a running total at every half-hour. In each of them a share of the readings

- is missing (of a day: one half-hour is null, or is not in the record, which then comes in two parts);
- comes late: half of these one step after its successor (out of order, in time for the allowance where steps are half-hours),
  half of them up to eight half-hours later (a day's record: one day), after their intervals were estimated;
- comes twice, the second time up to two steps later;
- is corrected a day later by a record of a higher version.

All meters go through a step (a half-hour, or a day) together, as they do when they report by the clock.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from benchmarks.sizes import ALLOWANCE_S, CHANNELS, INTERPOLATE_MAX_S, SLOT_MS, SLOTS, START_MS, Size, supply_point

GAPS: Final = 0.005
LATE: Final = 0.010
DUPLICATES: Final = 0.020
CORRECTIONS: Final = 0.002
LATEST_STEPS: Final = 8
Record = dict[str, Any]
Arrival = tuple[int, Record]
"""How many steps after its own a record arrives."""


def reference(size: Size) -> Iterator[Record]:
    """The assignment and configuration of every device."""
    is_register = size.shape == "register"
    totals = {"decimals": 6, "digits": 12, "nano_per_count": 10**3} if is_register else {"multiplier": 1}
    for number in range(size.points):
        device = f"M{number:06}"
        spans = [{"supply_point": supply_point(number), "from_ms": START_MS, "to_ms": None}]
        yield {"v": 1, "type": "assignment", "device": device, "version": 1, "spans": spans}
        yield {
            "v": 1, "type": "configuration", "device": device, "version": 1,
            "registers": [
                {"register": name, "channel": name, "role": "totals" if is_register else "intervals",
                 "from_ms": START_MS, "to_ms": None, "max_nano_per_hour": 50 * 10**9, **totals}
                for name in CHANNELS
            ],
            "channels": [
                {"channel": name, "kind": "totals" if is_register else "intervals", "unit": "kWh", "interval_s": 1800,
                 "grid_s": 1800, "allowance_s": ALLOWANCE_S, "horizon_days": 35, "signed": False,
                 "policy": {"interpolate_max_s": INTERPOLATE_MAX_S, "like_days": 3, "spike_factor": 30,
                            "zero_run_s": 86400}}
                for name in CHANNELS
            ],
            "calendar": {"site": "BENCH", "time_zone": "UTC", "utc_offsets": [[0, 0]], "holidays": []},
        }  # fmt: skip


def gate(size: Size, partitions: int) -> Record:
    """What closes the last half-hours; one copy for each raw partition."""
    return {
        "v": 1, "type": "gate", "gate_id": "end", "scope": "all", "until_ms": size.end_ms, "partitions": partitions,
    }  # fmt: skip


def readings(size: Size) -> Iterator[Record]:
    """The readings in order of arrival."""
    rng = Random(size.seed)
    meters = [(number, channel) for number in range(size.points) for channel in CHANNELS]
    if size.shape == "register":
        yield from (_register(number, channel, START_MS, 0) for number, channel in meters)  # as installed
    counts = dict.fromkeys(meters, 0)
    waiting: dict[int, list[Record]] = {}
    steps = size.days if size.shape == "day" else size.days * SLOTS
    step = 0
    while step < steps or waiting:
        for number, channel in meters if step < steps else ():
            if size.shape == "day":
                arrivals = _day(rng, number, channel, step)
            elif size.shape == "single":
                arrivals = _single(rng, number, channel, step)
            else:
                used = rng.randrange(20_000, 900_000)
                counts[number, channel] += used
                arrivals = _total(rng, number, channel, step, counts[number, channel], used)
            for delay, record in arrivals:
                if delay:
                    waiting.setdefault(step + delay, []).append(record)
                else:
                    yield record
        yield from waiting.pop(step, ())
        step += 1


def reads_in(record: Record) -> int:
    """How many readings a record carries; a null is one."""
    return len(record["quantities_nano"]) if "quantities_nano" in record else 1


def _day(rng: Random, number: int, channel: str, day: int) -> Iterator[Arrival]:
    start_ms = START_MS + day * SLOTS * SLOT_MS
    values: list[int | None] = _quantities(rng, SLOTS)
    first = 0
    for at in range(SLOTS):
        if rng.random() >= GAPS:
            continue
        if rng.random() < 0.5:
            values[at] = None
            continue
        if first < at:
            yield from _part(rng, number, channel, start_ms + first * SLOT_MS, values[first:at])
        first = at + 1
    if first < SLOTS:
        yield from _part(rng, number, channel, start_ms + first * SLOT_MS, values[first:])


def _part(rng: Random, number: int, channel: str, start_ms: int, values: list[int | None]) -> Iterator[Arrival]:
    record = _intervals(number, channel, "day", start_ms, {"quantities_nano": values})
    again: list[int | None] = [
        None if value is None else new for value, new in zip(values, _quantities(rng, len(values)), strict=True)
    ]
    corrected = {**record, "quantities_nano": again, "version": 1}
    yield from _arrivals(rng, record, corrected, latest=1, a_day=1)


def _single(rng: Random, number: int, channel: str, step: int) -> Iterator[Arrival]:
    (value,) = _quantities(rng, 1)
    record = _intervals(number, channel, "interval", START_MS + step * SLOT_MS, {"quantity_nano": value})
    if rng.random() >= GAPS:
        corrected = {**record, "quantity_nano": rng.randrange(20_000_000, 900_000_000), "version": 1}
        yield from _arrivals(rng, record, corrected, LATEST_STEPS, SLOTS)


def _total(rng: Random, number: int, channel: str, step: int, count: int, used: int) -> Iterator[Arrival]:
    """A correction takes away at most half of the last half-hour, so that the register never runs backwards."""
    record = _register(number, channel, START_MS + (step + 1) * SLOT_MS, count)
    if rng.random() >= GAPS:
        corrected = {**record, "count": count - rng.randrange(1, used // 2), "version": 1}
        yield from _arrivals(rng, record, corrected, LATEST_STEPS, SLOTS)


def _arrivals(rng: Random, record: Record, corrected: Record, latest: int, a_day: int) -> Iterator[Arrival]:
    """A reading is late or comes twice or is corrected, or is none of these."""
    fate = rng.random()
    if fate < LATE:
        yield 1 if latest == 1 or rng.random() < 0.5 else rng.randrange(2, latest + 1), record
        return
    yield 0, record
    if fate < LATE + DUPLICATES:
        yield rng.randrange(3), record
    elif fate < LATE + DUPLICATES + CORRECTIONS:
        yield a_day, corrected


def _quantities(rng: Random, number: int) -> list[int | None]:
    """So fine that no estimate is by chance what a late read says: an adjustment to the same quantity is none."""
    return [20_000_000 + int(rng.random() * 880_000_000) for _ in range(number)]


def _intervals(number: int, channel: str, kind: str, start_ms: int, more: Record) -> Record:
    return {
        "v": 1, "type": kind, "device": f"M{number:06}", "register": channel, "unit": "kWh", "start_ms": start_ms,
        "interval_s": 1800, "quality": "ACTUAL", "version": 0, **more,
    }  # fmt: skip


def _register(number: int, channel: str, at_ms: int, count: int) -> Record:
    return {
        "v": 1, "type": "register", "device": f"M{number:06}", "register": channel, "unit": "kWh", "at_ms": at_ms,
        "count": count, "decimals": 6, "quality": "ACTUAL", "version": 0,
    }  # fmt: skip
