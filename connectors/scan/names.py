"""Names as numbers: each different combination of texts in the readings gets one, the first time it is met."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from connectors.scan.tokens import Bytes
from state.compiling import compiled, compiled_with_arrays

Ints = NDArray[np.int64]

_FREE: Final = -1
_FEWEST_SLOTS: Final = 1024
_FNV_BASIS: Final = -3750763034362895579  # 14695981039346656037 as int64
_FNV_PRIME: Final = 1099511628211
_SEPARATOR: Final = 34  # a quote: no text that is scanned holds one


class Names:
    """The texts met so far. `values[number]` are they as str: (supply_point, device, register, unit) of curated readings,
    (device, register, unit) of raw ones. It grows with what is met and forgets nothing."""

    def __init__(self) -> None:
        self.values: list[tuple[str, ...]] = []
        self._text: Bytes = np.empty(0, np.uint8)  # all names one after another, a quote after each text
        self._ends: Ints = np.zeros(1, np.int64)  # of name i in the text: _ends[i + 1]
        self._hashes: Ints = np.empty(0, np.int64)
        self._slots: Ints = np.full(_FEWEST_SLOTS, _FREE, np.int64)
        self._count: Ints = np.zeros(1, np.int64)

    def tables(self, names: int, size: int) -> tuple[Bytes, Ints, Ints, Ints, Ints]:
        """What `number_of` works on, with room for so many further names of so many bytes in all, closing quotes included."""
        count, used = len(self.values), int(self._ends[len(self.values)])
        if self._text.size < used + size:
            self._text = grown(self._text, used + size)
        if self._hashes.size < count + names:
            self._hashes = grown(self._hashes, count + names)
            self._ends = grown(self._ends, self._hashes.size + 1)
        if self._slots.size < 2 * (count + names):
            self._slots = _placed(self._hashes[:count], 1 << (2 * (count + names) - 1).bit_length())
        return self._text, self._ends, self._hashes, self._slots, self._count

    def note_new(self) -> None:
        """Take over the names that `number_of` has added since."""
        for number in range(len(self.values), int(self._count[0])):
            text = self._text[self._ends[number] : self._ends[number + 1] - 1].tobytes()
            self.values.append(tuple(part.decode() for part in text.split(b'"')))


def grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    """A copy with at least that many elements, and so many that growing stays rare."""
    found = np.zeros(max(size, 2 * array.size), array.dtype)
    found[: array.size] = array
    return found


@compiled_with_arrays
def _placed(hashes: Ints, size: int) -> Ints:
    """Slots, a power of two of them, for names of these hashes."""
    slots = np.full(size, _FREE, np.int64)
    for number in range(hashes.size):
        slot = _first_slot(hashes[number], size)
        while slots[slot] != _FREE:
            slot = slot + 1 & size - 1
        slots[slot] = number
    return slots


@compiled
def _first_slot(hashed: int, size: int) -> int:
    return (hashed ^ hashed >> 32) & size - 1


@compiled
def number_of(
    tables: tuple[Bytes, Ints, Ints, Ints, Ints], data: Bytes, starts: tuple[int, ...], stops: tuple[int, ...]
) -> int:
    """The number of the name that consists of the texts data[start:stop], which are added when they are new."""
    text, ends, hashes, slots, count = tables
    hashed: Any = np.int64(_FNV_BASIS)
    for part in range(len(starts)):
        for at in range(starts[part], stops[part]):
            hashed = (hashed ^ data[at]) * _FNV_PRIME
        hashed = (hashed ^ _SEPARATOR) * _FNV_PRIME
    slot = _first_slot(hashed, slots.size)
    while slots[slot] != _FREE:
        number = slots[slot]
        if hashes[number] == hashed and _is_name(text, ends[number], ends[number + 1], data, starts, stops):
            return number
        slot = slot + 1 & slots.size - 1
    number = count[0]
    count[0] += 1
    slots[slot] = number
    hashes[number] = hashed
    end = ends[number]
    for part in range(len(starts)):
        for at in range(starts[part], stops[part]):
            text[end] = data[at]
            end += 1
        text[end] = _SEPARATOR
        end += 1
    ends[number + 1] = end
    return number


@compiled
def _is_name(text: Bytes, start: int, end: int, data: Bytes, starts: tuple[int, ...], stops: tuple[int, ...]) -> bool:
    at = start
    for part in range(len(starts)):
        for place in range(starts[part], stops[part]):
            if at >= end or text[at] != data[place]:
                return False
            at += 1
        if at >= end or text[at] != _SEPARATOR:
            return False
        at += 1
    return at == end
