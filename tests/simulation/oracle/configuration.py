"""A device's configuration: what it says, when it is refused, and what it changes (rules, section 2)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from tests.simulation.oracle.brackets import complete
from tests.simulation.oracle.grid import LOCAL_DAY, Calendar, Grid, is_possible
from tests.simulation.oracle.hardening import raise_base
from tests.simulation.oracle.model import (
    COVERING_ROLES,
    FEEDING_ROLES,
    FOREVER,
    Cause,
    Channel,
    Definition,
    Span,
    SupplyPoint,
    Value,
)
from tests.simulation.oracle.registers import (
    Difference,
    evaluate,
    place_spans,
    rederive,
    spans_of,
)
from tests.simulation.oracle.rows import Book

Record = dict[str, Any]


def parse_spans(record: Record) -> list[Span]:
    return [
        Span(
            device=record["device"],
            register=row["register"],
            channel=row["channel"],
            role=row["role"],
            from_ms=row["from_ms"],
            to_ms=FOREVER if row["to_ms"] is None else row["to_ms"],
            multiplier=row.get("multiplier", 1),
            decimals=row.get("decimals", 0),
            digits=row.get("digits"),
            nano_per_count=row.get("nano_per_count", 1),
            max_nano_per_hour=row.get("max_nano_per_hour"),
        )
        for row in record["registers"]
        if row["to_ms"] is None or row["from_ms"] < row["to_ms"]
    ]


def parse_definitions(record: Record) -> dict[str, Definition]:
    if not record["channels"]:
        return {}
    calendar = Calendar(record["calendar"])
    return {row["channel"]: _definition(row, calendar, record["version"]) for row in record["channels"]}


def _definition(row: Record, calendar: Calendar, version: int) -> Definition:
    policy = row.get("policy", {})
    interpolate_max_s = policy.get("interpolate_max_s")
    return Definition(
        kind=row["kind"],
        unit=row["unit"],
        interval_s=row["interval_s"],
        grid_s=row["grid_s"],
        allowance_ms=row.get("allowance_s", 0) * 1000,
        horizon_days=row.get("horizon_days", 35),
        signed=row.get("signed", False),
        interpolate_max_ms=None if interpolate_max_s is None else interpolate_max_s * 1000,
        like_days=policy.get("like_days"),
        spike_factor=policy.get("spike_factor"),
        zero_run_s=policy.get("zero_run_s"),
        calendar=calendar,
        version=version,
    )


# --- refusal


def is_consistent(point: SupplyPoint, spans: list[Span], definitions: dict[str, Definition]) -> bool:
    """Whether a configuration breaks no rule by itself, or against what its channels are."""
    for name, definition in definitions.items():
        if not _has_possible_grids(definition):
            return False
        known = point.channels.get(name)
        if known is not None and known.definition.identity != definition.identity:
            return False
    channels = {span.channel for span in spans}
    return not (channels - set(definitions) - set(point.channels)) and not overlap(spans)


def _has_possible_grids(definition: Definition) -> bool:
    interval, grid, calendar = definition.interval_s, definition.grid_s, definition.calendar
    if not is_possible(interval, calendar) or not is_possible(grid, calendar):
        return False
    if grid == LOCAL_DAY:
        return True
    return isinstance(grid, int) and isinstance(interval, int) and grid % interval == 0


def overlap(spans: list[Span]) -> bool:
    """Whether two spans that feed one channel, or two of one register, share an instant."""
    claims: dict[tuple[str, ...], list[Span]] = {}
    for span in spans:
        claims.setdefault((span.device, span.register), []).append(span)
        if span.role in FEEDING_ROLES:
            claims.setdefault((span.channel,), []).append(span)
    return any(_share_an_instant(claimants) for claimants in claims.values())


def _share_an_instant(spans: list[Span]) -> bool:
    spans = sorted((span for span in spans if span.from_ms < span.to_ms), key=lambda span: span.from_ms)
    return any(later.from_ms < earlier.to_ms for earlier, later in itertools.pairwise(spans))


# --- application


def configure(point: SupplyPoint, record: Record, cause: Cause, book: Book) -> list[Channel]:
    """Apply one configuration record, then those that waited for it; returns the channels they concerned."""
    name = record["device"]
    waits = point.waiting.get(name)
    last = max(point.device(name).version or 0, waits["version"] if waits else 0)
    if record["version"] <= last:
        return []
    verdict = judge(point, record)
    if verdict != "fits":
        book.finding("configuration_refused", "error", cause.carrier, point.name, "", name, (0, 0))
        if verdict == "overlaps":
            point.waiting[name] = record
        return []
    concerned = _apply(point, record, cause, book)
    while fitting := [who for who, held in sorted(point.waiting.items()) if judge(point, held) == "fits"]:
        waited = point.waiting.pop(fitting[0])
        concerned += _apply(
            point, waited, replace(cause, reason=waited.get("reason") or "CONFIGURATION_RESTATED"), book
        )
    return concerned


def judge(point: SupplyPoint, record: Record) -> str:
    """`fits`, `overlaps` (nothing is wrong with it but what other devices cover) or `wrong`."""
    spans, definitions = parse_spans(record), parse_definitions(record)
    if not is_consistent(point, spans, definitions):
        return "wrong"
    others = [span for name, other in point.devices.items() if name != record["device"] for span in other.spans]
    return "overlaps" if overlap(others + spans) else "fits"


def _apply(point: SupplyPoint, record: Record, cause: Cause, book: Book) -> list[Channel]:
    name = record["device"]
    device = point.device(name)
    point.waiting.pop(name, None)
    spans, definitions = parse_spans(record), parse_definitions(record)
    former = device.spans
    device.version, device.spans = record["version"], spans
    mine = sorted(key for key in point.streams if key[0] == name)
    differences = [evaluate(point.streams[key], spans_of(point, *key)) for key in mine]
    names = sorted({span.channel for span in former + spans} | set(definitions))
    for channel_name in names:
        channel = _define(point, channel_name, definitions.get(channel_name))
        restate_evidence(channel, name, former, cause, book)
        follow_back(point, channel)
        restate_registers(point, channel, differences)
        complete(point, channel, cause, book)
        if is_further_device(point, channel, name, former):
            book.finding("exchange", "info", cause.carrier, point.name, channel_name, name, (0, 0))
    return [point.channels[channel_name] for channel_name in names]


def _define(point: SupplyPoint, name: str, definition: Definition | None) -> Channel:
    """The channel, new or with its latest definition, and all spans that now feed it."""
    channel = point.channels.get(name)
    if channel is None:
        assert definition is not None
        slots, windows = Grid(definition.interval_s, definition.calendar), Grid(definition.grid_s, definition.calendar)
        channel = point.channels[name] = Channel(point.name, name, definition, slots, windows)
    elif definition is not None:
        channel.definition = definition
        channel.slots = Grid(definition.interval_s, definition.calendar)
        channel.windows = Grid(definition.grid_s, definition.calendar)
    channel.spans = [span for device in point.devices.values() for span in device.spans if span.channel == name]
    return channel


def is_further_device(point: SupplyPoint, channel: Channel, device: str, former: list[Span]) -> bool:
    """Whether this configuration gave the channel a device beside one that feeds it already."""
    feeding = {span.device for span in channel.spans if span.role in FEEDING_ROLES}
    fed_before = any(span.channel == channel.name and span.role in FEEDING_ROLES for span in former)
    return device in feeding and not fed_before and len(feeding) > 1


def follow_back(point: SupplyPoint, channel: Channel) -> None:
    """Where the watermark starts, and goes back to while nothing was hardened and no evidence is held."""
    earliest = earliest_expected(channel)
    if earliest is not None:
        start = channel.floor(earliest)
        if channel.watermark is None:
            channel.watermark = start
        is_untouched = not channel.standing and not channel.live
        if is_untouched and start < channel.watermark and not any(v.is_evidence for v in channel.values.values()):
            channel.watermark, channel.base = start, None
            for stream in point.streams_of(channel, "check"):
                stream.completed = {key for key in stream.completed if key[1] <= start}
    if channel.watermark is not None:
        raise_base(channel)


def earliest_expected(channel: Channel) -> int | None:
    """The start of the first expected slot; of read-to-read spans, the first instant they may start at."""
    if channel.is_spans:
        return min((span.from_ms for span in channel.spans if span.role == "spans"), default=None)
    firsts = [
        (channel.slots.ceiling(span.from_ms), span.to_ms) for span in channel.spans if span.role in COVERING_ROLES
    ]
    return min((first for first, to_ms in firsts if first < to_ms), default=None)


def restate_evidence(channel: Channel, device: str, former: list[Span], cause: Cause, book: Book) -> None:
    """Step 1: withdraw what this device's spans no longer cover, restate what a new multiplier changes."""
    for slot, value in sorted(channel.values.items()):
        if not value.is_evidence:
            if not channel.expects(slot):
                channel.put(slot, None)  # an estimate of a slot that is no longer expected stands for nothing
            continue
        if value.device != device:
            continue
        span = _same(channel.spans, value, slot)
        if span is None:
            channel.put(slot, None)
            continue
        before = _same([span for span in former if span.channel == channel.name], value, slot)
        if before is not None and before.multiplier != span.multiplier and span.role == "intervals":
            _remultiply(channel, slot, value, before.multiplier, span, cause, book)


def _same(spans: list[Span], value: Value, slot: int) -> Span | None:
    """The span of the value's own device and register that contains the slot."""
    mine = (span for span in spans if (span.device, span.register) == (value.device, value.register))
    return next((span for span in mine if span.role in COVERING_ROLES and span.contains(slot)), None)


def _remultiply(channel: Channel, slot: int, value: Value, old: int, span: Span, cause: Cause, book: Book) -> None:
    """A delivered quantity under another multiplier; what a person stated was stated after it, and stays."""
    if value.method == "MANUAL_EDIT":
        return
    quantity = value.quantity // old * span.multiplier
    if channel.definition.is_within(quantity):
        channel.put(slot, replace(value, quantity=quantity))
        return
    channel.put(slot, None)
    end = channel.slots.after(slot)
    book.finding("out_of_range", "reject", cause.carrier, channel.supply_point, channel.name, span.device, (slot, end))


def restate_registers(point: SupplyPoint, channel: Channel, differences: list[Difference]) -> None:
    """Step 2: this device's streams were linked anew; what the channel's streams give is derived anew."""
    for difference in differences:
        place_spans(channel, difference.of(channel, "spans"))
    if channel.base is not None:
        reads = [at for stream in point.streams_of(channel, "totals") for at in stream.instants]
        evidence = [slot + 1 for slot, value in channel.values.items() if value.is_evidence]
        rederive(point, channel, channel.base, max([*reads, *evidence], default=channel.base))
