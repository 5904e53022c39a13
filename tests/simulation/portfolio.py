"""Small random portfolios: sites with their calendars, channels, and devices with the timeline of their registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.simulation.oracle.grid import LOCAL_DAY, Calendar, Grid, most_slots

Body = dict[str, Any]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


# From each instant on, seconds ahead of UTC. Both halves of 2024 hold a change of the first three.
ZONES: dict[str, list[list[int]]] = {
    "Europe/Berlin": [
        [instant("2023-10-29T01:00"), 3600],
        [instant("2024-03-31T01:00"), 7200],
        [instant("2024-10-27T01:00"), 3600],
    ],
    "America/New_York": [
        [instant("2023-11-05T06:00"), -18000],
        [instant("2024-03-10T07:00"), -14400],
        [instant("2024-11-03T06:00"), -18000],
    ],
    "Australia/Adelaide": [
        [instant("2023-09-30T16:30"), 37800],
        [instant("2024-04-06T16:30"), 34200],
        [instant("2024-10-05T16:30"), 37800],
    ],
    "Asia/Kolkata": [[0, 19800]],
}
BEGINNINGS = ("2024-02-20T00:00", "2024-09-10T00:00")  # sixty days from either see all three changes


@dataclass
class Site:
    """Where it is, its holidays, and whether the timetable closes it every day."""

    name: str
    zone: str
    holidays: list[str]
    has_daily_gate: bool

    def body(self) -> Body:
        return {
            "site": self.name,
            "time_zone": self.zone,
            "utc_offsets": [list(row) for row in ZONES[self.zone]],
            "holidays": list(self.holidays),
        }

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.body())


@dataclass
class ChannelPlan:
    """A channel as its configuration states it, and the size of what it measures in one slot."""

    name: str
    point: str
    site: Site
    kind: str
    unit: str
    interval_s: int | str
    grid_s: int | str
    allowance_s: int
    horizon_days: int
    signed: bool
    policy: Body
    scale: int

    def body(self) -> Body:
        return {
            "channel": self.name,
            "kind": self.kind,
            "unit": self.unit,
            "interval_s": self.interval_s,
            "grid_s": self.grid_s,
            "allowance_s": self.allowance_s,
            "horizon_days": self.horizon_days,
            "signed": self.signed,
            "policy": dict(self.policy),
        }

    @property
    def grid(self) -> Grid:
        return Grid(self.interval_s, self.site.calendar)

    @property
    def least_refused(self) -> int:
        """The smallest quantity of a slot that could make the sum of a window leave its bound."""
        return -(-(10**18) // most_slots(self.interval_s, self.grid_s))

    @property
    def slots_per_hour(self) -> float:
        return HOUR_MS / self.grid.length


@dataclass
class Device:
    """A meter: the raw partition of its key, its registers' timeline as configured now, and its heartbeat's habit."""

    name: str
    partition: int
    point: str
    site: Site
    channels: list[ChannelPlan]
    registers: list[Body] = field(default_factory=list)
    version: int = 0
    sequence: int = 0
    habit: str = "none"  # of its heartbeats: none, prompt, lagging, stuck
    moved: tuple[int, str] | None = None  # from an instant on it serves another supply point, as known by now

    def configuration(self, reason: str = "CONFIGURATION_RESTATED") -> Body:
        """The next version of its whole timeline."""
        self.version += 1
        return {
            "v": 1,
            "type": "configuration",
            "supply_point": self.point,
            "device": self.name,
            "version": self.version,
            "reason": reason,
            "registers": [dict(row) for row in self.registers],
            "channels": [channel.body() for channel in self.channels],
            "calendar": self.site.body(),
        }

    def feed(
        self, register: str, channel: ChannelPlan, role: str, from_ms: int, to_ms: int | None, **more: Any
    ) -> None:
        """Add a span to the timeline."""
        row = {"register": register, "channel": channel.name, "role": role, "from_ms": from_ms, "to_ms": to_ms}
        row |= {"multiplier": 1, "decimals": 0, "digits": None, "nano_per_count": 1, "max_nano_per_hour": None}
        self.registers.append(row | more)

    def serves(self, at: int) -> str:
        """The supply point it serves at an instant, as known by now."""
        return self.moved[1] if self.moved is not None and at >= self.moved[0] else self.point

    def rows(self, role: str) -> list[Body]:
        return [row for row in self.registers if row["role"] == role]


def make_sites(rng: Random, start: int) -> list[Site]:
    """One site of every zone, in random order; holidays fall where they fall."""
    zones = list(ZONES)
    rng.shuffle(zones)
    sites = []
    for number, zone in enumerate(zones):
        days = sorted(rng.sample(range(70), 5))
        holidays = [datetime.fromtimestamp(start / 1000 + day * 86_400, UTC).date().isoformat() for day in days]
        sites.append(Site(f"site-{number}", zone, holidays, has_daily_gate=rng.random() < 0.3))
    return sites


def draw_policy(rng: Random, *, is_daily: bool) -> Body:
    longest = [None, 86_400, 2 * 86_400] if is_daily else [None, 3600, 7200, 10_800]
    return {
        "interpolate_max_s": rng.choice(longest),
        "like_days": rng.choice([None, 1, 2, 3, 3, 4]),
        "spike_factor": rng.choice([None, 3, 5, 10]),
        "zero_run_s": rng.choice([None, 86_400, 86_400, 2 * 86_400] if is_daily else [None, 1800, 1800, 3600, 86_400]),
    }


def draw_scale(rng: Random, lengths: tuple[Any, Any]) -> int:
    """Typical nano per slot: mostly what meters say, sometimes as much as fits."""
    return rng.choice([10**3, 10**6, 10**8, 10**9, 4 * 10**9, 10**12, 10**15, 10**17 // most_slots(*lengths)])


def draw_channel(rng: Random, point: str, site: Site, name: str, kind: str, lengths: tuple[Any, Any]) -> ChannelPlan:
    is_daily = lengths[0] == LOCAL_DAY
    return ChannelPlan(
        name=name,
        point=point,
        site=site,
        kind=kind,
        unit=rng.choice(["kWh", "m3", "l"]),
        interval_s=lengths[0],
        grid_s=lengths[1],
        allowance_s=rng.choice([0, 0, 1800, 7200, 21_600]),
        horizon_days=rng.choice([9, 12, 16]),
        signed=rng.random() < 0.25,
        policy=draw_policy(rng, is_daily=is_daily),
        scale=draw_scale(rng, lengths),
    )
