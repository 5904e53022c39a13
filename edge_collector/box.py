"""A collector with everything around it, as it runs on its box: polling, outbox, publishing, requests, metrics; put together here.

site.toml ─▶ Collector ─▶ Outbox ─▶ Drain ─▶ log
                 ▲           ▲
                 └─ Answering ◀─ requests (command line, Kafka)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Final

from edge_collector.answering import LOOK_MS, Answering
from edge_collector.collector import Collector
from edge_collector.line import LONGEST_SLEEP_MS, WorkingClock
from edge_collector.metrics import Metrics, OutboxDepth
from edge_collector.outbox import Outbox
from edge_collector.outbox_bounds import Bounds
from edge_collector.publishing import IDLE_MS, Drain, Publisher
from edge_collector.requests import Requests
from edge_collector.site import PublishKind, PublishSite, Site
from edge_collector.status import UnableToShow, read_status

DAY_MS: Final = 86_400_000

logger = logging.getLogger(__name__)


class UnableToReload(Exception):
    """The new configuration changes what only a restart can: the collector's name, its outbox, its log, or its metrics port."""


class Box:
    """One site's collector. `run` until `stop`; raises what `Outbox` raises when it cannot be opened.

    `look_ms`: how often requests are looked for; `idle_ms`: how often the outbox is, beside being told of
    every commit (`is_told`).
    `longest_sleep_ms`: a step of the clock is noticed after so long at the latest.
    """

    def __init__(
        self,
        site: Site,
        clock: WorkingClock,
        random: Random,
        publisher: Publisher | None = None,
        look_ms: float = LOOK_MS,
        idle_ms: float = IDLE_MS,
        longest_sleep_ms: float = LONGEST_SLEEP_MS,
        is_told: bool = True,
    ) -> None:
        self.site, self._clock, self._look_ms = site, clock, look_ms
        bounds = Bounds(site.outbox.max_bytes, reads_ms=site.outbox.max_age_days * DAY_MS)
        self.outbox = Outbox(site.outbox.path, site.collector, clock.now_ms, bounds, site.pace.interval_ms)
        self.metrics = Metrics()
        self.metrics.watch_outbox(self._depth)
        self.requests = Requests(requests_path(site.outbox.path))
        self._publisher = publisher or publisher_for(site.publish, clock.now_ms)
        self.drain = Drain(self.outbox, self._publisher, clock, random, self.metrics, idle_ms=idle_ms, is_told=is_told)
        self.collector = Collector(site, clock, self.outbox, self.metrics, longest_sleep_ms)
        self._answering = Answering(self.requests, self.outbox, self.collector, clock)

    async def run(self) -> None:
        """Until stopped; what is committed then waits in the outbox for the next start."""
        async with AsyncExitStack() as around:
            around.callback(self.outbox.close)
            around.push_async_callback(self._publisher.close)
            if self.site.metrics_port is not None:
                around.callback(self.metrics.serve(self.site.metrics_port))
            beside = [asyncio.create_task(self.drain.run(self._clock.participant), name="drain")]
            if self._look_ms:
                beside.append(asyncio.create_task(self._answering.run(self._look_ms), name="answering"))
            if self.site.publish.kind is PublishKind.KAFKA:
                beside.append(asyncio.create_task(self._take_requests(), name="requests"))
            around.push_async_callback(_end, beside)
            polling = asyncio.create_task(self.collector.run(), name="collector")
            done, _ = await asyncio.wait({polling, *beside}, return_when=asyncio.FIRST_COMPLETED)
            if polling not in done:
                await self.collector.stop()
            await asyncio.gather(*done)

    async def stop(self) -> None:
        """Cycles that have begun are committed; then `run` returns."""
        await self.collector.stop()

    async def reload(self, site: Site) -> None:
        """Poll as another configuration says, without losing a boundary. Raises UnableToReload."""
        for name in ("collector", "outbox", "publish", "metrics_port"):
            if getattr(site, name) != getattr(self.site, name):
                raise UnableToReload(
                    f"`{name}` has changed, which takes a restart; nothing of the new file is in force"
                )
        await self.collector.reload(site)
        self.site = site

    def _depth(self) -> OutboxDepth:
        try:
            status = read_status(self.site.outbox.path, self._clock.now_ms())
        except UnableToShow:
            return OutboxDepth(0, float("nan"))
        return OutboxDepth(sum(sum(kinds.values()) for kinds in status.depth.values()), (status.age_ms or 0) / 1000)

    async def _take_requests(self) -> None:
        from edge_collector.from_kafka import FromKafka

        await FromKafka(
            _kafka_settings(self.site.publish), self.site.collector, self.requests, self._clock.now_ms
        ).run()


def requests_path(outbox: Path) -> Path:
    """Where requests to the collector with this outbox are written."""
    return outbox.with_name(outbox.stem + ".requests.db")


def publisher_for(site: PublishSite, now_ms: Callable[[], int]) -> Publisher:
    """The log that a site publishes to."""
    if site.kind is PublishKind.KAFKA:
        from edge_collector.to_kafka import ToKafka  # here, as its library is only on boxes that need it

        return ToKafka(_kafka_settings(site))
    from edge_collector.to_file_log import ToFileLog

    assert site.data is not None  # `site_load` saw to it
    return ToFileLog(site.data, now_ms)


def _kafka_settings(site: PublishSite) -> dict[str, str]:
    return {**site.options, "bootstrap.servers": site.bootstrap_servers or ""}


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
