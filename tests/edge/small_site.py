"""A small simulated site in virtual time, its collector, and what that committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_collector.collector import Collector
from edge_collector.link import Timing
from edge_collector.plan import plan
from edge_collector.profile_load import load_profile
from edge_collector.reading import Cycle, Priority, RegisterReading, StatusReport
from edge_collector.simulate.building import Building, Endpoint, LinePlan, MeterPlan
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import Fault, Faults
from edge_collector.simulate.server import Wire
from edge_collector.simulate.tenants import Tenant
from edge_collector.site import LinkSite, OutboxSite, Pace, PublishKind, PublishSite, Site, UnitSite
from edge_collector.transport import Framing, Network, SerialLine, Transport
from edge_collector.words import decode

START_MS: Final = 1_767_225_600_000
"""A boundary of every interval."""

INTERVAL_MS: Final = 900_000
TIMING: Final = Timing(timeout_ms=60, quiet_ms=10)


def boundary(number: int) -> int:
    """The n-th, in ms; the world begins a minute and a half before the first."""
    return START_MS + number * INTERVAL_MS


class Shelf:
    """An outbox that only keeps what it is given."""

    def __init__(self) -> None:
        self.cycles: list[Cycle] = []
        self.memory: dict[str, str] = {}

    def commit(self, cycle: Cycle, memory: Mapping[str, str] | None = None, again: int = 0) -> None:
        self.cycles.append(cycle)
        self.memory.update(memory or {})

    def recall(self, key: str) -> str | None:
        return self.memory.get(key)

    def totals(self, device: str, register: str = "active_import") -> list[RegisterReading]:
        """Billing reads of one register, in the order in which they were committed."""
        return [
            reading
            for cycle in self.cycles
            for reading in cycle.readings
            if (reading.device, reading.register, reading.priority) == (device, register, Priority.BILLING)
        ]

    def boundaries(self, device: str) -> list[int]:
        """At which of the world's boundaries the device was read."""
        return [(reading.boundary_ms - START_MS) // INTERVAL_MS for reading in self.totals(device)]

    def reports(self, device: str) -> list[StatusReport]:
        return [report for cycle in self.cycles for report in cycle.reports if report.device == device]


@dataclass
class World:
    """Everything that a test looks at."""

    clock: SteppedClock
    building: Building
    endpoints: tuple[Endpoint, ...]
    site: Site
    shelf: Shelf
    collector: Collector
    faults: Faults = field(default_factory=Faults)

    def shown(self, reading: RegisterReading) -> int | None:
        """What the meter that bears the reading's name shows at its instant."""
        meter = self.building.meters[reading.device]
        spec = meter.profile.register(reading.register)
        return decode(spec, meter.answer(spec.span, reading.at_ms)).count

    async def until(self, number: int) -> None:
        """Let time pass until half a minute after a boundary."""
        await self.clock.sleep_until(boundary(number) + 30_000)


def meters(count: int, profile: str = "eastron_sdm630") -> tuple[MeterPlan, ...]:
    return tuple(
        MeterPlan(f"M-{unit}", unit, profile, Tenant.FLAT, number=100 + unit, age_hours=1000 * unit)
        for unit in range(1, count + 1)
    )


def transport_of(endpoint: Endpoint) -> Transport:
    if endpoint.line.wire is Wire.SERIAL:
        return SerialLine(endpoint.device)
    framing = Framing.RTU if endpoint.line.wire is Wire.RTU_OVER_TCP else Framing.MBAP
    return Network(endpoint.host, endpoint.port, framing)


def unit_site(meter: MeterPlan, serial: str | None = None) -> UnitSite:
    profile = load_profile(meter.profile).at_index(meter.index)
    return UnitSite(meter.device, meter.unit, profile, plan(profile), serial, meter.profile)


def site_for(endpoints: Sequence[Endpoint], pace: Pace | None = None, timing: Timing = TIMING) -> Site:
    """As `site.toml` would say it."""
    links = tuple(
        LinkSite(one.line.name, transport_of(one), timing, tuple(unit_site(meter) for meter in one.line.meters))
        for one in endpoints
    )
    return Site(
        "test",
        pace or Pace(INTERVAL_MS, 60_000, INTERVAL_MS),
        OutboxSite(Path("outbox.db")),
        PublishSite(PublishKind.FILE_LOG, Path("data")),
        links,
    )


@asynccontextmanager
async def small_site(
    lines: Sequence[LinePlan], faults: Sequence[Fault] = (), pace: Pace | None = None
) -> AsyncIterator[World]:
    """The meters run and the collector polls them; the body is a participant in the world's time."""
    clock = SteppedClock(START_MS - 90_000)
    kept = Faults(faults)
    building = Building(tuple(lines), clock, START_MS - 90_000, kept)
    endpoints = await building.start()
    site, shelf = site_for(endpoints, pace), Shelf()
    collector = Collector(site, clock, shelf)
    try:
        with clock.participant():
            await collector.start()
            yield World(clock, building, endpoints, site, shelf, collector, kept)
            await collector.stop()
    finally:
        building.close()
