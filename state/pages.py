"""The fold's tables by page: what of them has changed, as bytes, and tables made of such bytes.

Of each table in the order of `KINDS`: how many elements it has, how many pages follow and how many bytes they take (three i64), their
numbers (u32 each), and the pages, packed column by column (`page_packing.py`). All little-endian.
"""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state.page_packing import columns_of, most_packed, pack_pages, unpack_pages
from state.page_sums import MOST_WORDS, PageSums
from state.tables import KINDS, PAGE, Tables

_TABLE: Final = struct.Struct("<qqq")
_NUMBER: Final = np.dtype("<u4")
_WORDS: Final = {name: kind.itemsize // 8 for name, kind in KINDS.items()}
"""Words of 64 bits in an element."""
_COLUMNS: Final = {name: columns_of(kind) for name, kind in KINDS.items()}
assert all(_WORDS[name] * PAGE[name] <= MOST_WORDS for name in KINDS)


class ChangedPages:
    """Finds the pages of a fold's tables that are not as they were when it last looked; at first nothing was there."""

    def __init__(self) -> None:
        self._sums = {name: PageSums(_WORDS[name] * PAGE[name]) for name in KINDS}

    def take(self, tables: Tables) -> bytes:
        """The changed pages, packed."""
        parts = []
        for name in KINDS:
            pages = _pages_of(tables, name)
            numbers = self._sums[name].changed(_in_rows(pages))
            packed = _pack(name, pages, numbers)
            parts += [
                _TABLE.pack(tables.used[name], len(numbers), len(packed)),
                numbers.astype(_NUMBER).tobytes(),
                packed,
            ]
        return b"".join(parts)

    def look(self, tables: Tables) -> None:
        """Take the tables for known as they are now."""
        for name in KINDS:
            self._sums[name].changed(_in_rows(_pages_of(tables, name)))

    def forget(self) -> None:
        """Take nothing for known, so that whatever is there has changed."""
        for sums in self._sums.values():
            sums.forget()


def lay(packed: bytes, tables: Tables) -> Tables:
    """Lay packed pages over tables that nobody looks at yet; returns them, or larger ones if they have grown since.

    ValueError if the bytes are not what `ChangedPages.take` gave; that they are whole is for who keeps them to say.
    """
    at, found = 0, []
    for name in KINDS:
        used, number, size = _TABLE.unpack_from(packed, at)
        at += _TABLE.size
        numbers = np.frombuffer(packed, _NUMBER, number, at).astype(np.int64)
        at += number * _NUMBER.itemsize
        found.append((name, used, numbers, at, at + size))
        at += size
    if any(used > len(getattr(tables, name)) for name, used, *_ in found):
        tables = _grown(tables, {name: used for name, used, *_ in found})
    data = np.frombuffer(packed, np.uint8)
    for name, used, numbers, begin, end in found:
        tables.used[name] = used
        if unpack_pages(data, begin, _COLUMNS[name], numbers, _pages_of(tables, name)) != end:
            raise ValueError(f"pages of {name} end elsewhere than they say")
    return tables


def _pages_of(tables: Tables, name: str) -> NDArray[np.int64]:
    """The pages of a table that are in use, by page, element and word."""
    pages = -(-tables.used[name] // PAGE[name])
    array: NDArray[Any] = getattr(tables, name)
    return array[: pages * PAGE[name]].view(np.int64).reshape(pages, PAGE[name], _WORDS[name])


def _in_rows(pages: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A page a row."""
    return pages.view(np.uint64).reshape(len(pages), pages.shape[1] * pages.shape[2])


def _pack(name: str, pages: NDArray[np.int64], numbers: NDArray[np.int64]) -> bytes:
    out = np.empty(len(numbers) * most_packed(KINDS[name], PAGE[name]), np.uint8)
    end = pack_pages(pages, numbers, _COLUMNS[name], np.empty(PAGE[name], np.int64), out, 0)
    return out[:end].tobytes()


def _grown(tables: Tables, used: dict[str, int]) -> Tables:
    """The same contents with room for more: twice what is asked for, as they may go on growing."""
    grown = Tables({name: 2 * number for name, number in used.items()})
    for name in KINDS:
        old: NDArray[Any] = getattr(tables, name)
        getattr(grown, name)[: len(old)] = old[: len(getattr(grown, name))]
    return grown
