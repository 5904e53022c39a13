"""The remembered stretch of a channel as arrays: a ring of native slots and a ring of billing windows.

Position in the arrays is `number % length`. The channel keeps what lies outside [base, W + 7 days) empty, so no two
slots that are remembered at once share a position. The rings of one length are rows of one table: the scalar step sees
a ring of its own, array code (state/columnar) reaches many channels at once. Nothing here is an object per slot.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from state.codes import MISSING, NOTHING

SLOT_ARRAYS: Final[dict[str, type[np.generic]]] = {
    "quantity_nano": np.int64,
    "version": np.int64,
    "quality": np.uint8,
    "method": np.uint8,
    "reason": np.uint8,
    "evidence": np.uint8,
    "device": np.uint16,
}
WINDOW_ARRAYS: Final[dict[str, type[np.generic]]] = {"standing_nano": np.int64, "revision": np.int32}
NO_DETERMINANT: Final = -1
_EMPTY: Final = {"revision": NO_DETERMINANT}
"""What an array holds where nothing is; 0 unless said."""
_FIRST_ROWS: Final = 4


class RingTable:
    """Rings of one length side by side: `arrays[name][row]` is the ring with that row number.

    It grows by doubling; the rings that were handed out are then pointed at their new rows.
    """

    __slots__ = ("arrays", "length", "rings")

    def __init__(self, length: int, kinds: Mapping[str, type[np.generic]]) -> None:
        self.length = length
        self.rings: list[SlotRing | WindowRing] = []
        self.arrays = {name: np.full((_FIRST_ROWS, length), _EMPTY.get(name, 0), kind) for name, kind in kinds.items()}

    def take(self, ring: "SlotRing | WindowRing") -> int:
        """Give a ring the next row; returns its number."""
        row = len(self.rings)
        self.rings.append(ring)
        if row == len(next(iter(self.arrays.values()))):
            self._grow()
        else:
            self._point(ring, row)
        return row

    def _grow(self) -> None:
        for name, old in self.arrays.items():
            self.arrays[name] = new = np.full((2 * len(old), self.length), _EMPTY.get(name, 0), old.dtype)
            new[: len(old)] = old
        for row, ring in enumerate(self.rings):
            self._point(ring, row)

    def _point(self, ring: "SlotRing | WindowRing", row: int) -> None:
        for name, array in self.arrays.items():
            setattr(ring, name, array[row])


class RingTables:
    """The ring tables of a fold, by kind and length."""

    __slots__ = ("_slots", "_windows")

    def __init__(self) -> None:
        self._slots: dict[int, RingTable] = {}
        self._windows: dict[int, RingTable] = {}

    def slot_ring(self, length: int) -> "SlotRing":
        """A new ring of native slots."""
        if length not in self._slots:
            self._slots[length] = RingTable(length, SLOT_ARRAYS)
        return SlotRing(self._slots[length])

    def window_ring(self, length: int) -> "WindowRing":
        """A new ring of billing windows."""
        if length not in self._windows:
            self._windows[length] = RingTable(length, WINDOW_ARRAYS)
        return WindowRing(self._windows[length])


def stretches(first: int, end: int, length: int) -> list[tuple[int, int]]:
    """The positions of the numbers [first, end) in a ring, as at most two slices."""
    if first >= end:
        return []
    if end - first >= length:
        return [(0, length)]
    low, high = first % length, end % length
    return [(low, high)] if low < high else [(low, length), (0, high)]


class Slot(NamedTuple):
    """One slot's contents as Python values; `evidence` is 0 for an estimate of ours, MISSING or nothing."""

    quantity_nano: int
    quality: int
    evidence: int
    version: int
    device: int


class SlotRing:
    """Native slots: the quantity that stands, where it came from and how good it is."""

    __slots__ = (*SLOT_ARRAYS, "length", "row", "table")

    quantity_nano: NDArray[np.int64]
    version: NDArray[np.int64]
    quality: NDArray[np.uint8]
    method: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    evidence: NDArray[np.uint8]
    device: NDArray[np.uint16]

    def __init__(self, table: RingTable) -> None:
        self.table, self.length = table, table.length
        self.row = table.take(self)

    def get(self, slot: int) -> Slot:
        """The contents of a remembered slot."""
        at = slot % self.length
        return Slot(
            int(self.quantity_nano[at]),
            int(self.quality[at]),
            int(self.evidence[at]),
            int(self.version[at]),
            int(self.device[at]),
        )

    def put(
        self,
        slot: int,
        quantity_nano: int,
        quality: int,
        method: int,
        *,
        evidence: int,
        version: int = 0,
        device: int = 0,
    ) -> None:
        """Write a slot; `evidence` 1 for what was metered or delivered, 0 for an estimate of ours."""
        at = slot % self.length
        self.quantity_nano[at] = quantity_nano
        self.quality[at] = quality
        self.method[at] = method
        self.reason[at] = 0
        self.evidence[at] = evidence
        self.version[at] = version
        self.device[at] = device

    def put_missing(self, slot: int, reason: int) -> None:
        """Harden a slot that has no value."""
        self.put(slot, 0, MISSING, 0, evidence=0)
        self.reason[slot % self.length] = reason

    def clear(self, first: int, end: int) -> None:
        """Forget the slots [first, end)."""
        for low, high in stretches(first, end, self.length):
            for name in SLOT_ARRAYS:
                getattr(self, name)[low:high] = 0

    def positions(self, first: int, end: int) -> NDArray[np.int64]:
        """Array positions of the slots [first, end), in order."""
        return np.arange(first, end) % self.length

    def holds_evidence(self) -> bool:
        """True if any slot holds evidence."""
        return bool(self.evidence.any())

    def is_nothing(self, slot: int) -> bool:
        """True if neither evidence nor an estimate nor MISSING stands in the slot."""
        return bool(self.quality[slot % self.length] == NOTHING)


class WindowRing:
    """Billing windows: the quantity last emitted and its revision (NO_DETERMINANT before the first)."""

    __slots__ = (*WINDOW_ARRAYS, "length", "row", "table")

    standing_nano: NDArray[np.int64]
    revision: NDArray[np.int32]

    def __init__(self, table: RingTable) -> None:
        self.table, self.length = table, table.length
        self.row = table.take(self)

    def clear(self, first: int, end: int) -> None:
        """Forget the windows [first, end)."""
        for low, high in stretches(first, end, self.length):
            self.standing_nano[low:high] = 0
            self.revision[low:high] = NO_DETERMINANT


def arrays_of(ring: SlotRing | WindowRing) -> dict[str, NDArray[Any]]:
    """The arrays of a ring by name, in a fixed order."""
    names = SLOT_ARRAYS if isinstance(ring, SlotRing) else WINDOW_ARRAYS
    return {name: getattr(ring, name) for name in names}
