"""What the fold keeps outside its tables as plain values for JSON, and back: what every form of a snapshot is made of."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from state.calendar import Calendar
from state.channel import Channel
from state.configuration import (
    FEEDING_ROLES,
    FOREVER,
    REGISTER_ROLES,
    ChannelDefinition,
    DeviceView,
    RegisterSpan,
    read_device_view,
)
from state.fold import Fold
from state.registers import Stream
from state.span_book import Standing
from state.supply_point import SupplyPoint

Packed = dict[str, Any]
PackCalendar = Callable[[dict[str, Any]], Any]
"""What stands for a calendar, given its source."""
UnpackCalendar = Callable[[Any], Calendar]


# -- the fold ---------------------------------------------------------------------------------------------------------


def pack_fold(fold: Fold) -> Packed:
    """The fold's own numbers."""
    return {
        "curated_partition": fold.curated_partition,
        "curated_offset": fold.curated_offset,
        "known_at_ms": fold.known_at_ms,
        "marks": [[partition, *mark] for partition, mark in fold.marks.items()],
        "gates": {scope: sorted(seen.items()) for scope, seen in fold.gates.items()},
        "passed": fold.passed,
        "ledger": dict(fold.ledger),
    }


def unpack_fold(packed: Mapping[str, Any]) -> Fold:
    """A fold with these numbers, without supply points."""
    fold = Fold(packed["curated_partition"])
    fold.curated_offset, fold.known_at_ms = packed["curated_offset"], packed["known_at_ms"]
    for partition, *mark in packed["marks"]:
        fold.marks[partition] = (mark[0], mark[1])
    fold.gates = {scope: dict(map(tuple, seen)) for scope, seen in packed["gates"].items()}
    fold.passed = packed["passed"]
    fold.ledger.update(packed["ledger"])
    return fold


# -- what is configured -------------------------------------------------------------------------------------------------


def pack_view(view: DeviceView, calendar: PackCalendar) -> Packed:
    """The view as the configuration record it came from."""
    return {
        "device": view.device,
        "version": view.version,
        "reason": view.reason,
        "registers": [_pack_span(span) for span in view.spans],
        "channels": [_pack_definition(definition) for definition in view.channels],
        "calendar": calendar(view.calendar),
    }


def unpack_view(packed: Mapping[str, Any], calendar: UnpackCalendar) -> DeviceView:
    """The view that `pack_view` gave."""
    return read_device_view(packed, calendar(packed["calendar"]))


def pack_definition(definition: ChannelDefinition, calendar: PackCalendar) -> Packed:
    """A channel's definition in force, which a view that has gone may have made."""
    return {
        "definition": {**_pack_definition(definition), "config_version": definition.config_version},
        "calendar": calendar(definition.calendar.source),
    }


def unpack_definition(packed: Mapping[str, Any], calendar: UnpackCalendar) -> ChannelDefinition:
    """The definition that `pack_definition` gave."""
    item = packed["definition"]
    record = {"device": "", "version": item["config_version"], "registers": [], "channels": [item]}
    return read_device_view(record, calendar(packed["calendar"])).channels[0]


def _pack_span(span: RegisterSpan) -> Packed:
    packed = {name: getattr(span, name) for name in RegisterSpan.__slots__ if name != "device"}
    return {**packed, "to_ms": None if span.to_ms == FOREVER else span.to_ms}


def _pack_definition(definition: ChannelDefinition) -> Packed:
    names = ("channel", "kind", "unit", "interval_s", "grid_s", "allowance_s", "horizon_days", "signed")
    policy = {name: getattr(definition.policy, name) for name in type(definition.policy).__slots__}
    return {**{name: getattr(definition, name) for name in names}, "policy": policy}


# -- what has come of it ------------------------------------------------------------------------------------------------


def pack_point(point: SupplyPoint) -> Packed:
    """What a supply point keeps besides its views, streams and channels."""
    return {
        "name": point.name,
        "waiting": [point.waiting[device] for device in sorted(point.waiting)],
        "complete_through": {device: list(pair) for device, pair in point.complete_through.items()},
        "restated": [[*key, *value] for key, value in sorted(point.restated.items())],
    }


def unpack_point(point: SupplyPoint, packed: Mapping[str, Any]) -> None:
    """Give a supply point what `pack_point` took from it."""
    point.waiting = {record["device"]: record for record in packed["waiting"]}
    point.complete_through = {device: (pair[0], pair[1]) for device, pair in packed["complete_through"].items()}
    point.restated = {(row[0], row[1], row[2]): (row[3], row[4]) for row in packed["restated"]}


def pack_channel(channel: Channel) -> Packed:
    """What a channel keeps besides its definition and its part of the tables."""
    book = channel.span_book
    return {
        "devices": channel.devices,
        "open_brackets": channel.open_brackets,
        "current": [[*key, *value] for key, value in sorted(book.current.items())],
        "standing": [[*key, *value] for key, value in sorted(book.standing.items())],
    }


def unpack_channel(channel: Channel, packed: Mapping[str, Any], point: SupplyPoint) -> None:
    """Give a channel what `pack_channel` took from it, and the spans that feed it."""
    name = channel.definition.channel
    channel.devices = list(packed["devices"])
    channel.cover(span for span in point.all_spans() if span.channel == name and span.role in FEEDING_ROLES)
    channel.open_brackets = [(row[0], row[1], row[2], row[3], row[4]) for row in packed["open_brackets"]]
    channel.span_book.current = {(row[0], row[1]): (row[2], row[3]) for row in packed["current"]}
    channel.span_book.standing = {(row[0], row[1]): Standing(*row[2:]) for row in packed["standing"]}
    point.channels[name] = channel


def spans_of_stream(point: SupplyPoint, stream: Stream) -> Iterator[RegisterSpan]:
    """The spans that a stream is interpreted by."""
    for span in point.views[stream.device].spans:
        if span.register == stream.register and span.role in REGISTER_ROLES:
            yield span
