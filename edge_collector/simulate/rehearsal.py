"""A collector at work in a simulated building, in virtual time: months in minutes, over real sockets, into a real log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from edge_collector.box import Box
from edge_collector.publishing import Publisher
from edge_collector.simulate.building import Building, LinePlan
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import Fault, Faults
from edge_collector.simulate.files import site_of
from edge_collector.site_load import read_site

LEAD_MS: Final = 60_000
"""The collector starts so long before the first boundary, and goes on for as long after the last."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is to be played: boundaries in [from_ms, until_ms], every `interval_s` seconds, with what goes wrong meanwhile."""

    lines: tuple[LinePlan, ...]
    from_ms: int
    until_ms: int
    interval_s: int
    faults: tuple[Fault, ...] = ()
    timeout_ms: int = 100


async def rehearse(
    play: Rehearsal,
    folder: Path,
    data: Path,
    publisher: Publisher | None = None,
    on_day: Callable[[int], None] = lambda _at_ms: None,
) -> Building:
    """Play it; site.toml and the outbox lie in `folder`, reads go to the data directory or the publisher. Returns the building.

    `on_day` hears of each virtual day that passed. A meter's faults are those of `simulate.faults`; their times are the world's.
    """
    clock = SteppedClock(play.from_ms - LEAD_MS)
    building = Building(play.lines, clock, play.from_ms - LEAD_MS, Faults(play.faults))
    endpoints = await building.start()
    text = site_of(endpoints, play.interval_s, data, play.timeout_ms)
    (folder / "site.toml").write_text(text)
    interval_ms = play.interval_s * 1000
    box = Box(read_site(text, folder), clock, Random(1), publisher, look_ms=0, idle_ms=interval_ms)
    try:
        running = asyncio.create_task(box.run(), name="box")
        events = asyncio.create_task(_events(building, clock))
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
    finally:
        building.close()
    return building


async def _events(building: Building, clock: SteppedClock) -> None:
    with clock.participant():
        await building.play_events()


def _days(from_ms: int, until_ms: int) -> Sequence[int]:
    return range(from_ms - from_ms % 86_400_000 + 86_400_000, until_ms, 86_400_000)
