"""The pages of one ring: what stands at a position, in whatever form its page has.

A position holds a slot, and the window of the same number where a channel's windows are its slots. A page of positions is

    EMPTY    nothing was ever written there, or all is forgotten: it takes nothing
    NARROW   most slots have all but their quantities in common, which stands once (`state/narrow_pages.py`)
    WIDE     a record a slot and a window
    MOTLEY   the same, and has been found to be too varied for a narrow page since it was last written

A page begins narrow, with the step of the page before it. Where a narrow page does not take what is written the page is made wide, and
`tidy` makes it narrow again around what most of its slots have in common. The form of a page is nobody's business outside: what is read
is what was written.

`state/columnar/ring_pages.py` holds these functions once more for compiled code.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state import narrow_pages
from state.narrowing import pack, unpack
from state.tables import NO_CONTENTS, PAGE_SLOTS, SLOT, WIDE_POOL, WINDOW, Contents, Tables
from state.tables import WIDE as WIDE_RECORD

EMPTY: Final = 0
NARROW, WIDE, MOTLEY = range(1, 4)
"""Forms: the lowest two bits of a place in `pages`; those above are the number of the narrow or wide page."""
PAGE_SHIFT: Final = 6
"""A page has 2 to this positions; less in tests, where it never is less than 3."""


class RingPages:
    """A ring of positions, its pages in the fold's tables."""

    __slots__ = ("_mask", "_tables", "at", "length", "shift")

    def __init__(self, tables: Tables, length: int, shift: int, at: int | None = None) -> None:
        """New, or as it lies in the tables."""
        self._tables, self.length, self.shift, self._mask = tables, length, shift, (1 << shift) - 1
        pages = -(-length >> shift)
        self.at = tables.take("pages", pages, None) if at is None else at

    # -- reading ----------------------------------------------------------------------------------------------------

    def contents(self, position: int) -> Contents:
        """What stands in the slot at a position."""
        tables, at = self._tables, position & self._mask
        place: int = tables.pages.item(self.at + (position >> self.shift))[0]
        if place & 3 == EMPTY:
            return NO_CONTENTS
        if place & 3 == NARROW:
            return narrow_pages.contents(tables, place >> 2, at)
        found: Contents = tables.wide.item((place >> 2) * PAGE_SLOTS + at)[:7]
        return found

    def standing(self, position: int) -> tuple[int, int]:
        """(quantity last emitted, how often) of the window at a position."""
        number, form, at = self._find(position)
        if form >= WIDE:
            standing_nano, emitted = self._tables.wide.item(number * PAGE_SLOTS + at)[7:]
            return standing_nano, emitted
        if form == EMPTY:
            return 0, 0
        return narrow_pages.standing(self._tables, number, at)

    def unpacked(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Every position as records, of slots and of windows."""
        pages, size = -(-self.length >> self.shift), 1 << self.shift
        slots, windows = np.zeros((pages, size), SLOT), np.zeros((pages, size), WINDOW)
        places = self._tables.pages["page"][self.at : self.at + pages]
        is_wide, is_narrow = places & 3 >= WIDE, places & 3 == NARROW
        wide = self._tables.wide.reshape(-1, PAGE_SLOTS)[places[is_wide] >> 2, :size]
        slots[is_wide], windows[is_wide] = _fields(wide, SLOT), _fields(wide, WINDOW)
        slots[is_narrow], windows[is_narrow] = unpack(self._tables, places[is_narrow] >> 2, self.shift)
        return slots.reshape(-1)[: self.length], windows.reshape(-1)[: self.length]

    # -- writing ----------------------------------------------------------------------------------------------------

    def put(self, position: int, contents: Contents) -> None:
        """Write a slot; its window stays as it is."""
        number, form, at = self._find(position)
        if form == EMPTY:
            if contents == NO_CONTENTS:
                return
            number, form = self._begin(position, contents[0]), NARROW
        if form == NARROW:
            if narrow_pages.put(self._tables, number, at, contents, self.shift):
                return
            number = self._widen(position)
        elif form == MOTLEY:
            self._place(position, number, WIDE)
        record = self._tables.wide[number * PAGE_SLOTS + at]
        self._tables.wide[number * PAGE_SLOTS + at] = (*contents, record["standing_nano"], record["emitted"])

    def stand(self, position: int, standing_nano: int, emitted: int) -> None:
        """Write a window; its slot stays as it is."""
        number, form, at = self._find(position)
        if form == EMPTY:
            if emitted == 0:
                return
            number, form = self._begin(position, 0), NARROW
        if form == NARROW:
            if narrow_pages.stand(self._tables, number, at, standing_nano, emitted, self.shift):
                return
            number = self._widen(position)
        elif form == MOTLEY:
            self._place(position, number, WIDE)
        record = self._tables.wide[number * PAGE_SLOTS + at]
        record["standing_nano"], record["emitted"] = standing_nano, emitted

    def forget(self, low: int, high: int) -> None:
        """Clear the positions [low, high), slots and windows; a page that holds nothing any more is given back."""
        for first, end, place in self._pages(low, high):
            number, form = place >> 2, place & 3
            at, last = first & self._mask, end - 1 & self._mask
            if form == NARROW:
                if narrow_pages.forget(self._tables, number, at, last):
                    narrow_pages.give_back(self._tables, number)
                    self._place(first, 0, EMPTY)
            elif form >= WIDE:
                of_page = number * PAGE_SLOTS
                self._tables.wide[of_page + at : of_page + last + 1] = np.zeros(1, WIDE_RECORD)
                if self._ends_page(end) and not self._tables.words[WIDE_POOL][number].any():
                    self._tables.give_back(WIDE_POOL, number)
                    self._place(first, 0, EMPTY)

    def tidy(self) -> None:
        """Make the wide pages narrow that were written since this was last done, where they can be."""
        for low, high, place in self._pages(0, self.length):
            if place & 3 == WIDE:
                self._narrow_down(low, high - low, place >> 2)

    def fill(self, slots: NDArray[Any], windows: NDArray[Any]) -> None:
        """Write every position of a ring that is empty."""
        for low, high, _ in self._pages(0, self.length):
            if slots[low:high].tobytes().strip(b"\0") or windows[low:high].tobytes().strip(b"\0"):
                number = self._tables.give_out(WIDE_POOL)
                self._place(low, number, WIDE)
                first = number * PAGE_SLOTS
                self._write_wide(first, slots[low:high], windows[low:high])
                self._narrow_down(low, high - low, number)

    # -- pages ------------------------------------------------------------------------------------------------------

    def _find(self, position: int) -> tuple[int, int, int]:
        """(number of the page among those of its form, its form, place in the page)."""
        place: int = self._tables.pages.item(self.at + (position >> self.shift))[0]
        return place >> 2, place & 3, position & self._mask

    def _place(self, position: int, number: int, form: int) -> None:
        self._tables.pages[self.at + (position >> self.shift)] = number << 2 | form

    def _pages(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """(first position, end, place) of the parts of pages in [low, high)."""
        while low < high:
            end = min((low >> self.shift) + 1 << self.shift, high)
            yield low, end, int(self._tables.pages[self.at + (low >> self.shift)][0])
            low = end

    def _ends_page(self, end: int) -> bool:
        return end == self.length or end & self._mask == 0

    def _begin(self, position: int, quantity_nano: int) -> int:
        """A narrow page where there is none, its cells as those of the page before it; returns its number."""
        tables, index = self._tables, position >> self.shift
        before = int(tables.pages[self.at + (index or -(-self.length >> self.shift)) - 1][0])
        step_nano, planes, is_signed = 0, 1, quantity_nano < 0
        if before & 3 == NARROW:
            page = narrow_pages.head(tables, before >> 2)
            step_nano, planes, is_signed = page.step_nano, page.planes, is_signed or bool(page.is_signed)
        number = narrow_pages.new(tables, planes)
        row = tables.narrow[number]
        row["step_nano"], row["is_signed"] = step_nano, is_signed
        self._place(position, number, NARROW)
        return number

    def _write_wide(self, first: int, slots: NDArray[Any], windows: NDArray[Any]) -> None:
        """Write records of a wide page."""
        records = self._tables.wide[first : first + len(slots)]
        for name in SLOT.names or ():
            records[name] = slots[name]
        for name in WINDOW.names or ():
            records[name] = windows[name]

    # -- from one form to the other ---------------------------------------------------------------------------------

    def _widen(self, position: int) -> int:
        """Make a narrow page wide; returns its number."""
        tables, number = self._tables, self._find(position)[0]
        wide = tables.give_out(WIDE_POOL)
        slots, windows = unpack(tables, np.array([number]), self.shift)
        self._write_wide(wide * PAGE_SLOTS, slots[0], windows[0])
        narrow_pages.give_back(tables, number)
        self._place(position, wide, WIDE)
        return wide

    def _narrow_down(self, low: int, size: int, wide: int) -> None:
        """Make a wide page narrow, or note that it cannot be."""
        tables, first = self._tables, wide * PAGE_SLOTS
        records: list[tuple[int, ...]] = tables.wide[first : first + size].tolist()
        number = pack(tables, records, self.shift)
        if number is None:
            self._place(low, wide, MOTLEY)
            return
        tables.give_back(WIDE_POOL, wide)
        if any(map(any, records)):
            self._place(low, number, NARROW)
        else:
            narrow_pages.give_back(tables, number)
            self._place(low, 0, EMPTY)


def _fields(records: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """Records of another kind, which has some of their fields."""
    found = np.empty(records.shape, kind)
    for name in kind.names or ():
        found[name] = records[name]
    return found


__all__ = ["EMPTY", "MOTLEY", "NARROW", "NO_CONTENTS", "PAGE_SHIFT", "WIDE", "Contents", "RingPages"]
