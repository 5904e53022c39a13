"""A fold as versioned bytes, and back: the same state gives the same bytes, wherever its parts lie in the tables.

Layout: magic `MFS`, format version (one byte), length of the JSON head (u32, little-endian), the head (sorted keys), then
the arrays in the order that the head names them, raw little-endian. What a running flow keeps is in `changes.py`.
"""

import json
import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state.calendar import Calendar
from state.channel import Channel
from state.configuration import FOREVER
from state.fold import Fold
from state.packing import (
    Packed,
    pack_channel,
    pack_definition,
    pack_fold,
    pack_point,
    pack_view,
    spans_of_stream,
    unpack_channel,
    unpack_definition,
    unpack_fold,
    unpack_point,
    unpack_view,
)
from state.registers import Stream
from state.rings import fill, records_of
from state.supply_point import SupplyPoint
from state.tables import READ, SLOT, WINDOW, Tables

MAGIC: Final = b"MFS"
FORMAT: Final = 3
_HEAD: Final = struct.Struct("<3sBI")


class UnableToRestore(ValueError):
    """The bytes are not a snapshot that this version can read."""


def snapshot(fold: Fold) -> bytes:
    """The whole state of a fold as bytes."""
    arrays: list[NDArray[Any]] = []
    head = {**pack_fold(fold), "points": [_pack_point(fold.points[name], arrays) for name in sorted(fold.points)]}
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
    fold = unpack_fold(head)
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

    def take(self, length: int, kind: np.dtype[Any]) -> NDArray[Any]:
        size = length * kind.itemsize
        if self._offset + size > len(self._data):
            raise UnableToRestore("the snapshot is cut short")
        array = np.frombuffer(self._data, kind, length, self._offset)
        self._offset += size
        return array

    def expect_end(self) -> None:
        if self._offset != len(self._data):
            raise UnableToRestore("the snapshot has more than its head says")


def _pack_point(point: SupplyPoint, arrays: list[NDArray[Any]]) -> Packed:
    return {
        **pack_point(point),
        "views": [pack_view(point.views[device], dict) for device in sorted(point.views)],
        "streams": [_pack_stream(point.streams[key], arrays) for key in sorted(point.streams)],
        "channels": [_pack_channel(point.channels[name], arrays) for name in sorted(point.channels)],
    }


def _unpack_point(packed: Packed, tables: Tables, reader: _ArrayReader) -> SupplyPoint:
    point = SupplyPoint(packed["name"], tables)
    unpack_point(point, packed)
    for item in packed["views"]:
        point.views[item["device"]] = unpack_view(item, Calendar)
    for item in packed["streams"]:
        stream = _unpack_stream(item, tables, reader)
        stream.configure(spans_of_stream(point, stream))
        point.streams[stream.device, stream.register] = stream
    for item in packed["channels"]:
        _unpack_channel(point, item, reader)
    return point


def _pack_stream(stream: Stream, arrays: list[NDArray[Any]]) -> Packed:
    arrays.append(stream.reads)
    return {"device": stream.device, "register": stream.register, "reads": len(stream.reads)}


def _unpack_stream(packed: Packed, tables: Tables, reader: _ArrayReader) -> Stream:
    stream = Stream(packed["device"], packed["register"], tables)
    stream.allocate(packed["reads"])
    stream.reads[:] = reader.take(packed["reads"], READ)
    return stream


def _pack_channel(channel: Channel, arrays: list[NDArray[Any]]) -> Packed:
    arrays += records_of(channel.slots, channel.windows)
    return {
        **pack_definition(channel.definition, dict),
        **pack_channel(channel),
        "watermark_ms": channel.watermark_ms,
        "latest_end_ms": channel.latest_end_ms,
        "hardened_any": bool(channel.hardened_any),
    }


def _unpack_channel(point: SupplyPoint, packed: Packed, reader: _ArrayReader) -> None:
    channel = Channel(point.name, unpack_definition(packed, Calendar), point.tables)
    unpack_channel(channel, packed, point)
    if packed["watermark_ms"] != FOREVER:
        channel.set_watermark(packed["watermark_ms"])
    slots, windows = reader.take(channel.slots.length, SLOT), reader.take(channel.windows.length, WINDOW)
    fill(channel.slots, channel.windows, slots, windows)
    channel.latest_end_ms = packed["latest_end_ms"]
    channel.hardened_any = packed["hardened_any"]
