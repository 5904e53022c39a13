"""The pages of one ring: what stands at a position, in whatever form its page has.

A position holds a slot, and the window of the same number where a channel's windows are its slots. A page of positions is

    EMPTY    nothing was ever written there, or all is forgotten: it takes nothing
    NARROW   most slots have version, device, quality, method, reason and evidence in common, which stand once: each is a cell, its
             quantity divided by a common step, and three bits: `held` it holds that, `stands` its window was emitted `emitted` times
             and what stands is the slot's quantity, `odd` it is none of this and is kept apart, in a list of at most an eighth of the page
    WIDE     a record a slot and a window
    MOTLEY   the same, and has been found to be too varied for a narrow page since it was last written

A page begins narrow, with the step of the page before it. What does not fit is kept apart, until there is too much of it: then the page
is made wide, and `tidy` makes it narrow again around what most of its slots have in common. The form of a page is nobody's business
outside: what is read is what was written.

Cells are unsigned, or moved by half their range where quantities may be negative. A page whose cells are of 32 or 48 bits has them in
planes of 16. `state/columnar/ring_pages.py` holds these functions once more for compiled code.
"""

from collections.abc import Iterator
from math import gcd
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from state.tables import CELLS_POOL, NARROW_POOL, ODD_POOL, PAGE_SLOTS, SLOT, WIDE_POOL, WINDOW, Tables
from state.tables import WIDE as WIDE_RECORD

EMPTY: Final = 0
NARROW, WIDE, MOTLEY = range(1, 4)
"""Forms: the lowest two bits of a place in `pages`; those above are the number of the narrow or wide page."""
MOST_PLANES: Final = 3
PAGE_SHIFT: Final = 6
"""A page has 2 to this positions; less in tests, where it never is less than 3."""

Contents = tuple[int, int, int, int, int, int, int]
"""A slot as SLOT has it: quantity, version, device, quality, method, reason, evidence."""
NO_CONTENTS: Final[Contents] = (0, 0, 0, 0, 0, 0, 0)
_KIND: Final = (SLOT.names or ())[1:]
"""What the slots of a narrow page have in common."""
_BITS: Final = ("held", "stands", "odd")


class Narrow(NamedTuple):
    """The head of a narrow page, as NARROW has it."""

    step_nano: int
    version: int
    held: int
    stands: int
    odd: int
    device: int
    quality: int
    method: int
    reason: int
    evidence: int
    emitted: int
    first_odd: int
    plane_0: int
    plane_1: int
    plane_2: int
    planes: int
    is_signed: int
    odd_number: int
    spare: int

    @property
    def kind(self) -> tuple[int, ...]:
        """What slots have in common: version, device, quality, method, reason, evidence."""
        return self.version, self.device, self.quality, self.method, self.reason, self.evidence


_HELD: Final = Narrow._fields.index("held")
_ODD: Final = Narrow._fields.index("odd")


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
        if place & 3 != NARROW:
            found: Contents = tables.wide.item((place >> 2) * PAGE_SLOTS + at)[:7]
            return found
        head = tables.narrow.item(place >> 2)
        if head[_HELD] >> at & 1:
            (
                step_nano,
                version,
                _,
                _,
                _,
                device,
                quality,
                method,
                reason,
                evidence,
                _,
                _,
                plane,
                _,
                _,
                planes,
                is_signed,
                *_,
            ) = head
            if planes == 1 and not is_signed:
                quantity_nano = tables.cells_16.item(plane * PAGE_SLOTS + at) * step_nano
            else:
                quantity_nano = self._quantity(Narrow._make(head), at)
            return quantity_nano, version, device, quality, method, reason, evidence
        if head[_ODD] >> at & 1:
            return tables.odd.item(self._odd_at(Narrow._make(head), at))[2:9]  # type: ignore[no-any-return]
        return NO_CONTENTS

    def standing(self, position: int) -> tuple[int, int]:
        """(quantity last emitted, how often) of the window at a position."""
        number, form, at = self._find(position)
        if form >= WIDE:
            standing_nano, emitted = self._tables.wide.item(number * PAGE_SLOTS + at)[7:]
            return standing_nano, emitted
        if form == EMPTY:
            return 0, 0
        page = self._narrow(number)
        if page.stands >> at & 1:
            return self._quantity(page, at) if page.held >> at & 1 else 0, page.emitted
        if page.odd >> at & 1:
            standing_nano, emitted = self._tables.odd[self._odd_at(page, at)].item()[:2]
            return standing_nano, emitted
        return 0, 0

    def unpacked(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Every position as records, of slots and of windows."""
        pages, size = -(-self.length >> self.shift), 1 << self.shift
        slots, windows = np.zeros((pages, size), SLOT), np.zeros((pages, size), WINDOW)
        places = self._tables.pages["page"][self.at : self.at + pages]
        is_wide, is_narrow = places & 3 >= WIDE, places & 3 == NARROW
        wide = self._tables.wide.reshape(-1, PAGE_SLOTS)[places[is_wide] >> 2, :size]
        slots[is_wide], windows[is_wide] = _fields(wide, SLOT), _fields(wide, WINDOW)
        slots[is_narrow], windows[is_narrow] = self._unpack(places[is_narrow] >> 2)
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
            if self._put_narrow(number, at, contents):
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
            if self._stand_narrow(number, at, standing_nano, emitted):
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
                page, gone = self._narrow(number), (1 << last + 1) - (1 << at)
                left = [bits & ~gone for bits in (page.held, page.stands, page.odd)]
                row = self._tables.narrow[number]
                row["held"], row["stands"], row["odd"] = left
                if not any(left):
                    self._give_back_narrow(number)
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
            page = self._narrow(before >> 2)
            step_nano, planes, is_signed = page.step_nano, page.planes, is_signed or bool(page.is_signed)
        number = self._new_narrow(planes)
        row = tables.narrow[number]
        row["step_nano"], row["is_signed"] = step_nano, is_signed
        self._place(position, number, NARROW)
        return number

    def _new_narrow(self, planes: int) -> int:
        tables = self._tables
        number = tables.give_out(NARROW_POOL)
        given = [tables.give_out(CELLS_POOL) for _ in range(planes)]
        row = tables.narrow[number]
        row["planes"], row["first_odd"] = planes, -1
        row["plane_0"], row["plane_1"], row["plane_2"] = *given, *[0] * (MOST_PLANES - planes)
        return number

    def _narrow(self, number: int) -> Narrow:
        return Narrow._make(self._tables.narrow.item(number))

    def _write_wide(self, first: int, slots: NDArray[Any], windows: NDArray[Any]) -> None:
        """Write records of a wide page."""
        records = self._tables.wide[first : first + len(slots)]
        for name in SLOT.names or ():
            records[name] = slots[name]
        for name in WINDOW.names or ():
            records[name] = windows[name]

    # -- narrow pages -----------------------------------------------------------------------------------------------

    def _quantity(self, page: Narrow, at: int) -> int:
        """The quantity of a cell."""
        cells = self._tables.cells_16
        cell: int = cells.item(page.plane_0 * PAGE_SLOTS + at)
        if page.planes > 1:
            cell |= int(cells[page.plane_1 * PAGE_SLOTS + at]) << 16
        if page.planes > 2:
            cell |= int(cells[page.plane_2 * PAGE_SLOTS + at]) << 32
        return (cell - _offset(page.planes, page.is_signed)) * page.step_nano

    def _odd_at(self, page: Narrow, at: int) -> int:
        """The number of the record that is kept apart for a place."""
        odd, number = self._tables.odd, page.first_odd
        while odd[number]["at"] != at:
            number = int(odd[number]["next"])
        return number

    def _put_narrow(self, number: int, at: int, contents: Contents) -> bool:
        """Write a slot of a narrow page; False if it has to be widened."""
        page, bit, row = self._narrow(number), 1 << at, self._tables.narrow[number]
        if page.odd & bit:
            self._write_odd(self._odd_at(page, at), contents, None)
            return True
        quantity_nano, *kind = contents
        before = self._quantity(page, at) if page.held & bit else 0
        if not page.stands & bit or quantity_nano == before:
            if contents == NO_CONTENTS:
                row["held"] = page.held & ~bit
                return True
            is_blank = not page.held
            if (is_blank or tuple(kind) == page.kind) and self._put_cell(number, page, at, quantity_nano):
                row["held"] = page.held | bit
                if is_blank:
                    for name, value in zip(_KIND, kind, strict=True):
                        row[name] = value
                return True
        return self._keep_apart(number, at, contents, (before, page.emitted) if page.stands & bit else (0, 0))

    def _stand_narrow(self, number: int, at: int, standing_nano: int, emitted: int) -> bool:
        """Write a window of a narrow page; False if it has to be widened."""
        page, bit, row = self._narrow(number), 1 << at, self._tables.narrow[number]
        if page.odd & bit:
            self._write_odd(self._odd_at(page, at), None, (standing_nano, emitted))
            return True
        quantity_nano = self._quantity(page, at) if page.held & bit else 0
        if (standing_nano, emitted) == (0, 0):
            row["stands"] = page.stands & ~bit
            return True
        if standing_nano == quantity_nano and emitted and (emitted == page.emitted or not page.stands & ~bit):
            row["stands"], row["emitted"] = page.stands | bit, emitted
            return True
        contents: Contents = (quantity_nano, *page.kind) if page.held & bit else NO_CONTENTS  # type: ignore[assignment]
        return self._keep_apart(number, at, contents, (standing_nano, emitted))

    def _put_cell(self, number: int, page: Narrow, at: int, quantity_nano: int) -> bool:
        """Write a quantity, in a finer step if it takes one; False if it does not fit."""
        step_nano = gcd(page.step_nano, quantity_nano)
        if step_nano != page.step_nano:
            if not self._refine(number, page, step_nano):
                return False
            page = page._replace(step_nano=step_nano)
        cell = _offset(page.planes, page.is_signed) + (quantity_nano // step_nano if step_nano else 0)
        if not 0 <= cell < 1 << 16 * page.planes:
            return False
        self._write_cell(page, at, cell)
        return True

    def _refine(self, number: int, page: Narrow, step_nano: int) -> bool:
        """Write the cells of a page again in a step that divides the one it has; False if they do not fit then."""
        offset = _offset(page.planes, page.is_signed)
        held = {at: self._quantity(page, at) for at in range(1 << self.shift) if page.held >> at & 1}
        cells = {at: offset + quantity_nano // step_nano for at, quantity_nano in held.items()}
        if not all(0 <= cell < 1 << 16 * page.planes for cell in cells.values()):
            return False
        for at, cell in cells.items():
            self._write_cell(page, at, cell)
        self._tables.narrow[number]["step_nano"] = step_nano
        return True

    def _write_cell(self, page: Narrow, at: int, cell: int) -> None:
        for plane, number in enumerate((page.plane_0, page.plane_1, page.plane_2)[: page.planes]):
            self._tables.cells_16[number * PAGE_SLOTS + at] = cell >> 16 * plane & 0xFFFF

    def _keep_apart(self, number: int, at: int, contents: Contents, window: tuple[int, int]) -> bool:
        """Give a place a record of its own; False if the page has too many of them."""
        row, bit = self._tables.narrow[number], 1 << at
        if row["odd_number"] >= most_odd(self.shift):
            return False
        self._add_odd(number, at, contents, window)
        page = self._narrow(number)
        row["held"], row["stands"], row["odd"] = page.held & ~bit, page.stands & ~bit, page.odd | bit
        return True

    def _add_odd(self, number: int, at: int, contents: Contents, window: tuple[int, int]) -> None:
        apart, row = self._tables.give_out(ODD_POOL), self._tables.narrow[number]
        self._tables.odd[apart] = (*window, *contents, at, row["first_odd"])
        row["first_odd"] = apart
        row["odd_number"] += 1

    def _write_odd(self, apart: int, contents: Contents | None, window: tuple[int, int] | None) -> None:
        row = self._tables.odd[apart]
        values = row.item()
        self._tables.odd[apart] = (*(window or values[:2]), *(contents or values[2:9]), *values[9:])

    def _give_back_narrow(self, number: int) -> None:
        """Give a narrow page back with all that belongs to it."""
        tables, page = self._tables, self._narrow(number)
        for plane in (page.plane_0, page.plane_1, page.plane_2)[: page.planes]:
            tables.give_back(CELLS_POOL, plane)
        apart = page.first_odd
        while apart >= 0:
            following = int(tables.odd[apart]["next"])
            tables.give_back(ODD_POOL, apart)
            apart = following
        tables.give_back(NARROW_POOL, number)

    # -- from one form to the other ---------------------------------------------------------------------------------

    def _widen(self, position: int) -> int:
        """Make a narrow page wide; returns its number."""
        tables, number = self._tables, self._find(position)[0]
        wide = tables.give_out(WIDE_POOL)
        slots, windows = self._unpack(np.array([number]))
        self._write_wide(wide * PAGE_SLOTS, slots[0], windows[0])
        self._give_back_narrow(number)
        self._place(position, wide, WIDE)
        return wide

    def _unpack(self, numbers: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Narrow pages as records, a page a row."""
        tables, size = self._tables, 1 << self.shift
        heads = tables.narrow[numbers]
        slots, windows = np.zeros((len(heads), size), SLOT), np.zeros((len(heads), size), WINDOW)
        held, stands, odd = ((heads[name][:, None] >> np.arange(size, dtype=np.uint64) & 1) != 0 for name in _BITS)
        cells = np.zeros((len(heads), size), np.int64)
        for plane in range(MOST_PLANES):
            planes = tables.cells_16.reshape(-1, PAGE_SLOTS)[heads[f"plane_{plane}"], :size].astype(np.int64)
            cells |= np.where(heads["planes"][:, None] > plane, planes << 16 * plane, 0)
        offsets = np.where(heads["is_signed"], 1 << heads["planes"].astype(np.int64) * 16 - 1, 0)
        quantities = np.where(held, (cells - offsets[:, None]) * heads["step_nano"][:, None], 0)
        slots["quantity_nano"] = quantities
        for name in _KIND:
            slots[name] = np.where(held, heads[name][:, None], 0)
        windows["standing_nano"] = np.where(stands, quantities, 0)
        windows["emitted"] = np.where(stands, heads["emitted"][:, None], 0)
        for row, at in zip(*(found.tolist() for found in odd.nonzero()), strict=True):
            values = tables.odd[self._odd_at(self._narrow(int(numbers[row])), at)].item()
            slots[row, at], windows[row, at] = values[2:9], values[:2]
        return slots, windows

    def _narrow_down(self, low: int, size: int, wide: int) -> None:
        """Make a wide page narrow, or note that it cannot be."""
        tables, first = self._tables, wide * PAGE_SLOTS
        records: list[Any] = tables.wide[first : first + size].tolist()
        slots: list[Contents] = [record[:7] for record in records]
        windows: list[tuple[int, int]] = [record[7:] for record in records]
        filled = [at for at in range(size) if slots[at] != NO_CONTENTS or windows[at] != (0, 0)]
        kind = _most_common([slots[at][1:] for at in filled if slots[at] != NO_CONTENTS], NO_CONTENTS[1:])
        emitted = _most_common([windows[at][1] for at in filled if windows[at][1]], 0)
        fit = [
            at
            for at in filled
            if slots[at] != NO_CONTENTS and slots[at][1:] == kind and windows[at] in ((0, 0), (slots[at][0], emitted))
        ]
        cells = _cells_of([slots[at][0] for at in fit])
        if cells is None or len(filled) - len(fit) > most_odd(self.shift):
            self._place(low, wide, MOTLEY)
            return
        step_nano, planes, is_signed = cells
        number = self._new_narrow(planes)
        row = tables.narrow[number]
        row["step_nano"], row["is_signed"], row["emitted"] = step_nano, is_signed, emitted
        for name, value in zip(_KIND, kind, strict=True):
            row[name] = value
        page = self._narrow(number)
        for at in filled:
            if at not in fit:
                self._add_odd(number, at, slots[at], windows[at])
                row["odd"] |= np.uint64(1 << at)
                continue
            quantity_nano = slots[at][0]
            cell = _offset(planes, is_signed) + (quantity_nano // step_nano if step_nano else 0)
            self._write_cell(page, at, cell)
            row["held"] |= np.uint64(1 << at)
            if windows[at][1]:
                row["stands"] |= np.uint64(1 << at)
        tables.give_back(WIDE_POOL, wide)
        if filled:
            self._place(low, number, NARROW)
        else:
            self._give_back_narrow(number)
            self._place(low, 0, EMPTY)


def _fields(records: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """Records of another kind, which has some of their fields."""
    found = np.empty(records.shape, kind)
    for name in kind.names or ():
        found[name] = records[name]
    return found


def most_odd(shift: int) -> int:
    """As many records a narrow page keeps apart at most: an eighth of its slots."""
    return 1 << shift >> 3


def _offset(planes: int, is_signed: int) -> int:
    """What cells are moved by."""
    return 1 << 16 * planes - 1 if is_signed else 0


def _most_common(given: list[Any], default: Any) -> Any:
    """What more than half of them are, if there is such; else one of them."""
    common, lead = default, 0
    for one in given:
        if lead == 0:
            common = one
        lead += 1 if one == common else -1
    return common


def _cells_of(quantities: list[int]) -> tuple[int, int, bool] | None:
    """(step, planes, whether they are signed) of cells that hold these quantities; None if there are none."""
    step_nano, is_signed = gcd(*quantities), min(quantities, default=0) < 0
    least, most = min(quantities, default=0) // (step_nano or 1), max(quantities, default=0) // (step_nano or 1)
    for planes in range(1, MOST_PLANES + 1):
        offset = _offset(planes, is_signed)
        if least + offset >= 0 and most + offset < 1 << 16 * planes:
            return step_nano, planes, is_signed
    return None
