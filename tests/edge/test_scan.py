"""Scanning a simulated line: every kind of meter of ours is found and its profile guessed first."""

from __future__ import annotations

import asyncio

import pytest

from edge_collector.link import Link, Timing
from edge_collector.profile_load import builtin_profiles
from edge_collector.scan import Found, known_profiles, scan
from edge_collector.simulate.building import Building, LinePlan, MeterPlan
from edge_collector.simulate.server import Wire
from edge_collector.simulate.tenants import Tenant
from edge_collector.system_clock import SystemClock
from tests.edge.small_site import START_MS, transport_of

TIMING = Timing(timeout_ms=40, quiet_ms=10)


def scan_of(wire: Wire, profiles: dict[int, str], ids: range) -> list[Found]:
    meters = tuple(
        MeterPlan(f"M-{unit}", unit, name, Tenant.SHOP, 500 + unit, 0 if name == "meter_blocks" else None, 9000)
        for unit, name in profiles.items()
    )

    async def run() -> list[Found]:
        clock = SystemClock()
        building = Building((LinePlan("line", wire, meters),), clock, START_MS)
        (endpoint,) = await building.start()
        link = Link(transport_of(endpoint), TIMING, clock)
        try:
            return [found async for found in scan(link, ids, known_profiles())]
        finally:
            await link.close()
            building.close()

    return asyncio.run(run())


@pytest.mark.parametrize("wire", [Wire.RTU_OVER_TCP, Wire.TCP])
def test_units_are_found_and_their_profile_is_the_first_guess(wire: Wire) -> None:
    names = dict(enumerate(builtin_profiles(), 3))
    found = scan_of(wire, names, range(2, 4 + len(names)))
    assert {one.unit: one.guesses[0].profile for one in found} == names
    for one in found:
        scores = [guess.score for guess in one.guesses]
        assert scores == sorted(scores, reverse=True)
        assert min(scores) > 0
        assert one.guesses[0].reasons


def test_the_serial_number_and_the_reasons_are_told() -> None:
    (found,) = scan_of(Wire.RTU_OVER_TCP, {7: "eastron_sdm630"}, range(6, 9))
    guess = found.guesses[0]
    assert guess.serial == "507"
    assert "serial number 507" in guess.reasons
    assert any(reason.startswith("frequency 50.") or reason.startswith("frequency 49.") for reason in guess.reasons)


def test_a_line_with_nobody_on_it() -> None:
    assert scan_of(Wire.RTU_OVER_TCP, {}, range(1, 4)) == []
