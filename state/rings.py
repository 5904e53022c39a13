"""The remembered stretch of a channel: a ring of native slots and a ring of billing windows.

Position in a ring is `number % length`. The channel keeps what lies outside [base, W + 7 days) empty, so no two
slots that are remembered at once share a position.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from state.codes import MISSING, NOTHING
from state.tables import SLOT, Tables

NO_DETERMINANT: Final = -1


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

    __slots__ = ("_tables", "at", "length", "slots", *(SLOT.names or ()))

    slots: NDArray[Any]
    quantity_nano: NDArray[np.int64]
    version: NDArray[np.int64]
    quality: NDArray[np.uint8]
    method: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    evidence: NDArray[np.uint8]
    device: NDArray[np.uint32]

    def __init__(self, tables: Tables, length: int, at: int | None = None) -> None:
        """New, or as it lies in the tables from a position on."""
        self._tables, self.length = tables, length
        if at is None:
            self.at = tables.take("slots", length, self)
        else:
            self.at = at
            tables.watch("slots", self)
        self.look()

    def look(self) -> None:
        """Look at the tables as they are now."""
        self.slots = self._tables.slots[self.at : self.at + self.length]
        for name in SLOT.names or ():
            setattr(self, name, self.slots[name])

    def get(self, slot: int) -> Slot:
        """The contents of a remembered slot."""
        quantity_nano, version, device, quality, _, _, evidence = self.slots[slot % self.length].item()
        return Slot(quantity_nano, quality, evidence, version, device)

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
        self.slots[slot % self.length] = (quantity_nano, version, device, quality, method, 0, evidence)

    def put_missing(self, slot: int, reason: int) -> None:
        """Harden a slot that has no value."""
        self.slots[slot % self.length] = (0, 0, 0, MISSING, 0, reason, 0)

    def clear(self, first: int, end: int) -> None:
        """Forget the slots [first, end)."""
        for low, high in stretches(first, end, self.length):
            self.slots[low:high] = np.zeros(1, SLOT)

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

    __slots__ = ("_tables", "at", "length", "windows")

    windows: NDArray[Any]

    def __init__(self, tables: Tables, length: int, at: int | None = None) -> None:
        """New, or as it lies in the tables from a position on."""
        self._tables, self.length = tables, length
        if at is None:
            self.at = tables.take("windows", length, self)
        else:
            self.at = at
            tables.watch("windows", self)
        self.look()

    def look(self) -> None:
        """Look at the tables as they are now."""
        self.windows = self._tables.windows[self.at : self.at + self.length]

    def get(self, window: int) -> tuple[int, int]:
        """(quantity last emitted, its revision)."""
        standing_nano, emitted = self.windows[window % self.length].item()
        return standing_nano, emitted - 1

    def put(self, window: int, standing_nano: int, revision: int) -> None:
        """Note what has been emitted."""
        self.windows[window % self.length] = (standing_nano, revision + 1)

    def clear(self, first: int, end: int) -> None:
        """Forget the windows [first, end)."""
        for low, high in stretches(first, end, self.length):
            self.windows[low:high] = (0, 0)
