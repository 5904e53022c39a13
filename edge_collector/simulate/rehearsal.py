"""A collector at work in a simulated building, in virtual time: months in minutes, over real sockets, into a real log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from edge_collector.box import Box, publisher_for
from edge_collector.line import LONGEST_SLEEP_MS
from edge_collector.outbox import Outbox
from edge_collector.publishing import Drain, Publisher
from edge_collector.simulate.building import Building, LinePlan
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import Fault, FaultKind, Faults
from edge_collector.simulate.files import site_of
from edge_collector.simulate.meter import Answered
from edge_collector.site import Site
from edge_collector.site_load import read_site

LEAD_MS: Final = 60_000
"""The collector starts so long before the first boundary, and goes on for as long after the last."""


PUBLISHING_MS: Final = 3 * 3_600_000
"""The outbox is emptied so often: publishing each boundary by itself would take most of the time."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is to be played: boundaries in [from_ms, until_ms], every `interval_s` seconds, with what goes wrong meanwhile."""

    lines: tuple[LinePlan, ...]
    from_ms: int
    until_ms: int
    interval_s: int
    faults: tuple[Fault, ...] = ()
    timing_ms: tuple[int, int] = (100, 20)
    """(Timeout, quiet) of each line, of the world's time."""
    telemetry: bool = True
    installed_ms: int | None = None
    """When all meters began; null: just before. A play that goes on where another was broken off has the other's."""


async def rehearse(
    play: Rehearsal,
    folder: Path,
    data: Path,
    publisher: Publisher | None = None,
    on_day: Callable[[int], None] = lambda _at_ms: None,
    note: Callable[[str, Answered], None] = lambda _device, _answered: None,
) -> Building:
    """Play it; site.toml and the outbox lie in `folder`, reads go to the data directory or the publisher. Returns the building.

    `on_day` hears of each virtual day that passed, `note` of every answer of a meter. Clock steps before the beginning are no more.
    """
    clock, began_ms = SteppedClock(play.from_ms - LEAD_MS), play.from_ms - LEAD_MS
    faults = Faults(one for one in play.faults if one.kind is not FaultKind.CLOCK_STEP or one.from_ms >= began_ms)
    building = Building(play.lines, clock, play.installed_ms or began_ms, faults, note)
    endpoints = await building.start()
    text = site_of(endpoints, play.interval_s, data, play.timing_ms, play.telemetry)
    (folder / "site.toml").write_text(text)
    site = read_site(text, folder)
    publisher = publisher or publisher_for(site.publish, clock.now_ms)
    try:
        await _collect(play, site, clock, publisher, building, on_day)
        await _publish_the_rest(site, clock, publisher)
    finally:
        building.close()
    return building


async def _collect(
    play: Rehearsal,
    site: Site,
    clock: SteppedClock,
    publisher: Publisher,
    building: Building,
    on_day: Callable[[int], None],
) -> None:
    box = Box(site, clock, Random(1), publisher, 0, PUBLISHING_MS, _longest_sleep(play), is_told=False)
    running = asyncio.create_task(box.run(), name="box")
    events = asyncio.create_task(building.play_events(), name="events")
    with clock.participant():
        for at_ms in (*_days(play.from_ms, play.until_ms), play.until_ms):
            await clock.sleep_until(at_ms + LEAD_MS)
            if running.done():
                break
            on_day(at_ms)
    events.cancel()
    if not running.done():
        await box.stop()
    await running


async def _publish_the_rest(site: Site, clock: SteppedClock, publisher: Publisher) -> None:
    outbox = Outbox(site.outbox.path, site.collector, clock.now_ms, interval_ms=site.pace.interval_ms)
    try:
        await Drain(outbox, publisher, clock, Random(1)).empty()
    finally:
        outbox.close()


def _longest_sleep(play: Rehearsal) -> float:
    """Looking at a clock that nobody moves would take most of the time."""
    is_moved = any(fault.kind is FaultKind.CLOCK_STEP for fault in play.faults)
    return LONGEST_SLEEP_MS if is_moved else play.interval_s * 1000


def _days(from_ms: int, until_ms: int) -> Sequence[int]:
    return range(from_ms - from_ms % 86_400_000 + 86_400_000, until_ms, 86_400_000)
