"""Curated frames of a whole batch: those of plain readings and those of records that were routed one by one, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.curate.payload import ROOM, put, put_reading
from connectors.curate.services import SLOW, Points
from connectors.file_log.frame import HEADER_BYTES, MAX_KEY_BYTES
from connectors.file_log.frames import JoinedFrames
from connectors.file_log.prepared import PreparedFrames, put_little_endian
from connectors.scan import RawColumns
from connectors.scan import raw_table as row_of
from connectors.scan.tokens import Bytes
from state.compiling import compiled_with_arrays

Ints = NDArray[np.int64]
Placed = tuple[int, int, bytes, bytes]
"""(position in the batch of the raw record that it comes of, curated partition, key, payload)."""


def prepare(
    frames: JoinedFrames, columns: RawColumns, point: Ints, points: Points, others: Sequence[Placed]
) -> PreparedFrames:
    """The frames of reads.curated: of the readings with a supply point in `point`, and of `others`, which are in order."""
    plain = np.flatnonzero(point != SLOW)
    tables = points.tables()
    order = _in_order(columns.at[plain], np.array([at for at, _, _, _ in others], np.int64))
    targets = np.concatenate([tables[3][point[plain]], np.array([target for _, target, _, _ in others], np.int64)])
    # A key too long is written as far as the log's own check sees that it is.
    entries = [(key[: MAX_KEY_BYTES + 1], payload) for _, _, key, payload in others]
    given = np.frombuffer(b"".join(part for entry in entries for part in entry), np.uint8)
    lengths = np.array([len(part) for entry in entries for part in entry], np.int64)
    return PreparedFrames(
        *_write(
            np.frombuffer(frames.data, np.uint8), frames.places, frames.partition, columns.table, point, tables, plain, order, targets,
            points.partitions, given, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        )
    )  # fmt: skip


def _in_order(plain: Ints, others: Ints) -> Ints:
    """Numbers of plain readings (0, 1, …) and then of others (going on from there), sorted by their positions in the batch."""
    if not others.size:
        return np.arange(plain.size)
    return np.argsort(np.concatenate([plain, others]), kind="stable")


@compiled_with_arrays
def _write(
    data: Bytes,
    places: Ints,
    partition: Ints,
    table: Ints,
    point: Ints,
    tables: tuple[Bytes, Ints, Ints, Ints],
    plain: Ints,
    order: Ints,
    targets: Ints,
    partitions: int,
    given: Bytes,
    given_ends: Ints,
) -> tuple[Any, Any, Any]:
    texts, key_starts, text_starts, _ = tables
    first, order = _by_target(order, targets, partitions)
    size = given.size + order.size * HEADER_BYTES
    for place in plain:
        at, served = table[row_of.AT, place], point[place]
        size += places[6, at] - places[5, at] + key_starts[served + 1] - key_starts[served] + ROOM
    out = np.empty(size, np.uint8)
    starts = np.empty(order.size + 1, np.int64)
    end = 0
    for position in range(order.size):
        starts[position] = end
        key_at = end + HEADER_BYTES
        if order[position] < plain.size:
            place = plain[order[position]]
            at, served = table[row_of.AT, place], point[place]
            text = texts[text_starts[served] : key_starts[served + 1]]
            payload_at = put(out, key_at, texts, key_starts[served], text_starts[served])
            carrier = (partition[at], places[0, at], places[2, at])
            end = put_reading(out, payload_at, data, places[5, at], places[6, at], table[:, place], carrier, text)
        else:
            entry = 2 * (order[position] - plain.size)
            payload_at = put(out, key_at, given, given_ends[entry], given_ends[entry + 1])
            end = put(out, payload_at, given, given_ends[entry + 1], given_ends[entry + 2])
        put_little_endian(out, starts[position], end - payload_at, 4)
        put_little_endian(out, starts[position] + 16, payload_at - key_at, 2)
    starts[order.size] = end
    return out[:end], starts, first


@compiled_with_arrays
def _by_target(order: Ints, targets: Ints, partitions: int) -> tuple[Ints, Ints]:
    """Where each curated partition's part begins (and the last ends), and the numbers sorted by partition, otherwise as they were."""
    first = np.zeros(partitions + 1, np.int64)
    for number in order:
        first[targets[number] + 1] += 1
    first = np.cumsum(first)
    free = first.copy()
    found = np.empty(order.size, np.int64)
    for number in order:
        found[free[targets[number]]] = number
        free[targets[number]] += 1
    return first, found
