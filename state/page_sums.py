"""Checksums of pages: what has changed is found by looking, at the speed of memory.

A sum has 128 bits, two halves of 64 by the same method with other keys (NH, of the message authentication code UMAC): each word is made
unlike its neighbours by the key of its place, its two halves are multiplied, and all products are added up. The sum of nothing but zeros
is known, so a page that was never written costs nothing. A change goes unseen with a chance of 2⁻⁶⁴, whatever changes; whoever knew the
keys could make one up, but nobody who writes to the fold's memory can choose what it holds to that end.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from state.compiling import compiled

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]

MOST_WORDS: Final = 512
"""As many words as a page may have."""
_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
_ALL: Final = (1 << 64) - 1


def _keys(seed: int) -> Iterator[int]:
    """Numbers without a pattern (splitmix64)."""
    for at in range(1, MOST_WORDS + 1):
        mixed = (seed + at * 0x9E3779B97F4A7C15) & _ALL
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _ALL
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _ALL
        yield mixed ^ mixed >> 31


_KEYS: Final[Words] = np.array([list(_keys(1)), list(_keys(2))], np.uint64)


class PageSums:
    """The sums of an array's pages as they were when they were last looked at; before the first time they held only zeros."""

    def __init__(self, page_words: int) -> None:
        self._page_words = page_words
        self._sums = np.zeros((0, 2), np.uint64)

    @cached_property
    def _nothing(self) -> Words:
        """The sum of zeros; found when it is first asked for, as that takes compiled code."""
        sums = np.zeros((1, 2), np.uint64)
        _find_changed(np.zeros((1, self._page_words), np.uint64), _KEYS, sums, np.zeros(1, np.int64))
        return sums

    def changed(self, pages: Words) -> Ints:
        """The numbers of the pages (a row each) that are not as they were, ascending. Rows may have been added, not taken away."""
        new = len(pages) - len(self._sums)
        if new > 0:
            self._sums = np.concatenate([self._sums, np.repeat(self._nothing, new, axis=0)])
        found = np.empty(len(pages), np.int64)
        return found[: _find_changed(pages, _KEYS, self._sums, found)]

    def forget(self) -> None:
        """Take every page for one of zeros again, so that all others are found changed."""
        self._sums = self._sums[:0]


@compiled
def _find_changed(pages: Words, keys: Words, sums: Words, found: Ints) -> int:
    """Bring `sums` up to date; the numbers of the pages that changed go into `found`. Returns how many."""
    number = 0
    for page in range(len(pages)):
        one, other = _sum(pages[page], keys)
        if sums[page, 0] != one or sums[page, 1] != other:
            sums[page, 0] = one
            sums[page, 1] = other
            found[number] = page
            number += 1
    return number


@compiled
def _sum(words: Words, keys: Words) -> tuple[np.uint64, np.uint64]:
    """Both halves of a page's sum. The word itself is added too, so that one whose half cancels its key still counts."""
    first, second = np.uint64(0), np.uint64(0)
    for at in range(len(words)):
        word = words[at]
        one, other = word ^ keys[0, at], word ^ keys[1, at]
        first += (one & _LOW) * (one >> _32) + word
        second += (other & _LOW) * (other >> _32) + (word << _32 | word >> _32)
    return first, second
