"""What the oracle knows: plain records, and dictionaries keyed by instants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.simulation.oracle.grid import Calendar, Grid, most_slots

LIMIT = 10**18
HOUR_MS = 3_600_000
RING_MS = 7 * 86_400_000  # how far ahead of its watermark a channel remembers slots
TOLERANCE_MS = 300_000  # how far the clock of a source may be ahead of the time of receipt
FOREVER = 1 << 62  # an open end

QUALITIES = ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")  # best first
RANK = {quality: rank for rank, quality in enumerate(QUALITIES)}
COVERING_ROLES = ("intervals", "totals")
FEEDING_ROLES = ("intervals", "totals", "spans")
REGISTER_ROLES = ("totals", "check", "spans")

Carrier = tuple[int, int, int]  # raw partition, raw offset, sub-index
Key = tuple[int, int]  # a window or span: start, end


def is_firm(quality: str) -> bool:
    """Better than ESTIMATED."""
    return RANK[quality] < RANK["ESTIMATED"]


def worst(qualities: list[str]) -> str:
    """The worst of some qualities; of none, none."""
    return max(qualities, key=RANK.__getitem__, default="")


@dataclass(frozen=True)
class Cause:
    """The unit or control record that is being applied. `reason` is the configuration's own."""

    kind: str  # read, edit, heartbeat, gate, configuration
    carrier: Carrier
    reason: str = ""


@dataclass(frozen=True)
class Span:
    """This register of this device feeds this channel, in this role, from one instant to another."""

    device: str
    register: str
    channel: str
    role: str
    from_ms: int
    to_ms: int
    multiplier: int
    decimals: int
    digits: int | None
    nano_per_count: int
    max_nano_per_hour: int | None

    def contains(self, instant: int) -> bool:
        return self.from_ms <= instant < self.to_ms

    def touches(self, instant: int) -> bool:
        """As `contains`, with the closing instant: a register is read when it is taken down."""
        return self.from_ms <= instant <= self.to_ms


@dataclass(frozen=True)
class Definition:
    """What the latest accepted configuration says about a channel."""

    kind: str
    unit: str
    interval_s: int | str
    grid_s: int | str
    allowance_ms: int
    horizon_days: int
    signed: bool
    interpolate_max_ms: int | None
    like_days: int | None
    spike_factor: int | None
    zero_run_s: int | None
    calendar: Calendar
    version: int

    @property
    def identity(self) -> tuple[object, ...]:
        """What may never change."""
        grids = (Grid(self.interval_s, self.calendar), Grid(self.grid_s, self.calendar))
        anchors = tuple(grid.anchor for grid in grids)
        return (self.kind, self.unit, self.interval_s, self.grid_s, self.horizon_days, anchors)

    def is_within(self, quantity: int) -> bool:
        """Whether a slot may hold it: so many that no sum of a window can leave its bound."""
        return abs(quantity) * most_slots(self.interval_s, self.grid_s) < LIMIT


@dataclass(frozen=True)
class Value:
    """What stands in a slot (or in a read-to-read span): evidence, or our own estimate or MISSING (quantity 0)."""

    quantity: int
    quality: str
    method: str
    is_evidence: bool
    version: int = -1
    device: str = ""
    register: str = ""
    missing_reason: str = ""

    @property
    def content(self) -> tuple[int, str, bool]:
        """What makes it another value: a slot has *changed* when one of these has."""
        return (self.quantity, self.quality, self.is_evidence)


@dataclass(frozen=True)
class Summary:
    """A window as the sum of its slots."""

    quantity: int
    counts: tuple[int, ...]  # in the order of QUALITIES
    quality: str
    methods: tuple[str, ...]
    missing_reason: str


@dataclass(frozen=True)
class Standing:
    """What was last said of a window, and how often it was revised."""

    revision: int
    summary: Summary


@dataclass(frozen=True)
class Read:
    """A stored register read."""

    at: int
    count: int
    decimals: int
    quality: str
    version: int
    is_reset: bool
    is_refused: bool = False

    def scaled(self, span: Span) -> int:
        """The count in the last digit of the span's register."""
        places = span.decimals - self.decimals
        return self.count * 10**places if places >= 0 else self.count // 10**-places


@dataclass(frozen=True)
class Segment:
    """The advance of a register between two consecutive good reads."""

    start: int
    end: int
    total: int
    qualities: tuple[str, str]
    span: Span

    def until(self, instant: int) -> int:
        """The cumulative total at an instant, held to the segment's ends."""
        inside = min(max(instant, self.start), self.end)
        return self.total * (inside - self.start) // (self.end - self.start)

    @property
    def key(self) -> tuple[int, int, int]:
        return (self.start, self.end, self.total)


@dataclass(frozen=True)
class Link:
    """A read's place in the chain: good, or why not; the segment that ends at it, if one does."""

    is_good: bool
    fault: str = ""
    is_rollover: bool = False
    segment: Segment | None = None


@dataclass
class Stream:
    """All stored reads of one register of one device, by instant, and the chain as last evaluated."""

    device: str
    register: str
    reads: dict[int, Read] = field(default_factory=dict)
    instants: list[int] = field(default_factory=list)  # sorted keys of `reads`
    links: dict[int, Link] = field(default_factory=dict)
    completed: set[tuple[int, int, int]] = field(default_factory=set)  # keys of brackets that became complete
    reconciled: set[tuple[int, int, int]] = field(default_factory=set)  # keys of those that were compared

    @property
    def segments(self) -> list[Segment]:
        links = [self.links[instant] for instant in self.instants]
        return [link.segment for link in links if link.segment is not None]


@dataclass
class Channel:
    """One measured quantity of a supply point."""

    supply_point: str
    name: str
    definition: Definition
    slots: Grid
    windows: Grid
    spans: list[Span] = field(default_factory=list)
    watermark: int | None = None
    base: int | None = None
    latest_end: int | None = None
    values: dict[int, Value] = field(default_factory=dict)  # by slot start
    live: dict[Key, Value] = field(default_factory=dict)  # kind spans: the spans that exist
    before: dict[int, Value | None] = field(default_factory=dict)  # slots touched since the last settling
    before_live: dict[Key, Value | None] = field(default_factory=dict)
    standing: dict[Key, Standing] = field(default_factory=dict)
    restated: dict[int, tuple[int, int]] = field(default_factory=dict)  # start -> quantity, revision

    @property
    def is_spans(self) -> bool:
        return self.definition.kind == "spans"

    def expects(self, instant: int) -> bool:
        return any(span.from_ms <= instant < span.to_ms for span in self.spans if span.role in COVERING_ROLES)

    def covering(self, instant: int) -> Span:
        """The span that makes the channel expect this slot."""
        return next(span for span in self.spans if span.role in COVERING_ROLES and span.contains(instant))

    def evidence(self, start: int) -> Value | None:
        """The evidence in a slot that is still remembered."""
        value = self.values.get(start)
        return value if value is not None and value.is_evidence else None

    def firm(self, start: int) -> int | None:
        """The quantity of evidence better than ESTIMATED."""
        value = self.evidence(start)
        return value.quantity if value is not None and is_firm(value.quality) else None

    def put(self, start: int, value: Value | None) -> None:
        """Place or withdraw a value; what stood there before is kept until the window is settled."""
        self.before.setdefault(start, self.values.get(start))
        if value is None:
            self.values.pop(start, None)
        else:
            self.values[start] = value

    def put_live(self, key: Key, value: Value | None) -> None:
        self.before_live.setdefault(key, self.live.get(key))
        if value is None:
            self.live.pop(key, None)
        else:
            self.live[key] = value

    def floor(self, instant: int) -> int:
        """Floored to a window; a channel of read-to-read spans has none to floor to."""
        return instant if self.is_spans else self.windows.floor(instant)

    @property
    def current_device(self) -> str | None:
        feeding = [span for span in self.spans if span.role in FEEDING_ROLES]
        return max(feeding, key=lambda span: span.from_ms).device if feeding else None


@dataclass
class Device:
    """What a supply point knows of a device."""

    version: int | None = None
    spans: list[Span] = field(default_factory=list)
    sequence: int | None = None
    complete_through: int | None = None


@dataclass
class SupplyPoint:
    name: str
    devices: dict[str, Device] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)  # records that overlap another device's, by device

    def device(self, name: str) -> Device:
        return self.devices.setdefault(name, Device())

    def streams_of(self, channel: Channel, role: str) -> list[Stream]:
        """The register streams that feed a channel in a role, in the order of (device, register)."""
        names = sorted({(span.device, span.register) for span in channel.spans if span.role == role})
        return [self.streams[name] for name in names if name in self.streams]
