"""The memory of a fold as arrays: channels, the pages of their rings, register streams and their reads.

The scalar step sees a channel, a slot or a stream as an object of its own (`state/channel.py`, `rings.py`, `registers.py`), compiled
code sees the arrays (`state/columnar`): there is one truth, and nothing is an object per slot. An array grows by doubling; who looks
at a part of it is then told to look anew.

The rings of a channel are cut into pages (`state/ring_pages.py`): EMPTY ones take nothing, NARROW ones (`state/narrow_pages.py`) some
200 bytes, WIDE ones 40 a slot. What they are made of is taken from pools and given back to them.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

SLOT: Final = np.dtype(
    [
        ("quantity_nano", np.int64), ("version", np.int64), ("device", np.uint32), ("quality", np.uint8),
        ("method", np.uint8), ("reason", np.uint8), ("evidence", np.uint8),
    ]
)  # fmt: skip
"""A native slot, 24 bytes; all zero: it holds nothing."""

Contents = tuple[int, int, int, int, int, int, int]
"""A slot as SLOT has it: quantity, version, device, quality, method, reason, evidence."""
NO_CONTENTS: Final[Contents] = (0, 0, 0, 0, 0, 0, 0)

WINDOW: Final = np.dtype([("standing_nano", np.int64), ("emitted", np.int64)])
"""A billing window: the quantity last emitted, and how often it was; 0 before its determinant, one more than the revision then."""

WIDE: Final = np.dtype([*SLOT.descr, *WINDOW.descr])
"""A slot and its window on a wide page, 40 bytes."""

CHANNEL: Final = np.dtype(
    [
        # where it stands
        ("watermark_ms", np.int64), ("base_ms", np.int64), ("base_slot", np.int64), ("reference_ms", np.int64),
        ("reference_slot", np.int64), ("latest_end_ms", np.int64), ("complete_through_ms", np.int64),
        # its rings: where their pages begin in `pages`; `windows_at` -1: the windows are the slots, and on their pages
        ("slots_at", np.int64), ("slots_length", np.int64), ("windows_at", np.int64), ("windows_length", np.int64),
        ("page_shift", np.int64),
        # its definition, for compiled code; lengths and anchors in ms, 0 switches a rule off
        ("native_ms", np.int64), ("anchor_ms", np.int64), ("window_ms", np.int64), ("window_anchor_ms", np.int64),
        ("slots_per_window", np.int64), ("slots_per_day", np.int64),
        ("allowance_ms", np.int64), ("memory_ms", np.int64), ("horizon_ms", np.int64), ("horizon_days", np.int64),
        ("interpolate_slots", np.int64), ("interpolate_ms", np.int64), ("like_days", np.int64),
        ("spike_factor", np.int64), ("zero_run", np.int64),
        ("config_version", np.int64), ("calendar", np.int64), ("spans_at", np.int64), ("spans_number", np.int64),
        ("signed", np.uint8), ("hardened_any", np.uint8), ("is_plain", np.uint8),
        ("is_totals", np.uint8), ("is_checked", np.uint8), ("has_brackets", np.uint8),
        ("most_nano", np.int64),
    ],
    align=True,
)  # fmt: skip
"""A channel; `state/columnar/lanes.py` fills in what its definition says."""

READ: Final = np.dtype(
    [
        ("at_ms", np.int64), ("total", np.int64), ("version", np.int64), ("decimals", np.uint8), ("quality", np.uint8),
        ("reset", np.uint8), ("refused", np.uint8), ("state", np.int32),
    ]
)  # fmt: skip
"""A register read, 32 bytes; `state`: what the chain makes of it (state/registers.py)."""

STREAM: Final = np.dtype(
    [
        ("reads_at", np.int64), ("capacity", np.int64), ("first", np.int64), ("size", np.int64), ("last_good", np.int64),
        ("changes", np.int64), ("spans_at", np.int64), ("spans_number", np.int64),
    ]
)  # fmt: skip
"""The reads of one register, in time order: `size` of them from `reads_at + first` on, with room for `capacity` from `reads_at`.
`last_good` counts from the first, -1 for none; `changes` rises with every change that compiled code makes."""

PLACE: Final = np.dtype([("page", np.int64)])
"""Where a page of a ring is: its form, and its number among those of its form (state/ring_pages.py)."""

NARROW: Final = np.dtype(
    [
        ("step_nano", np.int64), ("version", np.int64), ("held", np.uint64), ("stands", np.uint64), ("odd", np.uint64),
        ("device", np.uint32), ("quality", np.uint8), ("method", np.uint8), ("reason", np.uint8), ("evidence", np.uint8),
        ("emitted", np.uint32), ("first_odd", np.int32), ("plane_0", np.int32), ("plane_1", np.int32), ("plane_2", np.int32),
        ("planes", np.uint8), ("is_signed", np.uint8), ("odd_number", np.uint8), ("spare", np.uint8),
    ]
)  # fmt: skip
"""What the slots of a narrow page have in common, 72 bytes; see state/narrow_pages.py."""

CELL: Final = np.dtype([("a", np.uint16), ("b", np.uint16), ("c", np.uint16), ("d", np.uint16)])
"""Four cells of 16 bits of a narrow page."""

ODD: Final = np.dtype([*WINDOW.descr, *SLOT.descr, ("at", np.int32), ("next", np.int32)])
"""A slot and its window, 48 bytes, that a narrow page keeps apart; `at`: in the page; `next` of that page, -1 for none."""

POOL: Final = np.dtype([("free", np.int64), ("number", np.int64)])
"""What is free in a table: the first, which names the next in its first word, and so on to -1; and how many."""

KINDS: Final = {
    "channels": CHANNEL, "pages": PLACE, "wide": WIDE, "narrow": NARROW, "cells": CELL, "odd": ODD, "pools": POOL,
    "streams": STREAM, "reads": READ,
}  # fmt: skip
PAGE: Final = {
    "channels": 8, "pages": 256, "wide": 64, "narrow": 32, "cells": 256, "odd": 64, "pools": 4, "streams": 64,
    "reads": 128,
}  # fmt: skip
"""Elements in a page, some 2 to 4 KB: what a snapshot takes or leaves (state/pages.py). An array's length is a number of whole pages."""
_FIRST: Final = {**PAGE, "wide": 4_096}
"""Elements that each array begins with."""

PAGE_SLOTS: Final = 64
"""Slots that a page of a ring has room for, a bit each in the words of a narrow page."""
WIDE_POOL, NARROW_POOL, CELLS_POOL, ODD_POOL = range(4)
POOLS: Final = {
    WIDE_POOL: ("wide", PAGE_SLOTS), NARROW_POOL: ("narrow", 1), CELLS_POOL: ("cells", PAGE_SLOTS // 4), ODD_POOL: ("odd", 1),
}  # fmt: skip
"""By row of `pools`: the table that a pool gives out, and how many elements of it at once."""


_PART, _LEAST_MORE, _MOST_MORE = 16, 8, 4_096
"""A pool grows by a sixteenth, within bounds: what it has free is not for others."""


class Looker(Protocol):
    """Who looks at a part of the arrays."""

    def look(self) -> None:
        """Look at the arrays as they are now."""


class Tables:
    """The arrays, and who looks at them. `used`: how many elements of each are taken; those after them are all zero."""

    __slots__ = ("_lookers", "cells_16", "used", "words", *KINDS)

    channels: NDArray[Any]
    pages: NDArray[Any]
    wide: NDArray[Any]
    narrow: NDArray[Any]
    cells: NDArray[Any]
    odd: NDArray[Any]
    pools: NDArray[Any]
    streams: NDArray[Any]
    reads: NDArray[Any]
    cells_16: NDArray[np.uint16]
    """The cells one by one."""
    words: dict[int, NDArray[np.int64]]
    """By pool: its table by what it gives out at once, and word."""

    def __init__(self, used: Mapping[str, int] | None = None) -> None:
        """Empty, or with so many elements of each array taken, to be filled in and then watched by who restores them."""
        self.used = {name: used[name] if used is not None else 0 for name in KINDS}
        for name, kind in KINDS.items():
            setattr(self, name, np.zeros(_length(name, self.used[name]), kind))
        self._lookers: dict[str, list[Looker]] = {name: [] for name in KINDS}
        self._look()
        if used is None:
            self.take("pools", len(POOLS), None)
            self.pools["free"] = -1

    def take(self, name: str, number: int, looker: Looker | None) -> int:
        """Give the next `number` elements of an array away; returns the position of the first. `looker` is told when the array moves."""
        at = self.used[name]
        self.used[name] = at + number
        old: NDArray[Any] = getattr(self, name)
        if at + number > len(old):
            new = np.zeros(_length(name, max(2 * len(old), at + number)), old.dtype)
            new[:at] = old[:at]
            setattr(self, name, new)
            self._look()
            for other in self._lookers[name]:
                other.look()
        if looker is not None:
            self.watch(name, looker)
        return at

    def _look(self) -> None:
        self.cells_16 = self.cells.view(np.uint16)
        self.words = {
            pool: getattr(self, name).view(np.int64).reshape(-1, KINDS[name].itemsize // 8 * at_once)
            for pool, (name, at_once) in POOLS.items()
        }

    # -- pools ------------------------------------------------------------------------------------------------------

    def give_out(self, pool: int) -> int:
        """The number of something of a pool, all zero."""
        row = self.pools[pool]
        if not row["number"]:
            self.fill_pool(pool, 1)
        number = int(row["free"])
        words = self.words[pool]
        row["free"] = words[number, 0]
        row["number"] -= 1
        words[number] = 0
        return number

    def give_back(self, pool: int, number: int) -> None:
        """What `give_out` gave."""
        row = self.pools[pool]
        words = self.words[pool]
        words[number] = 0
        words[number, 0] = row["free"]
        row["free"] = number
        row["number"] += 1

    def fill_pool(self, pool: int, wanted: int) -> None:
        """Have so many free in a pool at least, which is as much again by a part as it has when it must grow."""
        row = self.pools[pool]
        name, at_once = POOLS[pool]
        has = self.used[name] // at_once
        more = max(wanted - int(row["number"]), min(has // _PART, _MOST_MORE), _LEAST_MORE)
        self.take(name, more * at_once, None)
        words = self.words[pool]
        words[has : has + more, 0] = [*range(has + 1, has + more), row["free"]]
        row["free"] = has
        row["number"] += more

    def make_room(self, pages: int) -> bool:
        """Have what so many new pages of rings need, as compiled code cannot fill pools; False if it was there."""
        short = [pool for pool in POOLS if self.pools[pool]["number"] < pages]
        for pool in short:
            self.fill_pool(pool, pages)
        return bool(short)

    # -- how much ---------------------------------------------------------------------------------------------------

    @property
    def bytes_used(self) -> int:
        """What the elements that are taken hold, in bytes, those that are free in a pool too."""
        return sum(kind.itemsize * self.used[name] for name, kind in KINDS.items())

    @property
    def bytes_unpacked(self) -> int:
        """What rings and reads would hold if every slot and every window had its record: the size of a canonical snapshot, nearly."""
        channels, streams = self.channels[: self.used["channels"]], self.streams[: self.used["streams"]]
        rings = channels["slots_length"] * SLOT.itemsize + channels["windows_length"] * WINDOW.itemsize
        return int(rings.sum() + streams["size"].sum() * READ.itemsize)

    def watch(self, name: str, looker: Looker) -> None:
        """Tell `looker` when an array moves; a part of it is taken already."""
        self._lookers[name].append(looker)


def _length(name: str, elements: int) -> int:
    """The length of an array with room for so many elements."""
    return -(-max(elements, _FIRST[name]) // PAGE[name]) * PAGE[name]
