"""Register meters: totals read by poll or by hand, and everything that goes wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.simulation import people
from tests.simulation.portfolio import DAY_MS, HOUR_MS, Body, ChannelPlan, Device
from tests.simulation.script import Script

MINUTE_MS = 60_000


@dataclass
class RegisterMeter:
    """One register and the instants at which it is read. `rate` is its typical count in an hour."""

    script: Script
    device: Device
    channel: ChannelPlan
    register: str
    instants: list[int]
    rate: int
    digits: int | None
    decimals: int = 0
    first: int = 0
    worth: int = 1  # nano per count
    counts: dict[int, int] = field(default_factory=dict)  # by instant, as the register shows it
    withheld: set[int] = field(default_factory=set)
    resets: set[int] = field(default_factory=set)
    latency_ms: int = 5 * MINUTE_MS

    def advance(self) -> None:
        """Draw the advance between the reads, and show it in as many digits as there are."""
        rng, total = self.script.rng, self.first
        self.counts[self.instants[0]] = total
        for earlier, later in pairwise(self.instants):
            total += self.rate * (later - earlier) * rng.randrange(20, 180) // (100 * HOUR_MS)
            self.counts[later] = self.shown(total)

    def follow(self, totals: dict[int, int]) -> None:
        """A check register: it shows what was measured elsewhere, by instant."""
        self.counts = {at: self.shown(self.first + totals[at]) for at in self.instants}

    def shown(self, total: int) -> int:
        return total if self.digits is None else total % 10**self.digits

    def restart(self) -> None:
        """The register falls to nothing; sometimes the source says so, and otherwise it is not believed."""
        if len(self.instants) < 8:
            return
        position = self.script.rng.randrange(4, len(self.instants) - 2)
        fall = self.counts[self.instants[position]]
        if self.script.rng.random() < 0.7:
            self.resets.add(self.instants[position])
            for at in self.instants[position:]:
                self.counts[at] = self.shown(self.counts[at] - fall)
        else:  # a level that stays lower for a while, and then the register is changed back
            for at in self.instants[position : position + 3]:
                self.counts[at] = max(self.counts[at] - fall // 2, 0)

    def leap(self) -> None:
        """The register goes on from a level so high that no slot may hold the difference."""
        rise = self.script.rng.randrange(2 * 10**17, 10**18) // self.worth
        position = self.script.rng.randrange(len(self.instants))
        for at in self.instants[position:]:
            self.counts[at] = self.shown(self.counts[at] + rise)

    def withhold(self, longest: int) -> None:
        """Gaps in the reads, some of them filled later."""
        rng = self.script.rng
        for _ in range(5):
            first = rng.randrange(len(self.instants))
            gap = self.instants[first : first + rng.randrange(1, longest + 1)]
            self.withheld |= set(gap)
            if rng.random() < 0.6:
                at = gap[-1] + int(rng.expovariate(1 / DAY_MS))
                for instant in gap:
                    self.send(instant, self.counts[instant], at + rng.randrange(HOUR_MS))

    def deliver(self) -> None:
        rng = self.script.rng
        for at in self.instants:
            if at not in self.withheld:
                late = rng.randrange(5 * HOUR_MS) if rng.random() < 0.06 else rng.randrange(5 * MINUTE_MS)
                self.send(at, self.counts[at], at + self.latency_ms + late, quality=self._usual_quality())

    def _usual_quality(self) -> str:
        return self.script.rng.choices(["ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED"], [94, 2, 2, 2])[0]

    def send(self, at: int, count: int, arrival: int, **more: Any) -> None:
        """One read of the register at `at`, arriving at `arrival`."""
        self.script.send(max(arrival, self.script.start), self.device, self.body(at, count, **more))

    def body(self, at: int, count: int, **more: Any) -> Body:
        body: Body = {"v": 1, "type": "register", "supply_point": self.device.point, "device": self.device.name}
        body |= {"register": self.register, "unit": self.channel.unit, "at_ms": at, "count": count}
        body |= {"decimals": self.decimals, "quality": "ACTUAL", "version": 0}
        if at in self.resets:
            body["event"] = "reset"
        return body | more

    def say_again(self) -> None:
        """Duplicates, conflicts, corrections, stale editions, better and worse quality, fewer decimals."""
        rng = self.script.rng
        for _ in range(max(len(self.instants) // 40, 8)):
            at = rng.choice(self.instants)
            count, arrival = self.counts[at], self._after(at)
            near = max(count + rng.choice([1, -1, self.rate // 10 + 1]), 0)
            what = rng.randrange(6)
            if what == 0:
                self.send(at, count, arrival)
            elif what == 1:
                self.send(at, near, arrival)
            elif what == 2:
                self.send(at, near, arrival, version=1)
                self.send(at, count, self._after(at), version=rng.choice([0, 2, 3]))
            elif what == 3:
                self.send(at, near, arrival, version=-1)
            elif what == 4:
                self.send(at, near, arrival, quality=rng.choice(["SUBSTITUTED", "ESTIMATED"]))
            elif self.decimals:
                self.send(at, count // 10, arrival, version=2, decimals=self.decimals - 1)

    def _after(self, at: int) -> int:
        rng = self.script.rng
        return at + int(rng.expovariate(1 / rng.choice([HOUR_MS, DAY_MS, 4 * DAY_MS])))

    def fail(self) -> None:
        """Every test that refuses a read; dips that recover, spikes that return."""
        rng = self.script.rng
        for _ in range(rng.randrange(2, 4)):
            at = rng.choice(self.instants)
            count, after = self.counts[at], self._after(at)
            self.send(at, count, after, register="unheard-of")
            self.send(at, count, after, quality="MISSING", version=4)
            self.send(at, count, after, unit="gal")
            self.send(at, count * 10, after, decimals=self.decimals + 1, version=4)
            self.send(at, -1 - count, after, version=4)
            self.send(at, rng.choice([10**18, 10 ** (self.digits or 18)]), after, version=4)
            self.send(at, count, at - rng.randrange(HOUR_MS, 3 * DAY_MS))
            self.send(at - int(rng.uniform(10, 25) * DAY_MS), count, after)
        for _ in range(rng.randrange(3, 6)):
            at = rng.choice(self.instants) + rng.randrange(1, 20 * MINUTE_MS)
            before = max((instant for instant in self.instants if instant <= at), default=self.instants[0])
            count = self.counts[before]
            leap = rng.randrange(10**16, 11 * 10**17) // self.worth
            wrong = rng.choice([count // 2, max(count - self.rate * 3, 0), count + self.rate * 400, count + leap])
            self.send(at, self.shown(wrong), at + self.latency_ms)
            if rng.random() < 0.95:
                arrival = at + rng.randrange(HOUR_MS, 2 * DAY_MS)
                people.refuse_read(self.script, self.device, self.channel, self.register, at, arrival)
