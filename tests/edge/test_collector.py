"""A collector against simulated meters, in virtual time: who is read when, under which name, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from edge_collector.answering import UnableToReadAgain
from edge_collector.collector import Collector
from edge_collector.profile import Span
from edge_collector.reading import Cycle, Flag, StatusKind
from edge_collector.round import Round
from edge_collector.simulate.building import LinePlan, MeterPlan
from edge_collector.simulate.faults import Fault, FaultKind
from edge_collector.simulate.meter import Glitch, Unpowered
from edge_collector.simulate.server import Wire
from edge_collector.simulate.tenants import Tenant
from edge_collector.site import LinkSite, Pace
from tests.edge.small_site import INTERVAL_MS, START_MS, World, boundary, meters, small_site, transport_of, unit_site

FOREVER = 10**15
RTU = LinePlan("riser", Wire.RTU_OVER_TCP, meters(3))
TCP = LinePlan(
    "roof",
    Wire.TCP,
    (MeterPlan("R-1", 1, "abb_b23", Tenant.SHOP, 7), MeterPlan("R-2", 2, "inepro_pro380", Tenant.PV, 8)),
)
BLOCKS = LinePlan(
    "gateway",
    Wire.TCP,
    tuple(MeterPlan(f"G-{n}", 1, "meter_blocks", Tenant.FLAT, 20 + n, index=n, age_hours=50) for n in range(3)),
)
Play = Callable[[World], Awaitable[None]]


def run(play: Play, *lines: LinePlan, faults: tuple[Fault, ...] = (), pace: Pace | None = None) -> None:
    async def whole() -> None:
        async with small_site(lines or (RTU, TCP), faults, pace) as world:
            await play(world)

    asyncio.run(asyncio.wait_for(whole(), 60))


def fault(
    kind: FaultKind, since: float, until: float = FOREVER, unit: int | None = None, line: str = "riser", **more: int
) -> Fault:
    """From and until boundaries, by number."""
    return Fault(kind, START_MS + round(since * INTERVAL_MS), round(START_MS + until * INTERVAL_MS), line, unit, **more)


def metric(world: World, name: str, **labels: str) -> float:
    """Of the line called riser; 0 if there is none."""
    found = world.collector.metrics.registry.get_sample_value(f"meterfold_edge_{name}", {"link": "riser", **labels})
    return found or 0


def test_every_total_is_the_meters_own_at_its_instant() -> None:
    async def play(world: World) -> None:
        await world.until(6)
        for device in world.building.meters:
            readings = world.shelf.totals(device)
            assert world.shelf.boundaries(device) == list(range(7)), device
            assert [reading.count for reading in readings] == [world.shown(reading) for reading in readings], device
            assert not any(reading.flags for reading in readings)

    run(play, RTU, TCP, BLOCKS)


def test_a_dead_unit_costs_the_others_nothing_and_is_asked_ever_more_rarely() -> None:
    async def play(world: World) -> None:
        await world.until(24)
        for device in ("M-1", "M-3", "R-1"):
            assert world.shelf.boundaries(device) == list(range(25))
        asked = metric(world, "failures_total", device="M-2", reason="no_answer")
        assert 4 <= asked <= 3 + 12, "twice at the beginning, once at the first boundary, then by probes"
        polled = [cycle.polled for cycle in world.shelf.cycles if "M-1" in cycle.polled]
        assert all("M-2" in devices for devices in polled), "nothing will come of it, and that is known"
        assert [report.detail.split(";")[0] for report in world.shelf.reports("M-2")] == ["does not answer"]

    run(play, faults=(fault(FaultKind.DEAD_UNIT, -1, unit=2),))


def test_a_unit_that_comes_back_is_read_again() -> None:
    async def play(world: World) -> None:
        await world.until(12)
        assert set(world.shelf.boundaries("M-2")) >= {0, 1, *range(9, 13)}
        assert not set(world.shelf.boundaries("M-2")) & {2, 3, 4}
        said = [report.detail.split(":")[0].split(";")[0] for report in world.shelf.reports("M-2")]
        assert said == ["not read at this boundary", "does not answer", "answers again"]

    run(play, faults=(fault(FaultKind.DEAD_UNIT, 1.5, 4.5, unit=2),))


def test_a_boundary_that_was_missed_is_said_once() -> None:
    async def play(world: World) -> None:
        await world.until(3)
        assert world.shelf.boundaries("M-2") == [0, 2, 3]
        (report,) = world.shelf.reports("M-2")
        assert report.detail == "not read at this boundary: active_import, active_export"
        assert report.at_ms == boundary(1)
        assert not world.shelf.reports("M-1")

    run(play, RTU, faults=(fault(FaultKind.BUSY, 0.9, 1.1, unit=2),))


def test_a_line_that_was_dead_altogether_is_asked_again_as_a_whole() -> None:
    async def play(world: World) -> None:
        await world.until(12)
        for device in ("M-1", "M-2", "M-3", "M-4", "M-5"):
            assert set(world.shelf.boundaries(device)) >= {0, 1, *range(9, 13)}, device

    run(play, LinePlan("riser", Wire.RTU_OVER_TCP, meters(5)), faults=(fault(FaultKind.HALF_OPEN, 1.5, 4.5),))


def test_an_exchanged_meter_is_read_under_another_name() -> None:
    async def play(world: World) -> None:
        await world.until(2)
        world.building.happen(fault(FaultKind.SWAPPED_METER, 2.5, unit=1))
        await world.until(5)
        new = world.building.meters["M-1"].counters.serial(world.clock.now_ms())
        assert world.shelf.boundaries("M-1") == [0, 1, 2]
        assert world.shelf.boundaries(f"M-1@{new}") == [3, 4, 5]
        reports = world.shelf.reports("M-1")
        assert [report.kind for report in reports] == [StatusKind.EXCHANGE], "once"
        assert f"{new} answers, not 101" in reports[0].detail
        assert world.shelf.memory["name/M-1"] == f"M-1@{new}"
        assert world.shelf.boundaries("M-2") == list(range(6))

    run(play)


def test_totals_wait_until_the_meter_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its second boundary comes after a failure, and for a while nobody can read the serial number."""

    async def play(world: World) -> None:
        line = world.building.lines["riser"]
        answer = line.units[1].answer

        def hide(span: Span, at_ms: int, glitch: Glitch | None = None) -> tuple[int, ...]:
            if span.function == 3 and boundary(1) <= at_ms < boundary(1) + 130_000:
                raise Unpowered
            return answer(span, at_ms, glitch)

        monkeypatch.setattr(line.units[1], "answer", hide)
        await world.clock.sleep_until(boundary(1) - 1000)
        world.collector.lines["riser"].units[0].trust.doubt()
        await world.clock.sleep_until(boundary(1) + 125_000)
        assert world.shelf.boundaries("M-1") == [0]
        assert [cycle.boundary_ms for cycle in world.shelf.cycles if "M-1" in cycle.polled] == [boundary(0)]
        await world.clock.sleep_until(boundary(1) + 600_000)
        assert world.shelf.boundaries("M-1") == [0, 1]
        assert [cycle.boundary_ms for cycle in world.shelf.cycles if "M-1" in cycle.polled] == [
            boundary(0),
            boundary(1),
        ]
        (held,) = world.shelf.totals("M-1")[1:]
        assert held.count == world.shown(held), "as it was at its boundary"
        assert held.at_ms - boundary(1) < 1000
        await world.until(2)
        assert world.shelf.boundaries("M-1") == [0, 1, 2]
        details = [report.detail for report in world.shelf.reports("M-1")]
        assert sum("does not say who it is" in detail for detail in details) == 1

    run(play, RTU)


def test_another_serial_number_than_the_sites_is_an_exchange_from_the_beginning() -> None:
    async def play(world: World) -> None:
        link = world.site.links[0]
        pinned = replace(link, units=(replace(link.units[0], serial="4711"), *link.units[1:]))
        await world.collector.reload(replace(world.site, links=(pinned, *world.site.links[1:])))
        await world.until(1)
        assert world.shelf.boundaries("M-1") == []
        assert world.shelf.boundaries("M-1@101") == [0, 1]

    run(play)


def test_a_zero_that_stands_is_published_with_its_flag_and_one_that_passes_is_not() -> None:
    async def play(world: World) -> None:
        await world.until(4)
        flags = {device: [one.flags for one in world.shelf.totals(device)] for device in ("M-1", "M-2")}
        assert flags["M-1"] == [(), (), (Flag.ZERO,), (), ()]
        assert flags["M-2"] == 5 * [()]
        assert world.shelf.totals("M-1")[2].count == 0
        assert all(one.count for one in world.shelf.totals("M-2"))
        assert metric(world, "reads_total", device="M-2") > metric(world, "reads_total", device="M-3"), (
            "asked once more"
        )

    standing = fault(FaultKind.TRANSIENT_ZERO, 1.5, 2.5, unit=1)
    passing = fault(FaultKind.TRANSIENT_ZERO, 1.5, 3.5, unit=2, every=2)
    run(play, faults=(standing, passing))


def test_what_is_no_number_has_no_count_and_keeps_its_words() -> None:
    async def play(world: World) -> None:
        await world.until(2)
        reading = world.shelf.totals("R-1")[1]
        assert (reading.count, set(reading.words), reading.flags) == (None, {0xFFFF}, (Flag.SENTINEL,))
        assert [one.flags for one in world.shelf.totals("R-1")] == [(), (Flag.SENTINEL,), ()]

    run(play, faults=(fault(FaultKind.ALL_FF, 0.5, 1.5, unit=1, line="roof"),))


@pytest.mark.parametrize("moment", [0.5, 1.0], ids=["between boundaries", "at a boundary"])
def test_a_reload_loses_no_boundary(moment: float) -> None:
    async def play(world: World) -> None:
        await world.clock.sleep_until(START_MS + round(moment * INTERVAL_MS))
        riser = world.site.links[0]
        changed = replace(riser, timing=replace(riser.timing, timeout_ms=70), units=riser.units[:2])
        roof = world.collector.lines["roof"]
        await world.collector.reload(replace(world.site, links=(changed, world.site.links[1])))
        assert world.collector.lines["roof"] is roof, "what did not change goes on"
        await world.until(3)
        for device in ("M-1", "M-2", "R-1", "R-2"):
            assert world.shelf.boundaries(device) == [0, 1, 2, 3], device
        assert world.shelf.boundaries("M-3")[-1] <= moment

    run(play)


def test_a_link_that_a_reload_adds_is_read_from_the_next_boundary_on() -> None:
    async def play(world: World) -> None:
        both = world.site
        await world.collector.reload(replace(both, links=both.links[:1]))
        await world.until(1)
        await world.collector.reload(both)
        await world.until(3)
        assert world.shelf.boundaries("M-1") == [0, 1, 2, 3]
        assert world.shelf.boundaries("R-1") == [1, 2, 3], "half a minute after the boundary is within the tolerance"

    run(play)


@pytest.mark.parametrize("begins_s", [-300, 20, 200])
def test_a_restart_polls_nothing_twice_and_what_came_meanwhile_if_it_is_not_too_late(begins_s: int) -> None:
    """It ends ten minutes before the second boundary; it begins anew so many seconds after that."""

    async def play(world: World) -> None:
        await world.clock.sleep_until(boundary(2) - 600_000)
        await world.collector.stop()
        await world.clock.sleep_until(boundary(2) + begins_s * 1000)
        again = Collector(world.site, world.clock, world.shelf)
        await again.start()
        await world.until(4)
        await again.stop()
        is_too_late = begins_s * 1000 > world.site.pace.tolerance_ms
        assert world.shelf.boundaries("M-1") == ([0, 1, 3, 4] if is_too_late else [0, 1, 2, 3, 4])
        said = [(report.from_ms, report.to_ms) for report in world.shelf.reports("M-1")]
        assert said == ([(boundary(2), boundary(3))] if is_too_late else [])
        assert all(one.count == world.shown(one) for one in world.shelf.totals("M-1"))

    run(play, RTU)


@pytest.mark.parametrize(
    ("step_s", "expected", "flagged"),
    [
        (120, [0, 1, 2, 3, 4], {2: (Flag.CLOCK_STEPPED,)}),
        (1080, [0, 1, 2, 3, 4], {2: (Flag.LATE, Flag.CLOCK_STEPPED)}),
        (2000, [0, 1, 3, 4], {3: (Flag.LATE, Flag.CLOCK_STEPPED)}),
        (-120, [0, 1, 2, 3, 4], {2: (Flag.CLOCK_STEPPED,)}),
        (-2000, [0, 1, -2, 2, 3, 4], {-2: (Flag.LATE, Flag.CLOCK_STEPPED)}),
    ],
)
def test_a_stepped_clock_neither_skips_silently_nor_polls_twice(
    step_s: int, expected: list[int], flagged: dict[int, tuple[Flag, ...]]
) -> None:
    async def play(world: World) -> None:
        await world.clock.sleep_until(boundary(1) + 60_000)
        world.clock.step(step_s * 1000)
        await world.until(4)
        readings = world.shelf.totals("M-1")
        assert world.shelf.boundaries("M-1") == expected
        seen = {(one.boundary_ms - START_MS) // INTERVAL_MS: one.flags for one in readings if one.flags}
        assert seen == flagged
        reports = world.shelf.reports("M-1")
        steps = [report for report in reports if report.kind is StatusKind.CLOCK]
        assert len(steps) == 1
        assert f"{step_s:+d} s" in steps[0].detail
        gaps = [(report.from_ms, report.to_ms) for report in reports if report.kind is StatusKind.COMMUNICATION]
        missing = sorted(set(range(min(expected), 5)) - set(expected))
        assert gaps == [(boundary(one), boundary(one + 1)) for one in missing]

    run(play, RTU)


def test_reads_say_when_nothing_holds_the_clock() -> None:
    async def play(world: World) -> None:
        await world.until(0)
        world.clock.set_quality(replace(world.clock.quality(), is_synchronised=False, offset_ms=None))
        await world.until(1)
        assert [one.flags for one in world.shelf.totals("M-1")] == [(), (Flag.CLOCK_UNSYNCHRONISED,)]

    run(play, RTU)


def test_a_mistake_in_one_line_costs_one_cycle_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Round.run

    async def fail_once(self: Round, has_energy: bool, has_telemetry: bool) -> Cycle:
        if self.poller.name == "riser" and self.occasion.boundary_ms == boundary(1):
            raise ZeroDivisionError("a mistake of ours")
        return await whole(self, has_energy, has_telemetry)

    monkeypatch.setattr(Round, "run", fail_once)

    async def play(world: World) -> None:
        await world.until(3)
        assert world.shelf.boundaries("M-1") == [0, 2, 3]
        assert world.shelf.boundaries("R-1") == [0, 1, 2, 3]
        assert "ZeroDivisionError" in world.shelf.reports("M-1")[0].detail

    run(play)


def test_measurements_come_between_the_boundaries_too() -> None:
    async def play(world: World) -> None:
        await world.until(2)
        seen = {
            reading.boundary_ms - START_MS
            for cycle in world.shelf.cycles
            for reading in cycle.readings
            if reading.device == "M-1" and reading.register == "voltage_l1"
        }
        assert seen >= set(range(0, 2 * INTERVAL_MS + 1, 300_000))
        assert world.shelf.boundaries("M-1") == [0, 1, 2]
        assert all(not cycle.polled for cycle in world.shelf.cycles if cycle.boundary_ms % INTERVAL_MS)

    run(play, RTU, pace=Pace(INTERVAL_MS, 60_000, 300_000))


def test_a_busy_meter_is_asked_once_more() -> None:
    async def play(world: World) -> None:
        await world.until(3)
        assert world.shelf.boundaries("M-1") == [0, 1, 2, 3]

    run(play, RTU, faults=(fault(FaultKind.BUSY, 0.5, unit=1, every=2),))


def test_reads_on_demand() -> None:
    async def play(world: World) -> None:
        await world.clock.sleep_until(boundary(3) + 400_000)
        (now,) = [one for one in await world.collector.read_now("M-1") if one.register == "active_import"]
        assert now.flags == (Flag.REREAD,)
        assert now.count == world.shown(now)
        stored = await world.collector.reread("G-1", boundary(1), boundary(3))
        assert [(one.boundary_ms, one.at_ms, one.count, one.flags) for one in stored] == [
            (at_ms, at_ms, world.building.meters["G-1"].count("active_import", at_ms), (Flag.REREAD,))
            for at_ms in (boundary(1), boundary(2))
        ]
        for device, why in (("M-1", "no load profile"), ("nobody", "not a device")):
            with pytest.raises(UnableToReadAgain, match=why):
                await world.collector.reread(device, boundary(1), boundary(3))
        with pytest.raises(UnableToReadAgain, match="holds nothing"):
            await world.collector.reread("G-1", boundary(10), boundary(12))

    run(play, RTU, BLOCKS)


@pytest.mark.parametrize("every", [7, 9])
def test_late_answers_in_a_building_change_nothing(every: int) -> None:
    """Time leaps from boundary to boundary while they are still under way."""

    async def play(world: World) -> None:
        await world.until(12)
        readings = [reading for cycle in world.shelf.cycles for reading in cycle.readings]
        assert [one.count for one in readings] == [world.shown(one) for one in readings]
        assert min(len(world.shelf.boundaries(device)) for device in ("M-1", "M-2", "M-3")) >= 10
        kinds = ("no_answer", "wrong_length", "wrong_answer", "unasked", "flushed")
        assert sum(metric(world, "guard_total", kind=kind) for kind in kinds) >= 10

    run(play, RTU, faults=(Fault(FaultKind.LATE_ANSWER, START_MS, FOREVER, "riser", every=every, late_s=0.1),))


def test_a_serial_line() -> None:
    async def play(world: World) -> None:
        await world.until(2)
        assert world.shelf.boundaries("M-1") == world.shelf.boundaries("M-3") == [0, 1, 2]

    run(play, LinePlan("cable", Wire.SERIAL, meters(3)))


def test_a_link_is_as_the_site_says() -> None:
    async def play(world: World) -> None:
        (endpoint,) = world.endpoints
        expected = LinkSite(
            "riser", transport_of(endpoint), world.site.links[0].timing, tuple(map(unit_site, meters(3)))
        )
        assert world.site.links == (expected,), (
            "equal values make equal links: a reload of the same file changes nothing"
        )
        before = world.collector.lines["riser"]
        await world.collector.reload(replace(world.site, links=(expected,)))
        assert world.collector.lines["riser"] is before

    run(play, RTU)
