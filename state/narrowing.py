"""Records made a narrow page, around what most of them have in common, and narrow pages made records again.

A page is narrow if at most an eighth of its records is unlike the others, and what those hold fits into three planes of cells.
`state/columnar/narrowing.py` holds these functions once more for compiled code.
"""

from collections.abc import Sequence
from math import gcd
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state.narrow_pages import KIND, MOST_PLANES, add_odd, head, most_odd, new, odd_at, offset, write_cell
from state.tables import NO_CONTENTS, PAGE_SLOTS, SLOT, WINDOW, Contents, Tables

_BITS: Final = ("held", "stands", "odd")


def pack(tables: Tables, records: Sequence[tuple[int, ...]], shift: int) -> int | None:
    """The number of a new narrow page of records as WIDE has them; None if they are too varied for one."""
    slots: list[Contents] = [record[:7] for record in records]  # type: ignore[misc]
    windows: list[tuple[int, int]] = [record[7:] for record in records]  # type: ignore[misc]
    filled = [at for at in range(len(records)) if slots[at] != NO_CONTENTS or windows[at] != (0, 0)]
    kind = _most_common([slots[at][1:] for at in filled if slots[at] != NO_CONTENTS], NO_CONTENTS[1:])
    emitted = _most_common([windows[at][1] for at in filled if windows[at][1]], 0)
    fit = [
        at
        for at in filled
        if slots[at] != NO_CONTENTS and slots[at][1:] == kind and windows[at] in ((0, 0), (slots[at][0], emitted))
    ]
    cells = _cells_of([slots[at][0] for at in fit])
    if cells is None or len(filled) - len(fit) > most_odd(shift):
        return None
    step_nano, planes, is_signed = cells
    number = new(tables, planes)
    row = tables.narrow[number]
    row["step_nano"], row["is_signed"], row["emitted"] = step_nano, is_signed, emitted
    for name, value in zip(KIND, kind, strict=True):
        row[name] = value
    page = head(tables, number)
    for at in filled:
        if at not in fit:
            add_odd(tables, number, at, slots[at], windows[at])
            continue
        quantity_nano = slots[at][0]
        cell = offset(planes, is_signed) + (quantity_nano // step_nano if step_nano else 0)
        write_cell(tables, page, at, cell)
        row["held"] |= np.uint64(1 << at)
        if windows[at][1]:
            row["stands"] |= np.uint64(1 << at)
    return number


def unpack(tables: Tables, numbers: NDArray[np.int64], shift: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Narrow pages as records of slots and of windows, a page a row."""
    size = 1 << shift
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
    for name in KIND:
        slots[name] = np.where(held, heads[name][:, None], 0)
    windows["standing_nano"] = np.where(stands, quantities, 0)
    windows["emitted"] = np.where(stands, heads["emitted"][:, None], 0)
    for row, at in zip(*(found.tolist() for found in odd.nonzero()), strict=True):
        values = tables.odd[odd_at(tables, head(tables, int(numbers[row])), at)].item()
        slots[row, at], windows[row, at] = values[2:9], values[:2]
    return slots, windows


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
        moved_by = offset(planes, is_signed)
        if least + moved_by >= 0 and most + moved_by < 1 << 16 * planes:
            return step_nano, planes, is_signed
    return None
