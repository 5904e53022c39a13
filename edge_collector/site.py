"""What a collector is to do: its links, the units on them, and where everything goes. `site_load.py` makes it from `site.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from edge_collector.link import Timing
from edge_collector.plan import Plan
from edge_collector.profile import Profile
from edge_collector.transport import Transport

INTERVAL_S: Final = 900
TOLERANCE_S: Final = 60
MAX_OUTBOX_BYTES: Final = 256 * 1024 * 1024
MAX_AGE_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class UnitSite:
    """One meter on a link. `profile` holds what is read of it and no more, with absolute addresses; `plan`, how.

    `unit` is its Modbus unit id; `serial` pins the serial number, null: the first one seen. `profile_name` is as the site gives it.
    """

    device: str
    unit: int
    profile: Profile
    plan: Plan
    serial: str | None = None
    profile_name: str = ""


@dataclass(frozen=True, slots=True)
class LinkSite:
    """One transport with the units behind it, in the order in which they are asked."""

    name: str
    transport: Transport
    timing: Timing
    units: tuple[UnitSite, ...]


class PublishKind(StrEnum):
    """Which log the records go to."""

    FILE_LOG = "file-log"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class PublishSite:
    """`data`: the directory of a file log; `bootstrap_servers` and `options` (the client's own): a Kafka cluster."""

    kind: PublishKind
    data: Path | None = None
    bootstrap_servers: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboxSite:
    """Bounds of what waits for its delivery, and of what is kept for re-reads."""

    path: Path
    max_bytes: int = MAX_OUTBOX_BYTES
    max_age_days: int = MAX_AGE_DAYS


@dataclass(frozen=True, slots=True)
class Pace:
    """When is read: totals at each boundary of `interval_ms`, measurements at each of `telemetry_ms`, all counted from the epoch.

    A read more than `tolerance_ms` after its boundary is flagged as late.
    """

    interval_ms: int = INTERVAL_S * 1000
    tolerance_ms: int = TOLERANCE_S * 1000
    telemetry_ms: int = INTERVAL_S * 1000


@dataclass(frozen=True, slots=True)
class Site:
    """A collector's whole configuration. `metrics_port` null: no metrics are served."""

    collector: str
    pace: Pace
    outbox: OutboxSite
    publish: PublishSite
    links: tuple[LinkSite, ...]
    metrics_port: int | None = None

    def units(self) -> Iterator[tuple[LinkSite, UnitSite]]:
        """Every unit with its link."""
        for link in self.links:
            for unit in link.units:
                yield link, unit
