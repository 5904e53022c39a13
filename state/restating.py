"""Applying a configuration: what it withdraws, rescales and derives again becomes adjustments (docs/rules.md section 2)."""

from collections.abc import Mapping
from typing import Any

from state import spans
from state.brackets import note_brackets, settle_with_brackets
from state.channel import Channel
from state.codes import MANUAL_EDIT
from state.configuration import (
    FEEDING_ROLES,
    INTERVALS,
    REGISTER_ROLES,
    TOTALS,
    DeviceView,
    OverlapsAnother,
    RegisterSpan,
    UnableToConfigure,
    read_device_view,
    refuse_overlaps,
)
from state.hardening import clear_unexpected, refill
from state.register_reads import current_spans
from state.registers import Change, Stream
from state.supply_point import SupplyPoint
from state.totals import derive_slots
from state.unit import CONFIGURATION, Unit


def apply_configuration(point: SupplyPoint, record: Mapping[str, Any], unit: Unit) -> None:
    """Replace what the supply point knows of one device; a contradiction refuses the record whole, with a finding.

    One that only overlaps another device's coverage waits until that device gives way.
    """
    if not _is_newer(point, record):
        return
    try:
        view = _acceptable(point, record)
    except (UnableToConfigure, KeyError, TypeError, ValueError) as error:
        device = str(record["device"])
        unit.finding("configuration_refused", "error", (point.name, "", device), 0, 0, why=str(error))
        if isinstance(error, OverlapsAnother):
            point.waiting[device] = dict(record)
        return
    _put_in_force(point, view, unit)
    while any(_put_waiting_in_force(point, device, unit) for device in sorted(point.waiting)):
        pass


def _is_newer(point: SupplyPoint, record: Mapping[str, Any]) -> bool:
    """Above the version in force for its device, and above one that waits."""
    device, version = str(record["device"]), int(record["version"])
    view, waiting = point.views.get(device), point.waiting.get(device)
    return (view is None or version > view.version) and (waiting is None or version > int(waiting["version"]))


def _put_waiting_in_force(point: SupplyPoint, device: str, unit: Unit) -> bool:
    """Try a configuration that waits; True if it no longer overlaps another and is in force now."""
    try:
        view = _acceptable(point, point.waiting[device])
    except UnableToConfigure:
        return False
    unit.device = device
    _put_in_force(point, view, unit)
    return True


def _acceptable(point: SupplyPoint, record: Mapping[str, Any]) -> DeviceView:
    """The record's view; `UnableToConfigure` if it contradicts itself or what is in force."""
    view = read_device_view(record)
    _refuse_changes(point, view)
    return view


def _put_in_force(point: SupplyPoint, view: DeviceView, unit: Unit) -> None:
    before = point.views.get(view.device)
    unit.reason = view.reason
    point.edition += 1
    point.views[view.device] = view
    point.waiting.pop(view.device, None)
    known = set(point.channels)
    _define(point, view, unit)
    changes = _configure_streams(point, view, before)
    has_reads = any(len(stream.reads) for stream in point.streams.values())
    names = {span.channel for span in (*view.spans, *(before.spans if before else ()))}
    for name in sorted(names | {definition.channel for definition in view.channels}):
        if name in known or has_reads:  # a channel begins with nothing to restate
            _restate_channel(point, point.channels[name], view, before, changes, unit)


def _refuse_changes(point: SupplyPoint, view: DeviceView) -> None:
    for definition in view.channels:
        channel = point.channels.get(definition.channel)
        if channel is not None and channel.definition.unchangeable() != definition.unchangeable():
            raise UnableToConfigure(
                f"channel {definition.channel} may not change {channel.definition.unchangeable()} "
                f"to {definition.unchangeable()}: a new grid is a new channel"
            )
    refuse_overlaps(view.spans)
    others = [span for device, other in point.views.items() if device != view.device for span in other.spans]
    try:
        refuse_overlaps([*others, *view.spans])
    except UnableToConfigure as error:
        raise OverlapsAnother(str(error)) from error


def _define(point: SupplyPoint, view: DeviceView, unit: Unit) -> None:
    for definition in view.channels:
        channel = point.channels.get(definition.channel)
        if channel is None:
            channel = Channel(point.name, definition, point.tables, point.memory_days)
            point.channels[definition.channel] = channel
        channel.definition = definition
    for channel in point.channels.values():
        name = channel.definition.channel
        before = {span.device for span in channel.feeding}
        channel.cover(s for s in point.all_spans() if s.channel == name and s.role in FEEDING_ROLES)
        now = {span.device for span in channel.feeding}
        if view.device in now - before and now & before:
            unit.finding("exchange", "info", (point.name, name, view.device), 0, 0, devices=sorted(now))
        channel.start_watermark()


def _configure_streams(point: SupplyPoint, view: DeviceView, before: DeviceView | None) -> list[Change]:
    registers = {s.register for s in (*view.spans, *(before.spans if before else ())) if s.role in REGISTER_ROLES}
    return [
        point.stream(view.device, register).configure(
            s for s in view.spans if s.register == register and s.role in REGISTER_ROLES
        )
        for register in sorted(registers)
    ]


def _restate_channel(
    point: SupplyPoint,
    channel: Channel,
    view: DeviceView,
    before: DeviceView | None,
    changes: list[Change],
    unit: Unit,
) -> None:
    streams = point.streams_of(channel)
    if channel.is_spans:
        spans.revise(channel, current_spans(channel, streams), CONFIGURATION, unit)
        return
    _carry_over(channel, view, before, unit)
    if any(span.role == TOTALS for span in channel.feeding):
        derive_slots(channel, _slots_of_totals(channel, streams), streams)
    clear_unexpected(channel, channel.remembered)
    refill(channel, streams, channel.remembered)
    for change in changes:
        note_brackets(channel, change)
    settle_with_brackets(channel, unit)


def _slots_of_totals(channel: Channel, streams: list[Stream]) -> list[int]:
    """The remembered slots that a register feeds: interval evidence stays as it is."""
    found = []
    for slot in channel.remembered:
        span = channel.span_expecting(channel.definition.native.start_ms(slot))
        if span is not None and span.role == TOTALS:
            found.append(slot)
    return found if streams else []


def _carry_over(channel: Channel, view: DeviceView, before: DeviceView | None, unit: Unit) -> None:
    """Withdraw the device's interval evidence that no span covers any more; rescale where the multiplier changed."""
    if before is None or view.device not in channel.devices:
        return
    number = channel.device_number(view.device)
    for slot in channel.remembered:
        held = channel.slots.get(slot)
        if not held.evidence or held.device != number:
            continue
        is_edit = channel.slots.addend(slot).method == MANUAL_EDIT
        start_ms = channel.definition.native.start_ms(slot)
        old = _interval_span(before, channel, start_ms)
        if old is None:
            continue
        new = _interval_span(view, channel, start_ms, old.register)
        if new is None:
            channel.withdraw(slot)
        elif new.multiplier != old.multiplier and not is_edit:
            _rescale(channel, slot, held.quantity_nano // old.multiplier * new.multiplier, unit)


def _interval_span(view: DeviceView, channel: Channel, start_ms: int, register: str = "") -> RegisterSpan | None:
    return next(
        (
            span
            for span in view.spans
            if span.role == INTERVALS
            and span.channel == channel.definition.channel
            and span.covers(start_ms)
            and (not register or span.register == register)
        ),
        None,
    )


def _rescale(channel: Channel, slot: int, quantity: int, unit: Unit) -> None:
    if not channel.fits(quantity):
        native = channel.definition.native
        key = (*channel.key, unit.device)
        unit.finding("out_of_range", "reject", key, native.start_ms(slot), native.start_ms(slot + 1))
        channel.withdraw(slot)
        return
    channel.touch(slot)
    channel.slots.rescale(slot, quantity)
