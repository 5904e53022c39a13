"""What people say: edits with a person and a reason, and restatements of what lies beyond the horizon."""

from collections.abc import Mapping
from typing import Any

from state.channel import Channel
from state.codes import ACTUAL, CORRECTED, MANUAL_EDIT, QUALITY_OF, QUANTITY_BOUND, SUBSTITUTED, methods_text
from state.configuration import INTERVALS
from state.evidence import NO_VERSION, verdict_on
from state.grid import LOCAL_DAY
from state.intervals import put_evidence
from state.judging import Arrival
from state.register_reads import apply_change
from state.settlement import emit_adjustment
from state.supply_point import SupplyPoint
from state.unit import Unit


def replace_interval(
    point: SupplyPoint, arrival: Arrival, channel_name: str, replaces: int, nano: int, unit: Unit
) -> str:
    """`edit` `replace`: evidence that outranks exactly the version it names. Returns its verdict."""
    channel = point.channels.get(channel_name)
    if channel is None:
        arrival.refuse("unconfigured", unit)
        return arrival.emit(unit)
    native = channel.definition.native
    slot = native.slot_of(arrival.start_ms)
    off_grid_ms = arrival.start_ms - native.start_ms(slot)
    arrival.end_ms = native.start_ms(slot + 1)
    if channel.definition.interval_s != LOCAL_DAY:
        arrival.end_ms += off_grid_ms
    if channel.definition.kind != INTERVALS:
        arrival.channel = channel_name
        arrival.refuse("edit_refused", unit, why="its intervals follow from register reads: refuse or correct a read")
        return arrival.emit(unit)
    if channel.span_expecting(arrival.start_ms) is None:
        arrival.refuse("unconfigured", unit)
        return arrival.emit(unit)
    arrival.channel = channel_name
    if off_grid_ms:
        arrival.refuse("misaligned", unit)
    elif not channel.fits(nano):
        arrival.refuse("out_of_range", unit)
    elif arrival.start_ms < channel.base_ms:
        arrival.quantity_nano = nano
        arrival.beyond_horizon(unit)
    elif not point.make_room(channel, arrival.start_ms, unit, may_move=False):
        arrival.quantity_nano = nano
        arrival.refuse("ahead_of_ring", unit)
    else:
        arrival.quantity_nano = nano
        _replace(channel, slot, arrival, replaces, nano, unit)
    return arrival.emit(unit)


def _replace(channel: Channel, slot: int, arrival: Arrival, replaces: int, nano: int, unit: Unit) -> None:
    held = channel.slots.get(slot)
    in_force = held.version if held.evidence else NO_VERSION
    span = channel.span_expecting(arrival.start_ms)
    if replaces != in_force or span is None:
        arrival.refuse("edit_stale", unit, replaces_version=replaces, version_in_force=in_force)
        return
    incumbent = (held.version, held.quality, held.quantity_nano) if held.evidence else None
    arrival.version = replaces + 1
    arrival.verdict = verdict_on(incumbent, (arrival.version, SUBSTITUTED, nano))
    put_evidence(channel, slot, span, (nano, SUBSTITUTED, MANUAL_EDIT, arrival.version), arrival, unit)


def refuse_read(point: SupplyPoint, arrival: Arrival, unit: Unit) -> str:
    """`edit` `refuse_read`: take a register read out of its chain. Returns its verdict."""
    stream = point.streams.get((arrival.device, arrival.register))
    change = stream.refuse(arrival.start_ms) if stream is not None else None
    if change is None:
        arrival.refuse("edit_stale", unit)
        return arrival.emit(unit)
    arrival.verdict = CORRECTED
    arrival.emit(unit)
    apply_change(point, change, unit)
    return arrival.verdict


def restate(point: SupplyPoint, record: Mapping[str, Any], unit: Unit) -> None:
    """`restatement`: adjust windows before the base to what replay found; a row that does not fit is refused."""
    name = str(record["channel"])
    channel = point.channels.get(name)
    if point.memory_days:
        return  # a replay that remembers longer has the evidence itself
    for row in record["rows"]:
        start_ms, end_ms, revision = int(row["start_ms"]), int(row["end_ms"]), int(row["revision"])
        old, new = int(row["old_nano"]), int(row["new_nano"])
        remembered = point.restated.get((name, start_ms, end_ms))
        agrees = remembered in (None, (old, revision))
        if channel is None or end_ms > channel.base_ms or not agrees or abs(new) >= QUANTITY_BOUND:
            key = (point.name, name, unit.device)
            unit.finding("restatement_refused", "error", key, start_ms, end_ms, revision=revision, old_nano=old)
        elif old != new:
            point.restated[name, start_ms, end_ms] = (new, revision + 1)
            quality = QUALITY_OF[str(row["quality"])]
            counts = tuple(int(quality == rank) for rank in range(ACTUAL, 0, -1))
            standing = (*counts, str(row["quality"]), methods_text(0), "")
            emit_adjustment(channel, (start_ms, end_ms, revision + 1), (old, new), standing, "CORRECTED_READ", unit)
