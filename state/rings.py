"""The remembered stretch of a channel as arrays: a ring of native slots and a ring of billing windows.

Position in the arrays is `number % length`. The channel keeps what lies outside [base, W + 7 days) empty, so no two
slots that are remembered at once share a position. The arrays are rows of a later page table: nothing here is an
object per slot.
"""

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


class Slot(NamedTuple):
    """One slot's contents as Python values; `evidence` is 0 for an estimate of ours, MISSING or nothing."""

    quantity_nano: int
    quality: int
    evidence: int
    version: int
    device: int


class SlotRing:
    """Native slots: the quantity that stands, where it came from and how good it is."""

    __slots__ = (*SLOT_ARRAYS, "length")

    quantity_nano: NDArray[np.int64]
    version: NDArray[np.int64]
    quality: NDArray[np.uint8]
    method: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    evidence: NDArray[np.uint8]
    device: NDArray[np.uint16]

    def __init__(self, length: int) -> None:
        self.length = length
        for name, kind in SLOT_ARRAYS.items():
            setattr(self, name, np.zeros(length, kind))

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
        for low, high in self._stretches(first, end):
            for name in SLOT_ARRAYS:
                getattr(self, name)[low:high] = 0

    def positions(self, first: int, end: int) -> NDArray[np.int64]:
        """Array positions of the slots [first, end), in order."""
        return np.arange(first, end) % self.length

    def _stretches(self, first: int, end: int) -> list[tuple[int, int]]:
        if end - first >= self.length:
            return [(0, self.length)]
        low, high = first % self.length, end % self.length
        if first >= end:
            return []
        return [(low, high)] if low < high else [(low, self.length), (0, high)]

    def holds_evidence(self) -> bool:
        """True if any slot holds evidence."""
        return bool(self.evidence.any())

    def is_nothing(self, slot: int) -> bool:
        """True if neither evidence nor an estimate nor MISSING stands in the slot."""
        return bool(self.quality[slot % self.length] == NOTHING)


class WindowRing:
    """Billing windows: the quantity last emitted and its revision (NO_DETERMINANT before the first)."""

    __slots__ = (*WINDOW_ARRAYS, "length")

    standing_nano: NDArray[np.int64]
    revision: NDArray[np.int32]

    def __init__(self, length: int) -> None:
        self.length = length
        self.standing_nano = np.zeros(length, np.int64)
        self.revision = np.full(length, NO_DETERMINANT, np.int32)

    def clear(self, first: int, end: int) -> None:
        """Forget the windows [first, end)."""
        for window in range(max(first, end - self.length), end):
            self.standing_nano[window % self.length] = 0
            self.revision[window % self.length] = NO_DETERMINANT


def arrays_of(ring: SlotRing | WindowRing) -> dict[str, NDArray[Any]]:
    """The arrays of a ring by name, in a fixed order."""
    names = SLOT_ARRAYS if isinstance(ring, SlotRing) else WINDOW_ARRAYS
    return {name: getattr(ring, name) for name in names}
