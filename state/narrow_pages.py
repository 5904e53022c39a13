"""A narrow page of a ring: what most of its slots have in common stands once, and a slot takes a cell.

The head has version, device, quality, method, reason and evidence, and three bits a slot:

    held     the slot holds that, and a quantity: its cell, times the step of the page
    stands   its window was emitted `emitted` times, and what stands is the slot's quantity
    odd      it is none of this and is kept apart, in a list of at most an eighth of the page

Cells are unsigned, or moved by half their range where quantities may be negative. A page whose cells are of 32 or 48 bits has them in
planes of 16. A quantity that the step does not divide makes the step finer; what does not fit even then is kept apart, until there is
too much of it: then the page has to be widened, which is for who called.

A page is named by its number among the narrow ones. `state/columnar/narrow_pages.py` holds these functions once more for compiled code.
"""

from math import gcd
from typing import Final, NamedTuple

import numpy as np

from state.tables import CELLS_POOL, NARROW_POOL, NO_CONTENTS, ODD_POOL, PAGE_SLOTS, SLOT, Contents, Tables

MOST_PLANES: Final = 3
KIND: Final = (SLOT.names or ())[1:]
"""What the slots of a page have in common."""


class Narrow(NamedTuple):
    """The head of a page, as NARROW has it."""

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


def head(tables: Tables, number: int) -> Narrow:
    """The head of a page."""
    return Narrow._make(tables.narrow.item(number))


# -- reading ----------------------------------------------------------------------------------------------------------


def contents(tables: Tables, number: int, at: int) -> Contents:
    """What stands in the slot at a place."""
    fields = tables.narrow.item(number)
    if fields[_HELD] >> at & 1:
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
        ) = fields
        if planes == 1 and not is_signed:
            quantity_nano = tables.cells_16.item(plane * PAGE_SLOTS + at) * step_nano
        else:
            quantity_nano = quantity(tables, Narrow._make(fields), at)
        return quantity_nano, version, device, quality, method, reason, evidence
    if fields[_ODD] >> at & 1:
        return tables.odd.item(odd_at(tables, Narrow._make(fields), at))[2:9]  # type: ignore[no-any-return]
    return NO_CONTENTS


def standing(tables: Tables, number: int, at: int) -> tuple[int, int]:
    """(quantity last emitted, how often) of the window at a place."""
    page = head(tables, number)
    if page.stands >> at & 1:
        return quantity(tables, page, at) if page.held >> at & 1 else 0, page.emitted
    if page.odd >> at & 1:
        standing_nano, emitted = tables.odd[odd_at(tables, page, at)].item()[:2]
        return standing_nano, emitted
    return 0, 0


def quantity(tables: Tables, page: Narrow, at: int) -> int:
    """The quantity of a cell."""
    cells = tables.cells_16
    cell: int = cells.item(page.plane_0 * PAGE_SLOTS + at)
    if page.planes > 1:
        cell |= int(cells[page.plane_1 * PAGE_SLOTS + at]) << 16
    if page.planes > 2:
        cell |= int(cells[page.plane_2 * PAGE_SLOTS + at]) << 32
    return (cell - offset(page.planes, page.is_signed)) * page.step_nano


def offset(planes: int, is_signed: int) -> int:
    """What cells are moved by."""
    return 1 << 16 * planes - 1 if is_signed else 0


def odd_at(tables: Tables, page: Narrow, at: int) -> int:
    """The number of the record that is kept apart for a place."""
    odd, number = tables.odd, page.first_odd
    while odd[number]["at"] != at:
        number = int(odd[number]["next"])
    return number


# -- writing ----------------------------------------------------------------------------------------------------------


def put(tables: Tables, number: int, at: int, written: Contents, shift: int) -> bool:
    """Write a slot; False if the page has to be widened."""
    page, bit, row = head(tables, number), 1 << at, tables.narrow[number]
    if page.odd & bit:
        _write_odd(tables, odd_at(tables, page, at), written, None)
        return True
    quantity_nano, *kind = written
    before = quantity(tables, page, at) if page.held & bit else 0
    if not page.stands & bit or quantity_nano == before:
        if written == NO_CONTENTS:
            row["held"] = page.held & ~bit
            return True
        is_blank = not page.held
        if (is_blank or tuple(kind) == page.kind) and _put_cell(tables, number, page, at, quantity_nano, shift):
            row["held"] = page.held | bit
            if is_blank:
                for name, value in zip(KIND, kind, strict=True):
                    row[name] = value
            return True
    return _keep_apart(tables, number, at, written, (before, page.emitted) if page.stands & bit else (0, 0), shift)


def stand(tables: Tables, number: int, at: int, standing_nano: int, emitted: int, shift: int) -> bool:
    """Write a window; False if the page has to be widened."""
    page, bit, row = head(tables, number), 1 << at, tables.narrow[number]
    if page.odd & bit:
        _write_odd(tables, odd_at(tables, page, at), None, (standing_nano, emitted))
        return True
    quantity_nano = quantity(tables, page, at) if page.held & bit else 0
    if (standing_nano, emitted) == (0, 0):
        row["stands"] = page.stands & ~bit
        return True
    if standing_nano == quantity_nano and emitted and (emitted == page.emitted or not page.stands & ~bit):
        row["stands"], row["emitted"] = page.stands | bit, emitted
        return True
    held: Contents = (quantity_nano, *page.kind) if page.held & bit else NO_CONTENTS  # type: ignore[assignment]
    return _keep_apart(tables, number, at, held, (standing_nano, emitted), shift)


def forget(tables: Tables, number: int, at: int, last: int) -> bool:
    """Clear the places from `at` to `last`, slots and windows; True if the page holds nothing any more."""
    page, gone = head(tables, number), (1 << last + 1) - (1 << at)
    left = [bits & ~gone for bits in (page.held, page.stands, page.odd)]
    row = tables.narrow[number]
    row["held"], row["stands"], row["odd"] = left
    return not any(left)


# -- cells ------------------------------------------------------------------------------------------------------------


def _put_cell(tables: Tables, number: int, page: Narrow, at: int, quantity_nano: int, shift: int) -> bool:
    """Write a quantity, in a finer step if it takes one; False if it does not fit."""
    step_nano = gcd(page.step_nano, quantity_nano)
    if step_nano != page.step_nano:
        if not _refine(tables, number, page, step_nano, shift):
            return False
        page = page._replace(step_nano=step_nano)
    cell = offset(page.planes, page.is_signed) + (quantity_nano // step_nano if step_nano else 0)
    if not 0 <= cell < 1 << 16 * page.planes:
        return False
    write_cell(tables, page, at, cell)
    return True


def _refine(tables: Tables, number: int, page: Narrow, step_nano: int, shift: int) -> bool:
    """Write the cells of a page again in a step that divides the one it has; False if they do not fit then."""
    moved_by = offset(page.planes, page.is_signed)
    held = {at: quantity(tables, page, at) for at in range(1 << shift) if page.held >> at & 1}
    cells = {at: moved_by + quantity_nano // step_nano for at, quantity_nano in held.items()}
    if not all(0 <= cell < 1 << 16 * page.planes for cell in cells.values()):
        return False
    for at, cell in cells.items():
        write_cell(tables, page, at, cell)
    tables.narrow[number]["step_nano"] = step_nano
    return True


def write_cell(tables: Tables, page: Narrow, at: int, cell: int) -> None:
    """Write a cell that fits."""
    for plane, number in enumerate((page.plane_0, page.plane_1, page.plane_2)[: page.planes]):
        tables.cells_16[number * PAGE_SLOTS + at] = cell >> 16 * plane & 0xFFFF


# -- records kept apart -----------------------------------------------------------------------------------------------


def _keep_apart(tables: Tables, number: int, at: int, held: Contents, window: tuple[int, int], shift: int) -> bool:
    """Give a place a record of its own; False if the page has too many of them."""
    row, bit = tables.narrow[number], 1 << at
    if row["odd_number"] >= most_odd(shift):
        return False
    add_odd(tables, number, at, held, window)
    page = head(tables, number)
    row["held"], row["stands"] = page.held & ~bit, page.stands & ~bit
    return True


def most_odd(shift: int) -> int:
    """As many records a page keeps apart at most: an eighth of its slots."""
    return 1 << shift >> 3


def add_odd(tables: Tables, number: int, at: int, held: Contents, window: tuple[int, int]) -> None:
    """Put a record on the page's list."""
    apart, row = tables.give_out(ODD_POOL), tables.narrow[number]
    tables.odd[apart] = (*window, *held, at, row["first_odd"])
    row["first_odd"] = apart
    row["odd_number"] += 1
    row["odd"] |= np.uint64(1 << at)


def _write_odd(tables: Tables, apart: int, written: Contents | None, window: tuple[int, int] | None) -> None:
    """Write the slot of a record, or its window; None: it stays as it is."""
    row = tables.odd[apart]
    values = row.item()
    tables.odd[apart] = (*(window or values[:2]), *(written or values[2:9]), *values[9:])


# -- the page itself --------------------------------------------------------------------------------------------------


def new(tables: Tables, planes: int) -> int:
    """The number of a page that holds nothing."""
    number = tables.give_out(NARROW_POOL)
    given = [tables.give_out(CELLS_POOL) for _ in range(planes)]
    row = tables.narrow[number]
    row["planes"], row["first_odd"] = planes, -1
    row["plane_0"], row["plane_1"], row["plane_2"] = *given, *[0] * (MOST_PLANES - planes)
    return number


def give_back(tables: Tables, number: int) -> None:
    """Give a page back with all that belongs to it."""
    page = head(tables, number)
    for plane in (page.plane_0, page.plane_1, page.plane_2)[: page.planes]:
        tables.give_back(CELLS_POOL, plane)
    apart = page.first_odd
    while apart >= 0:
        following = int(tables.odd[apart]["next"])
        tables.give_back(ODD_POOL, apart)
        apart = following
    tables.give_back(NARROW_POOL, number)
