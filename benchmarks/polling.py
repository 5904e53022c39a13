"""`python -m benchmarks.polling`: how exactly and how fast the edge collector polls, and what it needs for that.

Meters are simulated in a process of their own, the collector runs in another, on real time, over twenty lines, half of them Modbus TCP,
half RTU over TCP, and commits to a real outbox. The interval is short, so that a run takes a minute; a boundary is polled as it always
is. Only reads of living meters count for the skew.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edge_collector.collector import Collector
from edge_collector.link import Timing
from edge_collector.outbox import Outbox
from edge_collector.plan import plan
from edge_collector.profile_load import load_profile
from edge_collector.reading import Cycle, Priority
from edge_collector.simulate.building import Building, LinePlan, draw_building
from edge_collector.simulate.faults import Fault, FaultKind, Faults
from edge_collector.simulate.server import Wire
from edge_collector.site import LinkSite, OutboxSite, Pace, PublishKind, PublishSite, Site, UnitSite
from edge_collector.system_clock import SystemClock
from edge_collector.transport import Framing, Network

SEED: Final = 4
LINES: Final = 20
DEAD_EVERY: Final = 10
HOST: Final = "127.0.0.1"
SIZES: Final = ((200, False), (500, False), (500, True))
"""Meters, and whether one in ten of them is dead."""

TIMING: Final = Timing(timeout_ms=1000, quiet_ms=200)


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    meters: int
    has_dead: bool
    interval_s: int
    boundaries: int


@dataclass(eq=False)
class Seen:
    """What was committed: skews of billing reads in ms, and how long each boundary kept the lines busy."""

    skews_ms: list[int] = field(default_factory=list)
    busy_ms: dict[int, int] = field(default_factory=dict)

    def note(self, cycle: Cycle) -> None:
        """Take a cycle in."""
        for reading in cycle.readings:
            if reading.priority is Priority.BILLING:
                self.skews_ms.append(reading.at_ms - cycle.boundary_ms)
            until_ms = reading.received_ms - cycle.boundary_ms
            self.busy_ms[cycle.boundary_ms] = max(self.busy_ms.get(cycle.boundary_ms, 0), until_ms)


class WatchedOutbox(Outbox):
    """An outbox that shows what goes into it."""

    seen = Seen()

    def commit(self, cycle: Cycle, memory: Mapping[str, str] | None = None, again: int = 0) -> None:
        super().commit(cycle, memory, again)
        self.seen.note(cycle)


def main() -> None:
    """The whole table, or one of the two processes of a row."""
    given = _arguments()
    if given.part == "meters":
        asyncio.run(serve_meters(Case(**json.loads(given.case))))
    elif given.part == "collector":
        logging.disable(logging.WARNING)  # of who is dead
        found = asyncio.run(collect(Case(**json.loads(given.case)), json.loads(given.ports)))
        print(json.dumps(found))
    else:
        print(_header(given))
        for meters, has_dead in SIZES:
            case = Case(meters, has_dead, given.interval_s, given.boundaries)
            print(_row(case, measure(case)), flush=True)


def measure(case: Case) -> dict[str, Any]:
    """One row, in two processes of its own."""
    told = json.dumps({name: getattr(case, name) for name in Case.__slots__})
    command = [sys.executable, "-m", "benchmarks.polling", "--case", told, "--part"]
    with subprocess.Popen([*command, "meters"], stdout=subprocess.PIPE, text=True) as meters:
        assert meters.stdout is not None
        try:
            ports = meters.stdout.readline().strip()
            done = subprocess.run(
                [*command, "collector", "--ports", ports], stdout=subprocess.PIPE, text=True, check=True
            )
        finally:
            meters.terminate()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def building_plan(case: Case) -> tuple[LinePlan, ...]:
    return draw_building(SEED, LINES, case.meters, wires=(Wire.RTU_OVER_TCP, Wire.TCP))


async def serve_meters(case: Case) -> None:
    """Simulated meters until terminated; the ports go to standard output as one line."""
    plans = building_plan(case)
    silent = [(line.name, meter.unit) for line, meter in _dead(plans, case)]
    faults = Faults(Fault(FaultKind.DEAD_UNIT, 0, 10**15, line, unit) for line, unit in silent)
    clock = SystemClock()
    building = Building(plans, clock, clock.now_ms(), faults)
    endpoints = await building.start(HOST)
    print(json.dumps([endpoint.port for endpoint in endpoints]), flush=True)
    await asyncio.Event().wait()


async def collect(case: Case, ports: list[int]) -> dict[str, Any]:
    """Poll so many boundaries, and say how it went. The first is left out: with it, the lines get to know who is dead."""
    site, clock = _site(case, ports), SystemClock()
    with tempfile.TemporaryDirectory() as directory:
        outbox = WatchedOutbox(Path(directory) / "outbox.db", "bench", clock.now_ms, interval_ms=site.pace.interval_ms)
        collector = Collector(site, clock, outbox)
        begun_ms = clock.now_ms() // site.pace.interval_ms * site.pace.interval_ms + site.pace.interval_ms
        await collector.start()
        await clock.sleep_until(begun_ms + site.pace.interval_ms - 100)
        outbox.seen = Seen()
        cpu_s, wall_s, answered = time.process_time(), time.monotonic(), _answered(collector)
        await clock.sleep_until(begun_ms + (case.boundaries + 1) * site.pace.interval_ms - 100)
        found = {
            "skews_ms": sorted(outbox.seen.skews_ms),
            "requests": _answered(collector) - answered,
            "busy_s": sum(outbox.seen.busy_ms.values()) / 1000,
            "cpu_s": time.process_time() - cpu_s,
            "wall_s": time.monotonic() - wall_s,
            "resident_mb": _resident_mb(),
        }
        await collector.stop()
        outbox.close()
    return found


def _site(case: Case, ports: list[int]) -> Site:
    links = []
    for line, port in zip(building_plan(case), ports, strict=True):
        framing = Framing.RTU if line.wire is Wire.RTU_OVER_TCP else Framing.MBAP
        units = []
        for meter in line.meters:
            profile = load_profile(meter.profile)
            units.append(UnitSite(meter.device, meter.unit, profile, plan(profile), None, meter.profile))
        links.append(LinkSite(line.name, Network(HOST, port, framing), TIMING, tuple(units)))
    interval_ms = case.interval_s * 1000
    pace = Pace(interval_ms, interval_ms // 2, interval_ms)
    publish = PublishSite(PublishKind.FILE_LOG, Path("unused"))
    return Site("bench", pace, OutboxSite(Path("unused")), publish, tuple(links))


def _dead(plans: tuple[LinePlan, ...], case: Case) -> list[tuple[LinePlan, Any]]:
    """One meter in ten, spread over the lines."""
    everybody = [(line, meter) for line in plans for meter in line.meters]
    return everybody[DEAD_EVERY - 1 :: DEAD_EVERY] if case.has_dead else []


def _answered(collector: Collector) -> int:
    families = collector.metrics.registry.collect()
    return int(
        sum(one.value for family in families for one in family.samples if one.name == "meterfold_edge_reads_total")
    )


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _header(given: Namespace) -> str:
    titles = ("reads", "p50 ms", "p99 ms", "max ms", "requests/s", "CPU %", "CPU ms/read", "resident MB")
    return (
        f"{LINES} lines, a boundary each {given.interval_s} s, {given.boundaries} of them; skew is from the boundary to the middle of a "
        f"billing read\n{'':26}" + "".join(f"{title:>13}" for title in titles)
    )


def _row(case: Case, found: dict[str, Any]) -> str:
    skews = found["skews_ms"]
    cells = (
        f"{len(skews):,}",
        f"{_percentile(skews, 0.5):,}",
        f"{_percentile(skews, 0.99):,}",
        f"{skews[-1]:,}",
        f"{found['requests'] / found['busy_s']:,.0f}",
        f"{100 * found['cpu_s'] / found['wall_s']:.1f}",
        f"{1000 * found['cpu_s'] / len(skews):.2f}",
        f"{found['resident_mb']:.0f}",
    )
    name = f"{case.meters} meters{', one in ten dead' if case.has_dead else ''}"
    return f"{name:26}" + "".join(f"{cell:>13}" for cell in cells)


def _percentile(ordered: list[int], share: float) -> int:
    """Nearest rank."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.polling", description="Polling simulated meters.")
    parser.add_argument("--boundaries", type=int, default=4)
    parser.add_argument("--interval-s", type=int, default=10)
    parser.add_argument("--part", choices=("meters", "collector"), help="internal: one of the two processes")
    parser.add_argument("--case", help="internal")
    parser.add_argument("--ports", help="internal")
    return parser.parse_args()


if __name__ == "__main__":
    main()
