"""A building full of meters, on lines that can be polled: described, or drawn from a seed; served on free ports; its faults let loose.

The description says what a site's configuration needs; the meters say afterwards what was true.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from edge_collector.profile import Profile
from edge_collector.profile_load import load_profile
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import Fault, FaultKind, Faults, TrueTime
from edge_collector.simulate.meter import Answered, SimulatedMeter, serial_for
from edge_collector.simulate.server import Gateway, Line, Served, Unit, Wire, serve
from edge_collector.simulate.tenants import HOUR_MS, Tenant
from edge_collector.simulate.wiring import loads_for
from edge_collector.system_clock import SystemClock

COMMON_PROFILES: Final = (
    "eastron_sdm630",
    "eastron_sdm120",
    "schneider_iem3155",
    "abb_b23",
    "carlo_gavazzi_em340",
    "inepro_pro380",
    "siemens_pac2200",
)
_TENANTS: Final = (Tenant.FLAT, Tenant.FLAT, Tenant.FLAT, Tenant.SHOP, Tenant.OFFICE, Tenant.BASE_LOAD, Tenant.PV)


@dataclass(frozen=True, slots=True)
class MeterPlan:
    """One meter. `number` makes its serial number and its habits; `index` is its place behind a gateway; when the
    building begins it has been counting for `age_hours`."""

    device: str
    unit: int
    profile: str
    tenant: Tenant
    number: int
    index: int | None = None
    age_hours: int = 0


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A wire and who is on it."""

    name: str
    wire: Wire
    meters: tuple[MeterPlan, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a running line is found: `host` and `port`, or the serial port `device`."""

    line: LinePlan
    host: str
    port: int
    device: str


def draw_building(
    seed: int,
    lines: int,
    meters: int,
    profiles: Sequence[str] = COMMON_PROFILES,
    wires: Sequence[Wire] = (Wire.RTU_OVER_TCP, Wire.TCP),
) -> tuple[LinePlan, ...]:
    """So many meters, dealt out to so many lines in turn; the same for the same arguments. At most 247 on a line."""
    if meters > 247 * lines:
        raise ValueError(f"{meters} meters have no place on {lines} lines of 247")
    draw = random.Random(seed)
    dealt: list[list[MeterPlan]] = [[] for _ in range(lines)]
    for number in range(meters):
        on_line = dealt[number % lines]
        on_line.append(
            MeterPlan(
                device=f"meter-{number + 1:04d}",
                unit=len(on_line) + 1,
                profile=draw.choice(list(profiles)),
                tenant=draw.choice(_TENANTS),
                number=1000 * seed + number,
                age_hours=draw.randrange(70_000),
            )
        )
    return tuple(
        LinePlan(f"line-{number + 1:02d}", wires[number % len(wires)], tuple(on_line))
        for number, on_line in enumerate(dealt)
    )


@dataclass
class Building:
    """`installed_ms` is when all meters began, by true time; `note` hears, with the device's name, of every answer."""

    plans: tuple[LinePlan, ...]
    clock: SteppedClock | SystemClock
    installed_ms: int
    faults: Faults = field(default_factory=Faults)
    note: Callable[[str, Answered], None] = lambda _device, _answered: None

    def __post_init__(self) -> None:
        self.time = TrueTime(self.clock)
        self.meters: dict[str, SimulatedMeter] = {}
        self.lines = {
            plan.name: Line(plan.name, plan.wire, self._units(plan), self.time, self.faults) for plan in self.plans
        }
        self._served: list[Served] = []

    async def start(self, host: str = "127.0.0.1", ports: Iterable[int] = ()) -> tuple[Endpoint, ...]:
        """Serve every line, at the given ports and then at free ones. Lines over TLS are served by themselves, see `server.serve`."""
        endpoints, wanted = [], iter(ports)
        for plan in self.plans:
            served = await serve(self.lines[plan.name], host, next(wanted, 0))
            self._served.append(served)
            endpoints.append(Endpoint(plan, host, served.port, served.device))
        return tuple(endpoints)

    def close(self) -> None:
        while self._served:
            self._served.pop().close()

    async def play_events(self) -> None:
        """Let the faults that are events happen, each at its time; returns after the last. Run it as a task."""
        with self.clock.participant():
            for fault in self.faults.events():
                await self.clock.sleep(fault.from_ms - self.time.now_ms())
                self.happen(fault)

    def happen(self, fault: Fault) -> None:
        """An event, on all meters that it meets; a clock that cannot be stepped is not."""
        if fault.kind is FaultKind.CLOCK_STEP:
            if isinstance(self.clock, SteppedClock):
                self.clock.step(fault.step_ms)
            return
        for plan in self.plans:
            for meter in plan.meters:
                if replace(fault, until_ms=fault.from_ms + 1).meets(plan.name, meter.unit, fault.from_ms):
                    _happen_to(self.meters[meter.device], meter, fault)

    def _units(self, line: LinePlan) -> dict[int, Unit]:
        units: dict[int, Unit] = {}
        behind_gateways: dict[int, dict[int, SimulatedMeter]] = {}
        for plan in line.meters:
            profile = load_profile(plan.profile)
            meter = self._meter(plan, profile.at_index(plan.index))
            if profile.blocks is None:
                units[plan.unit] = meter
            else:
                blocks, behind = profile.blocks, behind_gateways.setdefault(plan.unit, {})
                behind[plan.index or 0] = meter
                units[plan.unit] = Gateway(blocks, behind)
        return units

    def _meter(self, plan: MeterPlan, profile: Profile) -> SimulatedMeter:
        loads = loads_for(profile, plan.tenant, plan.number)
        since_ms = self.installed_ms - plan.age_hours * HOUR_MS
        start = {name: load.total_micro(self.installed_ms) - load.total_micro(since_ms) for name, load in loads.items()}
        meter = SimulatedMeter(
            profile,
            serial_for(profile, plan.number),
            loads,
            self.installed_ms,
            start,
            note=lambda answered: self.note(plan.device, answered),
        )
        self.meters[plan.device] = meter
        return meter


def _happen_to(meter: SimulatedMeter, plan: MeterPlan, fault: Fault) -> None:
    match fault.kind:
        case FaultKind.POWER_CUT:
            meter.counters.cut_power(fault.from_ms, fault.until_ms)
        case FaultKind.SWAPPED_METER:
            meter.counters.swap(fault.from_ms, serial_for(meter.profile, plan.number + 7_000_000), {})
        case FaultKind.RESET:
            meter.reset(fault.from_ms)
        case FaultKind.ROLLOVER:
            spec = next((one for one in meter.profile.billing if not one.type.is_float), None)
            if spec:
                meter.near_rollover(spec.name, fault.from_ms)
