"""The memory of a fold as arrays: channels, their native slots and billing windows, register streams and their reads.

The scalar step sees a channel, a slot or a stream as an object of its own (`state/channel.py`, `rings.py`, `registers.py`), compiled
code sees the arrays (`state/columnar`): there is one truth, and nothing is an object per slot. An array grows by doubling; who looks
at a part of it is then told to look anew.
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

WINDOW: Final = np.dtype([("standing_nano", np.int64), ("emitted", np.int64)])
"""A billing window: the quantity last emitted, and how often it was; 0 before its determinant, one more than the revision then."""

CHANNEL: Final = np.dtype(
    [
        # where it stands
        ("watermark_ms", np.int64), ("base_ms", np.int64), ("base_slot", np.int64), ("reference_ms", np.int64),
        ("reference_slot", np.int64), ("latest_end_ms", np.int64), ("complete_through_ms", np.int64),
        # its rings: positions in `slots` and `windows`
        ("slots_at", np.int64), ("slots_length", np.int64), ("windows_at", np.int64), ("windows_length", np.int64),
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

KINDS: Final = {"channels": CHANNEL, "slots": SLOT, "windows": WINDOW, "streams": STREAM, "reads": READ}
PAGE: Final = {"channels": 16, "slots": 128, "windows": 128, "streams": 64, "reads": 128}
"""Elements in a page, some 2 to 4 KB: what a snapshot takes or leaves (state/pages.py). An array's length is a number of whole pages."""
_FIRST: Final = {"channels": 16, "slots": 16_384, "windows": 16_384, "streams": 64, "reads": 256}
"""Elements that each array begins with."""


class Looker(Protocol):
    """Who looks at a part of the arrays."""

    def look(self) -> None:
        """Look at the arrays as they are now."""


class Tables:
    """The arrays, and who looks at them. `used`: how many elements of each are taken; those after them are all zero."""

    __slots__ = ("_lookers", "channels", "reads", "slots", "streams", "used", "windows")

    channels: NDArray[Any]
    slots: NDArray[Any]
    windows: NDArray[Any]
    streams: NDArray[Any]
    reads: NDArray[Any]

    def __init__(self, used: Mapping[str, int] | None = None) -> None:
        """Empty, or with so many elements of each array taken, to be filled in and then watched by who restores them."""
        self.used = {name: used[name] if used is not None else 0 for name in KINDS}
        for name, kind in KINDS.items():
            setattr(self, name, np.zeros(_length(name, self.used[name]), kind))
        self._lookers: dict[str, list[Looker]] = {name: [] for name in KINDS}

    def take(self, name: str, number: int, looker: Looker | None) -> int:
        """Give the next `number` elements of an array away; returns the position of the first. `looker` is told when the array moves."""
        at = self.used[name]
        self.used[name] = at + number
        old: NDArray[Any] = getattr(self, name)
        if at + number > len(old):
            new = np.zeros(_length(name, max(2 * len(old), at + number)), old.dtype)
            new[:at] = old[:at]
            setattr(self, name, new)
            for other in self._lookers[name]:
                other.look()
        if looker is not None:
            self.watch(name, looker)
        return at

    @property
    def bytes_used(self) -> int:
        """What the elements that are taken hold, in bytes."""
        return sum(kind.itemsize * self.used[name] for name, kind in KINDS.items())

    def watch(self, name: str, looker: Looker) -> None:
        """Tell `looker` when an array moves; a part of it is taken already."""
        self._lookers[name].append(looker)


def _length(name: str, elements: int) -> int:
    """The length of an array with room for so many elements."""
    return -(-max(elements, _FIRST[name]) // PAGE[name]) * PAGE[name]
