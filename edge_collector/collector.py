"""All lines of a site, each with a worker of its own; and what one may ask of the whole: begin, end, another configuration, a read now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from edge_collector.answering import UnableToReadAgain
from edge_collector.guard import Guard
from edge_collector.line import LONGEST_SLEEP_MS, Line, Store, WorkingClock
from edge_collector.metrics import Metrics
from edge_collector.poll import Unit
from edge_collector.reading import RegisterReading
from edge_collector.site import LinkSite, Site
from edge_collector.transport import Transport

logger = logging.getLogger(__name__)


class Collector:
    """Polls a site. `run` until `stop` was called; both may be used once. Satisfies `answering.Meters`.

    `longest_sleep_ms`: a step of the clock is noticed after so long at the latest.
    """

    def __init__(
        self,
        site: Site,
        clock: WorkingClock,
        store: Store,
        metrics: Metrics | None = None,
        longest_sleep_ms: float = LONGEST_SLEEP_MS,
    ) -> None:
        self.site = site
        self.metrics = metrics or Metrics()
        self._clock = clock
        self._longest_sleep_ms = longest_sleep_ms
        self._store = store
        self._lines: dict[str, Line] = {}
        self._guards: dict[Transport, Guard] = {}
        self._stopped = asyncio.Event()
        self._changing = asyncio.Lock()

    @property
    def lines(self) -> Mapping[str, Line]:
        """The workers, by the name of their link."""
        return self._lines

    async def run(self) -> None:
        """Begin, and return when stopped."""
        await self.start()
        with self._clock.waiting():
            await self._stopped.wait()

    async def start(self) -> None:
        """Begin, and return."""
        async with self._changing:
            for link in self.site.links:
                self._begin(link)

    async def stop(self) -> None:
        """Cycles that have begun are finished and committed."""
        async with self._changing:
            await asyncio.gather(*(line.stop() for line in self._lines.values()))
            self._lines.clear()
        self._stopped.set()

    async def reload(self, site: Site) -> None:
        """Follow another configuration of the same collector. Lines that are as they were go on undisturbed.

        A line that changed finishes its cycle, and its successor knows which boundary was polled last: it polls none twice, and one that
        has come meanwhile at once. The outbox and where it is published to are not the collector's to change.
        """
        async with self._changing:
            wanted = {link.name: link for link in site.links}
            going = [
                line
                for line in self._lines.values()
                if (wanted.get(line.site.name), site.pace) != (line.site, line.pace)
            ]
            await asyncio.gather(*(line.stop() for line in going))
            for line in going:
                del self._lines[line.site.name]
            self._forget({unit.device for _, unit in site.units()}, going)
            self.site = site
            for link in site.links:
                if link.name not in self._lines:
                    self._begin(link)
        logger.info(
            "reloaded: %d of %d lines began anew", len(set(wanted) & {line.site.name for line in going}), len(wanted)
        )

    async def read_now(self, device: str) -> Sequence[RegisterReading]:
        """The device's billing registers at this moment. Raises `UnableToReadAgain`."""
        line, unit = self._find(device)
        return await line.read_now(unit)

    async def reread(self, device: str, from_ms: int, to_ms: int) -> Sequence[RegisterReading]:
        """What the device's load profile holds of boundaries in [from, to). Raises `UnableToReadAgain`."""
        line, unit = self._find(device)
        return await line.reread(unit, from_ms, to_ms)

    def _begin(self, link: LinkSite) -> None:
        guard, longest_ms = self._guards.get(link.transport), self._longest_sleep_ms
        line = Line(link, self.site.pace, self._clock, self._store, self.metrics, guard, longest_ms)
        self._guards[link.transport] = line.link.guard
        self._lines[link.name] = line
        line.start()

    def _forget(self, kept: set[str], going: Sequence[Line]) -> None:
        for line in going:
            for unit in line.units:
                if unit.device not in kept:
                    self.metrics.forget(line.site.name, unit.device)

    def _find(self, device: str) -> tuple[Line, Unit]:
        for line in self._lines.values():
            for unit in line.units:
                if unit.device == device:
                    return line, unit
        raise UnableToReadAgain(f"{device} is not a device of this site")
