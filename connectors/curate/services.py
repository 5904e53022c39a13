"""Which supply point a device serves when (`state/timeline.py`), as arrays: a row a service, and where the rows of a name begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from connectors.file_log import MAX_KEY_BYTES, partition_of
from connectors.scan import REGISTER, Names, RawColumns
from connectors.scan import raw_table as row_of
from connectors.scan.names import grown
from state.compiling import compiled
from state.routing import Router

Ints = NDArray[np.int64]

SLOW: Final = -1
"""Stands for a supply point: this record is not plain."""
_NOBODY: Final = -1


class Services:
    """The services of the devices whose readings were met; it must be told when a device is assigned anew.

    A name (device, register, unit) belongs to the raw partition where it was first met; in any other its readings are not plain.
    """

    def __init__(self, names: Names, curated_partitions: int) -> None:
        self.points = Points(curated_partitions)
        self._names = names
        self._names_of: dict[tuple[int, str], list[int]] = {}  # of a device in a raw partition
        self._rows_of: dict[tuple[int, str], tuple[int, int]] = {}  # first row, and how many it has room for
        # by name:
        self._owner: Ints = np.full(0, _NOBODY, np.int64)
        self._first: Ints = np.zeros(0, np.int64)
        self._count: Ints = np.zeros(0, np.int64)
        # by row:
        self._used = 0
        self._from_ms: Ints = np.zeros(0, np.int64)
        self._to_ms: Ints = np.zeros(0, np.int64)
        self._point: Ints = np.zeros(0, np.int64)

    def learn(self, columns: RawColumns, partition: Ints, routers: Mapping[int, Router]) -> None:
        """Look up the names that are met for the first time; `partition` is that of each record of the batch."""
        known, number = self._owner.size, len(self._names.values)
        if known < number:
            self._owner, self._first, self._count = (
                grown(array, number) for array in (self._owner, self._first, self._count)
            )
            self._owner[known:] = _NOBODY
        fresh = np.flatnonzero(self._owner[columns.name] == _NOBODY)
        found, places = np.unique(columns.name[fresh], return_index=True)
        for name, place in zip(found.tolist(), fresh[places].tolist(), strict=True):
            owner = int(partition[columns.at[place]])
            device = self._names.values[name][0]
            self._owner[name] = owner
            self._names_of.setdefault((owner, device), []).append(name)
            self.assigned(owner, device, routers)

    def assigned(self, partition: int, device: str, routers: Mapping[int, Router]) -> None:
        """Take over the services that a device has by now."""
        names = self._names_of.get((partition, device))
        if names is None:
            return
        router = routers.get(partition)
        known = router.devices.get(device) if router is not None else None
        services = known.services if known is not None and known.first_offset >= 0 else []
        if any(len(service.supply_point.encode()) > MAX_KEY_BYTES for service in services):
            services = []  # the log refuses such a key; it is the one who appends that says so
        first, room = self._rows_of.get((partition, device), (0, 0))
        if room < len(services):
            first, room = self._used, len(services)
            self._used += room
            self._from_ms, self._to_ms, self._point = (
                grown(array, self._used) if array.size < self._used else array
                for array in (self._from_ms, self._to_ms, self._point)
            )
            self._rows_of[partition, device] = first, room
        for at, service in enumerate(services, first):
            self._from_ms[at], self._to_ms[at] = service.from_ms, service.to_ms
            self._point[at] = self.points.number_of(service.supply_point)
        self._first[names] = first
        self._count[names] = len(services)

    def serve(self, columns: RawColumns, partition: Ints, low: int, high: int, point: Ints, counts: Ints) -> None:
        """Write into point[low:high] the number of the supply point of each plain reading, SLOW for the others.

        To `counts`[0] and [1] are added, by raw partition, the plain readings and their elements.
        """
        tables = (self._owner, self._first, self._count, self._from_ms, self._to_ms, self._point)
        _serve(columns.table, partition, low, high, tables, point, counts)


class Points:
    """The supply points met so far: their numbers, and what a frame needs of each."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._numbers: dict[str, int] = {}
        self._texts: list[bytes] = []
        self._lengths: list[tuple[int, int, int]] = []  # of the key, of the JSON text; the curated partition
        self._tables: tuple[NDArray[np.uint8], Ints, Ints, Ints] | None = None

    def number_of(self, supply_point: str) -> int:
        """The number of a supply point, a new one if need be."""
        number = self._numbers.setdefault(supply_point, len(self._numbers))
        if number == len(self._texts):
            key, text = supply_point.encode(), orjson.dumps(supply_point)
            self._texts.append(key + text)
            self._lengths.append((len(key), len(text), partition_of(key, self.partitions)))
            self._tables = None
        return number

    def tables(self) -> tuple[NDArray[np.uint8], Ints, Ints, Ints]:
        """Key and JSON text of each, one after another; where each key begins, where its text begins (and, once more, all ends); and the
        curated partition of each."""
        if self._tables is None:
            lengths = np.array(self._lengths, np.int64).reshape(-1, 3)
            ends = np.concatenate([[0], np.cumsum(lengths[:, 0] + lengths[:, 1])])
            text = np.frombuffer(b"".join(self._texts), np.uint8)
            self._tables = text, ends, ends[:-1] + lengths[:, 0], lengths[:, 2].copy()
        return self._tables


@compiled
def _serve(
    table: Ints,
    partition: Ints,
    low: int,
    high: int,
    tables: tuple[Ints, Ints, Ints, Ints, Ints, Ints],
    point: Ints,
    counts: Ints,
) -> None:
    owner, first, count, from_ms, to_ms, point_of = tables
    for place in range(low, high):
        name, own = table[row_of.NAME, place], partition[table[row_of.AT, place]]
        found = SLOW
        if owner[name] == own:
            rows = slice(first[name], first[name] + count[name])
            start, length = table[row_of.START, place], table[row_of.LENGTH, place]
            if table[row_of.KIND, place] == REGISTER:
                found = _touched(start, from_ms[rows], to_ms[rows], point_of[rows])
            elif length > 0:
                last = start + (table[row_of.NUMBER, place] - 1) * length * 1000
                found = _covering(start, last, from_ms[rows], to_ms[rows], point_of[rows])
        point[place] = found
        if found != SLOW:
            counts[0, own] += 1
            counts[1, own] += table[row_of.NUMBER, place]


@compiled
def _touched(instant_ms: int, from_ms: Ints, to_ms: Ints, point: Ints) -> int:
    """The one supply point that a register read speaks for; SLOW where there are two, or none."""
    found = SLOW
    for at in range(from_ms.size):
        if from_ms[at] <= instant_ms <= to_ms[at]:
            if found != SLOW and found != point[at]:
                return SLOW
            found = point[at]
    return found


@compiled
def _covering(start_ms: int, last_ms: int, from_ms: Ints, to_ms: Ints, point: Ints) -> int:
    """The supply point of the one service in which the first and the last interval begin, SLOW if there is none."""
    for at in range(from_ms.size):
        if from_ms[at] <= start_ms and last_ms < to_ms[at]:
            return int(point[at])
    return SLOW
