"""What will arrive, and when: events drawn ahead of time, played into a curated log in the order of their arrival.

Some events (an edit that names the version in force, a restatement that names what stands) can only be written once it is
known what stands; they ask the oracle, to which every record is applied as it is appended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.oracle import Oracle
from tests.simulation.portfolio import Body, Device

Record = dict[str, Any]
Action = Callable[["Log", int], None]


@dataclass
class Log:
    """The curated log of one partition as it grows, and the raw coordinates that were given."""

    rng: Random
    oracle: Oracle
    partitions: int
    records: list[Record] = field(default_factory=list)
    raw_offsets: dict[int, int] = field(default_factory=dict)
    lag_ms: dict[int, int] = field(default_factory=dict)
    published: dict[tuple[int, int], list[Record]] = field(default_factory=dict)

    def append(self, partition: int, body: Body, received: int) -> None:
        """One raw record becomes one curated record; a list may first arrive in part, from an ingest that crashed."""
        raw = self._next_raw(partition)
        record = body | {"raw": list(raw), "sub": 0, "received_ms": received}
        self.published[raw] = [record]
        if body["type"] == "intervals" and len(body["quantities_nano"]) > 1 and self.rng.random() < 0.02:
            cut = self.rng.randrange(1, len(body["quantities_nano"]))
            self._write(record | {"quantities_nano": body["quantities_nano"][:cut]}, received + self.lag_ms[partition])
        self._write(record, received + self.lag_ms[partition])
        if self.rng.random() < 0.003:
            self._repeat(received + self.lag_ms[partition] + 60_000)

    def republish(self, partition: int, first: list[Body], originals: list[Record], point: str, received: int) -> None:
        """One raw record that lets others in again: all carry its coordinates and cite their own."""
        raw, sub = self._next_raw(partition), 0
        for body in first:
            self._write(body | {"raw": list(raw), "sub": sub, "received_ms": received}, received)
            sub += 1
        for original in originals:
            origin = original.get("origin") or [*original["raw"], original["sub"]]
            again = original | {"raw": list(raw), "sub": sub, "origin": origin, "supply_point": point}
            self._write(again, received)
            sub += len(original.get("quantities_nano", [None]))

    def _next_raw(self, partition: int) -> tuple[int, int]:
        offset = self.raw_offsets.get(partition, -1) + self.rng.choice([1, 1, 1, 2, 5])
        self.raw_offsets[partition] = offset
        return (partition, offset)

    def _write(self, record: Record, append_ms: int) -> None:
        append_ms += self.rng.randrange(5000)
        if self.rng.random() < 0.02:
            append_ms -= self.rng.randrange(120_000)
        record = record | {"curated_offset": len(self.records), "append_ms": append_ms}
        self.records.append(record)
        self.oracle.apply(record)

    def _repeat(self, append_ms: int) -> None:
        """An ingest that crashed before it noted how far it had come writes an earlier stretch once more."""
        for record in self.records[-self.rng.randrange(1, 40) :]:
            self._write(record, append_ms)


@dataclass
class Script:
    """Events in the making. `send` and `do` take the instant of arrival."""

    rng: Random
    start: int
    end: int
    events: list[tuple[int, int, int, Action]] = field(default_factory=list)  # arrival, order, partition, action

    def send(self, at: int, device: Device, body: Body) -> None:
        """A record of a device, routed by what is known when it arrives."""
        about = body["start_ms"] if "start_ms" in body else body["at_ms"]

        def action(log: Log, received: int) -> None:
            log.append(device.partition, body | {"supply_point": device.serves(about)}, received)

        self.do(at, device.partition, action)

    def do(self, at: int, partition: int, action: Action) -> None:
        self.events.append((at, len(self.events), partition, action))

    def some_instant(self, first: float = 0.0, last: float = 1.0) -> int:
        """An instant inside a part of the period."""
        return self.start + int((self.end - self.start) * self.rng.uniform(first, last))

    def play(self, log: Log) -> None:
        """Every event in the order in which it reaches the curated log; a raw partition keeps its own order."""
        for at, _, _, action in sorted(self.events, key=lambda event: (event[0] + log.lag_ms[event[2]], event[1])):
            action(log, at)
