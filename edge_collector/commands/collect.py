"""`collect`: poll a site until told to stop."""

import asyncio
import logging
import signal
import sqlite3
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from edge_collector.box import Box, UnableToReload
from edge_collector.commands.saying import ConfigOption, err, fail, out, site_at
from edge_collector.outbox import OutboxIsOwned
from edge_collector.site import PublishKind, Site
from edge_collector.site_load import UnableToLoadSite, load_site
from edge_collector.system_clock import SystemClock

logger = logging.getLogger(__name__)


def collect(
    config: ConfigOption,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the configuration is right.")] = False,
) -> None:
    """Read a site's meters at every boundary and publish what they show, until interrupted. SIGHUP takes a changed configuration."""
    site = site_at(config)
    out.print(_summary(site), soft_wrap=True)
    if check:
        return
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    try:
        asyncio.run(_collect(site, config))
    except OutboxIsOwned as error:
        raise fail(f"{error}; one collector at a time") from error
    except (OSError, sqlite3.Error) as error:
        raise fail(f"{error}") from error
    err.print("stopped; what was not published waits in the outbox")


def _summary(site: Site) -> str:
    where = site.publish.bootstrap_servers if site.publish.kind is PublishKind.KAFKA else site.publish.data
    lines, units = len(site.links), sum(len(link.units) for link in site.links)
    return (
        f"{site.collector}: {units} units on {lines} lines, every {site.pace.interval_ms // 1000} s; "
        f"outbox {site.outbox.path}; publishing to {site.publish.kind} {where}"
    )


async def _collect(site: Site, config: Path) -> None:
    box = Box(site, SystemClock(), Random())
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def begin(work: str) -> None:
        task = loop.create_task(box.stop() if work == "stop" else _reload(box, config))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, begin, "stop")
    loop.add_signal_handler(signal.SIGHUP, begin, "reload")
    await box.run()


async def _reload(box: Box, config: Path) -> None:
    """A file that is wrong changes nothing."""
    try:
        await box.reload(load_site(config))
    except (UnableToLoadSite, UnableToReload) as error:
        logger.error("not reloaded: %s", error)
