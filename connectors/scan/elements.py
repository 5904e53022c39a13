"""The quantities of a list and their qualities, into the columns of elements."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from connectors.scan.parts import one_range
from connectors.scan.tokens import Bytes, integer, skip, stands, word
from state.compiling import compiled, compiled_with_arrays

Ints = NDArray[np.int64]
Elements = tuple[Ints, NDArray[np.bool_], NDArray[np.uint8]]
"""Value, whether it is a number, and code of quality."""

_COMMA: Final = word(",")
_LIST_CLOSED: Final = word("]")
_NULL: Final = word("null")


@compiled_with_arrays
def room_for(size: int) -> Elements:
    """Columns for all the elements that so many bytes can hold: each takes two of them at least. Pages never written cost nothing."""
    most = size // 2 + 1
    return np.empty(most, np.int64), np.empty(most, np.bool_), np.empty(most, np.uint8)


@compiled
def quantity(data: Bytes, at: int, end: int, elements: Elements, element: int) -> int:
    """Take one integer or null; returns the place after it."""
    values, are_numbers, _ = elements
    if stands(data, at, end, _NULL):
        values[element] = 0
        are_numbers[element] = False
        return at + _NULL.size
    values[element], place = integer(data, at, end)
    are_numbers[element] = True
    return place


@compiled
def quantities(data: Bytes, at: int, end: int, elements: Elements, first: int) -> tuple[int, int]:
    """Take the elements of a list, of which there is at least one, and its bracket; the opening one stands before `at`.

    Returns the element after the last, and the place after the bracket.
    """
    element = first
    while True:
        at = quantity(data, at, end, elements, element)
        element += 1
        if not stands(data, at, end, _COMMA):
            return element, skip(data, at, end, _LIST_CLOSED)
        at += 1


@compiled
def ranges(data: Bytes, at: int, end: int, qualities: NDArray[np.uint8]) -> int:
    """Spread the qualities of a list's `ranges` over its elements; returns the place after its bracket. The opening one stands before `at`.

    A later range overrides an earlier one; positions outside the list are nobody's.
    """
    if stands(data, at, end, _LIST_CLOSED):
        return at + 1
    while True:
        first, last, code, _, at = one_range(data, at, end)
        if (
            at >= 0
        ):  # `first` is bounded on both sides: Numba takes the difference of a range's ends, which must not leave int64
            for position in range(min(max(first, 0), qualities.size), max(min(last, qualities.size - 1), -1) + 1):
                qualities[position] = code
        if not stands(data, at, end, _COMMA):
            return skip(data, at, end, _LIST_CLOSED)
        at += 1


@compiled
def values_end(data: Bytes, at: int, end: int, is_single: bool) -> tuple[int, int]:
    """How many integers and nulls stand here, one if `is_single`, and the place after the last; a bracket is not passed."""
    number = 0
    while True:
        at = at + _NULL.size if stands(data, at, end, _NULL) else integer(data, at, end)[1]
        number += 1
        if is_single or not stands(data, at, end, _COMMA):
            return number, at
        at += 1


@compiled
def ranges_end(data: Bytes, at: int, end: int) -> int:
    """The place after the bracket of a list's `ranges`; the opening one stands before `at`."""
    if stands(data, at, end, _LIST_CLOSED):
        return at + 1
    while True:
        at = one_range(data, at, end)[4]
        if not stands(data, at, end, _COMMA):
            return skip(data, at, end, _LIST_CLOSED)
        at += 1
