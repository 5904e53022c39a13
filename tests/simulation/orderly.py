"""Streams that are mostly clean, as real ones are: what array code is for, with just enough dirt to throw it off.

Many supply points of plain interval channels on different grids and policies; records of one interval, a window or a day;
duplicates, late and swapped ones, gaps, corrections, other qualities, zeros and spikes, gates, heartbeats, configurations.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

Record = dict[str, Any]
DAY_MS: Final = 86_400_000
START_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00Z
_OFFSETS: Final = [[START_MS - 365 * DAY_MS, 3600], [START_MS + 12 * DAY_MS, 7200]]


def orderly_stream(seed: int, points: int = 12, days: int = 24) -> list[Record]:
    """Curated records of one partition in log order, with `curated_offset` and `append_ms`."""
    rng = Random(f"orderly/{seed}")
    meters = [_Meter(rng, number) for number in range(points)]
    dirt = rng.choice([0.0, 0.005, 0.02, 0.1])
    body: list[Record] = [meter.configuration() for meter in meters]
    for day in range(days):
        today = [record for meter in meters for record in meter.day(day, dirt)]
        _swap(rng, today, dirt)
        body += today
        if rng.random() < 0.2:
            until_ms = START_MS + day * DAY_MS
            body.append(
                {"type": "gate", "scope": "all", "until_ms": until_ms, "partitions": 1, "received_ms": until_ms}
            )
        for meter in rng.sample(meters, 2):
            if rng.random() < 0.1:
                body.append(meter.configuration())
    return [
        {"v": 1, "sub": 0, **record, "raw": [0, at], "curated_offset": at, "append_ms": START_MS + at}
        for at, record in enumerate(body)
    ]


def _swap(rng: Random, records: list[Record], dirt: float) -> None:
    for at in range(len(records) - 1):
        if rng.random() < dirt:
            other = min(at + rng.choice([1, 1, 5, 40]), len(records) - 1)
            records[at], records[other] = records[other], records[at]


class _Meter:
    def __init__(self, rng: Random, number: int) -> None:
        self._rng = rng
        self._number = number
        self._version = 0
        self._length_s = rng.choice([300, 900, 1800, 3600])
        self._grid_s = self._length_s * rng.choice([1, 1, 1, 2]) if self._length_s < 3600 else 3600
        self._multiplier = rng.choice([1, 1, 10, 40])
        self._shape = rng.choice(["interval", "window", "day"])
        self._signed = rng.random() < 0.3
        self._is_vacant = rng.random() < 0.3
        self._beats = rng.random() < 0.3

    def configuration(self) -> Record:
        rng = self._rng
        self._version += 1
        channel = {
            "channel": "E1", "kind": "intervals", "unit": "kWh", "interval_s": self._length_s, "grid_s": self._grid_s,
            "allowance_s": rng.choice([0, 0, 3600, 7200]), "horizon_days": 16, "signed": self._signed,
            "policy": {
                "interpolate_max_s": rng.choice([None, 7200]), "like_days": rng.choice([None, 3]),
                "spike_factor": rng.choice([None, 2, 10]), "zero_run_s": rng.choice([None, 1800, 14_400]),
            },
        }  # fmt: skip
        register = {
            "register": "A+", "channel": "E1", "role": "intervals", "from_ms": START_MS, "to_ms": None,
            "multiplier": self._multiplier, "decimals": 0, "digits": None, "nano_per_count": 1,
            "max_nano_per_hour": rng.choice([None, 900 * 10**9]),
        }  # fmt: skip
        calendar = {"site": "S", "time_zone": "X", "utc_offsets": _OFFSETS, "holidays": []}
        return {
            "type": "configuration", **self._who(), "version": self._version, "reason": "POLICY", "registers": [register],
            "channels": [channel], "calendar": calendar, "received_ms": START_MS,
        }  # fmt: skip

    def day(self, day: int, dirt: float) -> Iterator[Record]:
        """A day's records, each followed by what went wrong with it."""
        rng, length_ms = self._rng, self._length_s * 1000
        slots = DAY_MS // length_ms
        step = {"interval": 1, "window": slots // 4, "day": slots}[self._shape]
        for first in range(0, slots, step):
            start_ms = START_MS + day * DAY_MS + first * length_ms
            values: list[int | None] = [self._value(dirt) for _ in range(step)]
            record = self._record(start_ms, values)
            if rng.random() < dirt and self._shape == "interval":
                continue
            yield record
            if rng.random() < max(dirt, 0.02):
                yield dict(record)
            if rng.random() < dirt:
                yield self._record(start_ms, [self._value(dirt) for _ in range(step)], version=rng.choice([0, 1, 2]))
            if rng.random() < dirt / 4:
                yield {**record, rng.choice(["unit", "register"]): "other"}
        if self._beats:
            through_ms = START_MS + (day + 1) * DAY_MS - rng.choice([0, 0, 3_600_000])
            yield {
                "type": "heartbeat", **self._who(), "complete_through_ms": through_ms, "sequence": day,
                "received_ms": START_MS + (day + 1) * DAY_MS,
            }  # fmt: skip

    def _value(self, dirt: float) -> int | None:
        rng = self._rng
        if rng.random() < dirt / 10:
            return rng.choice([None, 10**17, 4 * 10**12, -(10**9)])
        if self._is_vacant and rng.random() < 0.9:
            return 0
        return rng.randrange(20, 900) * 10**7 * (rng.choice([1, -1]) if self._signed else 1)

    def _record(self, start_ms: int, values: list[int | None], version: int = 0) -> Record:
        rng, end_ms = self._rng, start_ms + len(values) * self._length_s * 1000
        record: Record = {
            "type": "intervals", **self._who(), "register": "A+", "unit": "kWh", "start_ms": start_ms,
            "interval_s": self._length_s, "quantities_nano": values, "quality": "ACTUAL", "version": version,
            "received_ms": end_ms + rng.choice([0, 60_000, -200_000]),
        }  # fmt: skip
        if rng.random() < 0.01:
            record["quality"] = rng.choice(["ESTIMATED", "SUBSTITUTED"])
        elif rng.random() < 0.01:
            at = rng.randrange(len(values))
            record["ranges"] = [{"first": at, "last": at, "quality": "ESTIMATED"}]
        return record

    def _who(self) -> Record:
        return {"supply_point": f"P{self._number:03}", "device": f"M{self._number:03}"}
