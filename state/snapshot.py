"""A fold as versioned bytes, and back: what a restart resumes from.

Layout: magic `MFS`, format version (one byte), length of the JSON head (u32, little-endian), the head (sorted keys), then
the arrays in the order that the head names them, raw little-endian. The same state gives the same bytes.
"""

import json
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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
from state.tables import Tables

MAGIC: Final = b"MFS"
FORMAT: Final = 3
_HEAD: Final = struct.Struct("<3sBI")


class UnableToRestore(ValueError):
    """The bytes are not a snapshot that this version can read."""


def snapshot(fold: Fold) -> bytes:
    """The whole state of a fold as bytes."""
    arrays: list[NDArray[Any]] = []
    head = {
        "curated_partition": fold.curated_partition,
        "curated_offset": fold.curated_offset,
        "known_at_ms": fold.known_at_ms,
        "marks": [[partition, *mark] for partition, mark in fold.marks.items()],
        "gates": {scope: sorted(seen.items()) for scope, seen in fold.gates.items()},
        "passed": fold.passed,
        "ledger": dict(fold.ledger),
        "points": [_pack_point(fold.points[name], arrays) for name in sorted(fold.points)],
    }
    text = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    return b"".join([_HEAD.pack(MAGIC, FORMAT, len(text)), text, *(array.tobytes() for array in arrays)])


def restore(data: bytes) -> Fold:
    """The fold that `snapshot` gave; `UnableToRestore` for anything else."""
    try:
        magic, version, length = _HEAD.unpack_from(data)
    except struct.error as error:
        raise UnableToRestore("too short for a snapshot") from error
    if magic != MAGIC or version != FORMAT:
        raise UnableToRestore(f"not a snapshot of format {FORMAT}")
    head = json.loads(data[_HEAD.size : _HEAD.size + length])
    fold = Fold(head["curated_partition"])
    fold.curated_offset, fold.known_at_ms = head["curated_offset"], head["known_at_ms"]
    for partition, *mark in head["marks"]:
        fold.marks[partition] = (mark[0], mark[1])
    fold.gates = {scope: dict(map(tuple, seen)) for scope, seen in head["gates"].items()}
    fold.passed = head["passed"]
    fold.ledger = Counter(head["ledger"])
    reader = _ArrayReader(data, _HEAD.size + length)
    for packed in head["points"]:
        fold.points[packed["name"]] = _unpack_point(packed, fold.tables, reader)
    reader.expect_end()
    return fold


class _ArrayReader:
    """Takes arrays off the end of a snapshot, in the order they were written."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset

    def fill(self, array: NDArray[Any]) -> None:
        size = array.nbytes
        if self._offset + size > len(self._data):
            raise UnableToRestore("the snapshot is cut short")
        array[:] = np.frombuffer(self._data, array.dtype, len(array), self._offset)
        self._offset += size

    def expect_end(self) -> None:
        if self._offset != len(self._data):
            raise UnableToRestore("the snapshot has more than its head says")


# -- supply points --------------------------------------------------------------------------------------------------


def _pack_point(point: SupplyPoint, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    return {
        "name": point.name,
        "views": [_pack_view(point.views[device]) for device in sorted(point.views)],
        "waiting": [point.waiting[device] for device in sorted(point.waiting)],
        "complete_through": {device: list(pair) for device, pair in point.complete_through.items()},
        "restated": [[*key, *value] for key, value in sorted(point.restated.items())],
        "streams": [_pack_stream(point.streams[key], arrays) for key in sorted(point.streams)],
        "channels": [_pack_channel(point.channels[name], arrays) for name in sorted(point.channels)],
    }


def _unpack_point(packed: dict[str, Any], tables: Tables, reader: _ArrayReader) -> SupplyPoint:
    point = SupplyPoint(packed["name"], tables)
    for view in map(read_device_view, packed["views"]):
        point.views[view.device] = view
    point.waiting = {record["device"]: record for record in packed["waiting"]}
    point.complete_through = {device: (pair[0], pair[1]) for device, pair in packed["complete_through"].items()}
    point.restated = {(row[0], row[1], row[2]): (row[3], row[4]) for row in packed["restated"]}
    for item in packed["streams"]:
        stream = _unpack_stream(item, tables, reader)
        stream.configure(_stream_spans(point, stream))
        point.streams[stream.device, stream.register] = stream
    for item in packed["channels"]:
        channel = _unpack_channel(point, item, reader)
        point.channels[channel.definition.channel] = channel
    return point


def _stream_spans(point: SupplyPoint, stream: Stream) -> Iterator[RegisterSpan]:
    for span in point.views[stream.device].spans:
        if span.register == stream.register and span.role in REGISTER_ROLES:
            yield span


def _pack_view(view: DeviceView) -> dict[str, Any]:
    """The view as the configuration record it came from."""
    return {
        "device": view.device,
        "version": view.version,
        "reason": view.reason,
        "registers": [_pack_span(span) for span in view.spans],
        "channels": [_pack_definition(definition) for definition in view.channels],
        "calendar": view.calendar,
    }


def _pack_span(span: RegisterSpan) -> dict[str, Any]:
    packed = {name: getattr(span, name) for name in RegisterSpan.__slots__ if name != "device"}
    return {**packed, "to_ms": None if span.to_ms == FOREVER else span.to_ms}


def _pack_definition(definition: ChannelDefinition) -> dict[str, Any]:
    names = ("channel", "kind", "unit", "interval_s", "grid_s", "allowance_s", "horizon_days", "signed")
    policy = {name: getattr(definition.policy, name) for name in type(definition.policy).__slots__}
    return {**{name: getattr(definition, name) for name in names}, "policy": policy}


# -- streams and channels -------------------------------------------------------------------------------------------


def _pack_stream(stream: Stream, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    arrays.append(stream.reads)
    return {"device": stream.device, "register": stream.register, "reads": len(stream.reads)}


def _unpack_stream(packed: dict[str, Any], tables: Tables, reader: _ArrayReader) -> Stream:
    stream = Stream(packed["device"], packed["register"], tables)
    stream.allocate(packed["reads"])
    reader.fill(stream.reads)
    return stream


def _pack_channel(channel: Channel, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    arrays += [channel.slots.slots, channel.windows.windows]
    book = channel.span_book
    definition = channel.definition
    return {
        "definition": {**_pack_definition(definition), "config_version": definition.config_version},
        "calendar": definition.calendar.source,
        "devices": channel.devices,
        "watermark_ms": channel.watermark_ms,
        "latest_end_ms": channel.latest_end_ms,
        "hardened_any": bool(channel.hardened_any),
        "open_brackets": channel.open_brackets,
        "current": [[*key, *value] for key, value in sorted(book.current.items())],
        "standing": [[*key, *value] for key, value in sorted(book.standing.items())],
    }


def _unpack_channel(point: SupplyPoint, packed: dict[str, Any], reader: _ArrayReader) -> Channel:
    head = packed["definition"]
    record = {
        "device": "", "version": head["config_version"], "registers": [], "channels": [head],
        "calendar": packed["calendar"],
    }  # fmt: skip
    definition = read_device_view(record).channels[0]
    channel = Channel(point.name, definition, point.tables)
    channel.devices = list(packed["devices"])
    channel.cover(s for s in point.all_spans() if s.channel == definition.channel and s.role in FEEDING_ROLES)
    if packed["watermark_ms"] != FOREVER:
        channel.set_watermark(packed["watermark_ms"])
    reader.fill(channel.slots.slots)
    reader.fill(channel.windows.windows)
    channel.latest_end_ms = packed["latest_end_ms"]
    channel.hardened_any = packed["hardened_any"]
    channel.open_brackets = [(row[0], row[1], row[2], row[3], row[4]) for row in packed["open_brackets"]]
    channel.span_book.current = {(row[0], row[1]): (row[2], row[3]) for row in packed["current"]}
    channel.span_book.standing = {(row[0], row[1]): Standing(*row[2:]) for row in packed["standing"]}
    return channel
