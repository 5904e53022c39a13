"""The remembered stretch of a channel: a ring of native slots and a ring of billing windows.

Position in a ring is `number % length`. The channel keeps what lies outside [base, W + 7 days) empty, so no two
slots that are remembered at once share a position.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from state.codes import MISSING, NOTHING
from state.ring_pages import RingPages
from state.tables import SLOT, WINDOW, Tables

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


class Addend(NamedTuple):
    """What a slot adds to its window."""

    quantity_nano: int
    quality: int
    method: int
    reason: int


class SlotRing:
    """Native slots: the quantity that stands, where it came from and how good it is."""

    __slots__ = ("length", "pages")

    def __init__(self, tables: Tables, length: int, shift: int, at: int | None = None) -> None:
        """New, or as its pages lie in the tables from a position on."""
        self.length = length
        self.pages = RingPages(tables, length, shift, at)

    def get(self, slot: int) -> Slot:
        """The contents of a remembered slot."""
        quantity_nano, version, device, quality, _, _, evidence = self.pages.contents(slot % self.length)
        return Slot(quantity_nano, quality, evidence, version, device)

    def addend(self, slot: int) -> Addend:
        """What a remembered slot adds to its window."""
        quantity_nano, _, _, quality, method, reason, _ = self.pages.contents(slot % self.length)
        return Addend(quantity_nano, quality, method, reason)

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
        self.pages.put(slot % self.length, (quantity_nano, version, device, quality, method, 0, evidence))

    def put_missing(self, slot: int, reason: int) -> None:
        """Harden a slot that has no value."""
        self.pages.put(slot % self.length, (0, 0, 0, MISSING, 0, reason, 0))

    def rescale(self, slot: int, quantity_nano: int) -> None:
        """Write another quantity; everything else of the slot stays."""
        position = slot % self.length
        self.pages.put(position, (quantity_nano, *self.pages.contents(position)[1:]))

    def clear(self, first: int, end: int) -> None:
        """Forget the slots [first, end), and windows that are on their pages."""
        for low, high in stretches(first, end, self.length):
            self.pages.forget(low, high)

    def holds_evidence(self) -> bool:
        """True if any slot holds evidence."""
        return bool(self.pages.unpacked()[0]["evidence"].any())

    def is_nothing(self, slot: int) -> bool:
        """True if neither evidence nor an estimate nor MISSING stands in the slot."""
        return self.get(slot).quality == NOTHING

    def tidy(self) -> None:
        """Have no page take more memory than it needs to."""
        self.pages.tidy()


class WindowRing:
    """Billing windows: the quantity last emitted and its revision (NO_DETERMINANT before the first).

    Where the windows are the slots they stand on the pages of those. Others have pages of their own, and there a window is kept as
    if it were a slot: its quantity is what stands, its version how often it was emitted.
    """

    __slots__ = ("_is_own", "length", "pages")

    def __init__(self, length: int, pages: RingPages, *, is_own: bool) -> None:
        """On pages of their own, or on those of the slots."""
        self.length, self.pages, self._is_own = length, pages, is_own

    def get(self, window: int) -> tuple[int, int]:
        """(quantity last emitted, its revision)."""
        position = window % self.length
        standing_nano, emitted = self.pages.contents(position)[:2] if self._is_own else self.pages.standing(position)
        return standing_nano, emitted - 1

    def put(self, window: int, standing_nano: int, revision: int) -> None:
        """Note what has been emitted."""
        self._put(window % self.length, standing_nano, revision + 1)

    def _put(self, position: int, standing_nano: int, emitted: int) -> None:
        if self._is_own:
            self.pages.put(position, (standing_nano, emitted, 0, 0, 0, 0, 0))
        else:
            self.pages.stand(position, standing_nano, emitted)

    def clear(self, first: int, end: int) -> None:
        """Forget the windows [first, end), if not with the slots."""
        if self._is_own:
            for low, high in stretches(first, end, self.length):
                self.pages.forget(low, high)

    def tidy(self) -> None:
        """Have no page take more memory than it needs to."""
        if self._is_own:
            self.pages.tidy()


def records_of(slots: SlotRing, windows: WindowRing) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both rings by position, a SLOT a slot and a WINDOW a window, whatever form their pages have."""
    found, standing = slots.pages.unpacked()
    if windows.pages is not slots.pages:
        as_slots, _ = windows.pages.unpacked()
        standing = np.zeros(windows.length, WINDOW)
        standing["standing_nano"], standing["emitted"] = as_slots["quantity_nano"], as_slots["version"]
    return found, standing


def fill(slots: SlotRing, windows: WindowRing, found: NDArray[Any], standing: NDArray[Any]) -> None:
    """Give rings that are empty what `records_of` took from others."""
    if windows.pages is slots.pages:
        slots.pages.fill(found, standing)
        return
    slots.pages.fill(found, np.zeros(slots.length, WINDOW))
    as_slots = np.zeros(windows.length, SLOT)
    as_slots["quantity_nano"], as_slots["version"] = standing["standing_nano"], standing["emitted"]
    windows.pages.fill(as_slots, np.zeros(windows.length, WINDOW))
