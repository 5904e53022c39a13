"""Interval meters: what they measured, how it is delivered, and everything that goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.oracle.grid import LOCAL_DAY
from tests.simulation.portfolio import DAY_MS, HOUR_MS, Body, ChannelPlan, Device
from tests.simulation.script import Script

MINUTE_MS = 60_000
Reading = tuple[int, str, int]  # delivered quantity, quality, version


@dataclass
class IntervalMeter:
    """One register that delivers intervals of one channel over [start, end)."""

    script: Script
    device: Device
    channel: ChannelPlan
    register: str
    start: int
    end: int
    readings: dict[int, Reading] = field(default_factory=dict)  # by slot start, as first delivered
    withheld: set[int] = field(default_factory=set)
    backlog: tuple[int, int] = (0, 0)  # a stretch that is delivered only at its end
    latency_ms: int = 5 * MINUTE_MS
    multiplier: int = 1

    @property
    def slots(self) -> list[int]:
        return sorted(self.readings)

    def measure(self) -> None:
        """Draw what the meter measures: a daily shape, some noise, a quiet stretch of zeros."""
        rng, grid = self.script.rng, self.channel.grid
        for slot in grid.starts(self.start, self.end):
            if grid.after(slot) <= self.end:
                hour = slot % DAY_MS // HOUR_MS
                quantity = self.channel.scale * (2 + hour % 12) * rng.randrange(85, 115) // 1000 + rng.randrange(7)
                self.readings[slot] = (quantity, "ACTUAL", 1)
        for _ in range(rng.randrange(1, 4)):
            self._repaint(rng.randrange(2, 60), lambda reading: (0, reading[1], reading[2]))
        for quality in ("SUBSTITUTED", "ESTIMATED", "CALCULATED", "ESTIMATED"):
            self._repaint(rng.randrange(1, 12), lambda reading, q=quality: (reading[0], q, reading[2]))
        if self.channel.signed:
            self._repaint(len(self.readings) // 3, lambda reading: (-reading[0], reading[1], reading[2]))

    def _repaint(self, length: int, change: Any) -> None:
        for slot in self._stretch(length):
            self.readings[slot] = change(self.readings[slot])

    def _stretch(self, length: int) -> list[int]:
        slots = self.slots
        first = self.script.rng.randrange(max(len(slots) - length, 1))
        return slots[first : first + length]

    # --- what never comes, or comes late

    def withhold(self, longest_days: float) -> None:
        """Gaps, short and long. More than half of them are filled later, often after hardening."""
        rng, per_day = self.script.rng, max(DAY_MS // self.channel.grid.length, 1)
        lengths = [rng.randrange(1, 5) for _ in range(8)] + [int(per_day * rng.uniform(1, longest_days)) for _ in "12"]
        for length in lengths:
            gap = self._stretch(max(length, 1))
            self.withheld |= set(gap)
            if rng.random() < 0.6 and gap:
                delay = int(rng.expovariate(1 / (2 * DAY_MS)))
                self._send_run(gap, gap[-1] + self.channel.grid.length + delay)

    def lie_idle(self) -> None:
        """Two days of zeros with gaps in them: a register says that nothing passed."""
        idle = self._stretch(max(2 * DAY_MS // self.channel.grid.length, 4))
        for slot in idle:
            self.readings[slot] = (0, "ACTUAL", 1)
        self.withheld |= set(idle[10:13] + idle[-16:-12])

    def overshoot(self) -> None:
        """Before a gap, quantities as large as slots may hold: what a register leaves for the gap is absurd."""
        rng, most = self.script.rng, (self.channel.least_refused - 1) // self.multiplier
        before = self.channel.grid.after
        gaps = sorted(slot for slot in self.withheld if before(slot, -1) not in self.withheld)
        for gap in rng.sample(gaps, min(len(gaps), 5)):
            quantity = rng.choice([-most, most])
            for back in range(1, 5):
                slot = before(gap, -back)
                if slot in self.readings and slot not in self.withheld:
                    self.send(slot, [quantity], self._usual_arrival(slot), version=9)

    def outage(self, days: float) -> None:
        """Nothing for longer than the ring is ahead; then fresh reads."""
        first = self.script.some_instant(0.3, 0.7)
        self.withheld |= {slot for slot in self.slots if first <= slot < first + int(days * DAY_MS)}

    def hold_back(self, days: float) -> None:
        """A stretch that the source keeps, and says so in its heartbeats, while fresh reads come."""
        first = self.channel.grid.floor(self.script.some_instant(0.2, 0.8))
        self.backlog = (first, first + int(days * DAY_MS))

    # --- delivery

    def deliver(self) -> None:
        """Day by day, as one list, as a rolling window sent again and again, or one by one."""
        rng = self.script.rng
        days: dict[int, list[int]] = {}
        for slot in self.slots:
            days.setdefault(self.channel.grid.calendar.day_of(slot), []).append(slot)
        for slots in days.values():
            mode = "single" if self.channel.interval_s == LOCAL_DAY else rng.choice(["day", "day", "window", "single"])
            for chunk in self._chunks(slots, mode):
                self._deliver_chunk(chunk, mode)
        if self.channel.interval_s == LOCAL_DAY:
            for _ in range(8):
                self._send_run(self._stretch(3), None)

    def _chunks(self, slots: list[int], mode: str) -> Iterator[list[int]]:
        if mode == "day":
            yield slots
        elif mode == "window":
            size, step = self.script.rng.randrange(4, 10), self.script.rng.randrange(2, 6)
            yield from (slots[max(end - size, 0) : end] for end in range(step, len(slots) + step, step))
        else:
            yield from ([slot] for slot in slots)

    def _deliver_chunk(self, chunk: list[int], mode: str) -> None:
        known = [slot for slot in chunk if slot not in self.withheld]
        if not known:
            return
        if mode == "single" or len(known) == len(chunk) or self.script.rng.random() < 0.5:
            self._send_run(chunk, None)
        else:
            for slot in known:
                self._send_run([slot], None)

    def _send_run(self, slots: list[int], at: int | None) -> None:
        """Consecutive slots in one record; `at` None: as usual, when they are over, and null for what is withheld."""
        arrival = self._usual_arrival(slots[-1]) if at is None else at
        quantities = [None if at is None and slot in self.withheld else self.readings[slot][0] for slot in slots]
        qualities = [self.readings[slot][1] for slot in slots]
        ranges = [{"first": i, "last": i, "quality": q} for i, q in enumerate(qualities) if q != qualities[0]]
        self.send(slots[0], quantities, arrival, quality=qualities[0], ranges=ranges)

    def _usual_arrival(self, last: int) -> int:
        rng = self.script.rng
        end = self.channel.grid.after(last)
        arrival = end + self.latency_ms + rng.randrange(10 * MINUTE_MS)
        if self.backlog[0] <= last < self.backlog[1]:
            arrival = self.backlog[1] + 3 * HOUR_MS + rng.randrange(HOUR_MS)
        return arrival + (rng.randrange(5 * HOUR_MS) if rng.random() < 0.05 else 0)

    def send(self, start: int, quantities: list[int | None], at: int, **more: Any) -> None:
        """One record of intervals from `start` on, arriving at `at`."""
        self.script.send(max(at, self.script.start), self.device, self.body(start, quantities, **more))

    def body(self, start: int, quantities: list[int | None], **more: Any) -> Body:
        body: Body = {"v": 1, "type": "intervals", "supply_point": self.device.point, "device": self.device.name}
        body |= {"register": self.register, "unit": self.channel.unit, "start_ms": start}
        body |= {"interval_s": self.channel.interval_s, "quantities_nano": quantities, "quality": "ACTUAL"}
        body |= {"version": 1}
        return body | {name: value for name, value in more.items() if not (name == "ranges" and not value)}

    # --- what is said again, better, worse or otherwise

    def say_again(self) -> None:
        """Duplicates, conflicts, corrections of corrections, stale editions, better and worse quality."""
        rng = self.script.rng
        for _ in range(max(len(self.readings) // 60, 6)):
            slot = rng.choice(self.slots)
            quantity, quality, version = self.readings[slot]
            other = quantity + rng.choice([1, -1, 17, self.channel.scale // 3 + 1, -quantity - 1, -quantity])
            at = self._after(slot)
            what = rng.randrange(7)
            if what == 0:
                self.send(slot, [quantity], at, quality=quality, version=version)
            elif what == 1:
                self.send(slot, [other], at, quality=quality, version=version)
            elif what in (2, 3):
                self.send(slot, [other], at, version=version + 1)
                self.send(
                    slot, [other + 5], self._after(slot), version=version + 2, quality=rng.choice(["ACTUAL", quality])
                )
            elif what == 4:
                self.send(slot, [other], at, version=0)
            elif what == 5:
                self.send(slot, [other], at, quality=rng.choice(["SUBSTITUTED", "ESTIMATED"]))
            else:
                self.send(slot, [other], at, quality="ACTUAL", version=version)
        for slot in [slot for slot, reading in self.readings.items() if reading[1] == "ESTIMATED"]:
            if rng.random() < 0.5:
                self.send(slot, [self.readings[slot][0] + 3], self._after(slot))

    def _after(self, slot: int) -> int:
        """Some time after a slot: soon, or days later."""
        rng = self.script.rng
        return self.channel.grid.after(slot) + int(rng.expovariate(1 / rng.choice([HOUR_MS, DAY_MS, 4 * DAY_MS])))

    # --- what is refused or looks wrong

    def fail(self) -> None:
        """Every test that refuses an interval, and every value check, a few times."""
        rng, grid = self.script.rng, self.channel.grid
        for _ in range(rng.randrange(2, 4)):
            slot = rng.choice(self.slots)
            after, value = self._after(slot), self.readings[slot][0]
            self.send(slot, [None], after)
            self.send(slot, [value], after, quality="MISSING", version=3)
            self.send(slot, [value], after, unit="gal")
            self.send(slot, [value], after, interval_s=1200 if self.channel.interval_s != 1200 else 600)
            self.send(slot + rng.choice([-1, 1, 60_000]), [value], after)
            edge = -(-self.channel.least_refused // self.multiplier) - rng.randrange(2)
            self.send(slot, [rng.choice([-1, 1]) * edge], after, version=5)
            self.send(slot, [value], after, register="unheard-of")
            self.send(slot, [value, value], after, register="unheard-of", interval_s=LOCAL_DAY)
            self.send(slot, [value], slot - rng.randrange(3 * DAY_MS), version=1)
            self.send(grid.after(slot, -int(rng.uniform(10, 25) * DAY_MS) // grid.length), [value], after)
            self.send(slot, [-value - 1], after, version=6)
        for _ in range(rng.randrange(2, 5)):
            slot = rng.choice(self.slots)
            self.send(slot, [value * rng.choice([40, -40, 150]) % 10**18], self._after(slot), version=7)
            slot = rng.choice(self.slots)
            if rng.random() < 0.5:
                self.send(slot, [value], self._after(slot), version=8)
