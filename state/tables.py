"""The memory of a fold as three arrays: channels, their native slots and their billing windows.

The scalar step sees a channel, a slot or a window of it as an object of its own (`state/channel.py`, `state/rings.py`), compiled
code sees the arrays (`state/columnar`): there is one truth, and nothing is an object per slot. An array grows by doubling; who looks
at a part of it is then told to look anew.
"""

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
        ("interpolate_slots", np.int64), ("like_days", np.int64), ("spike_factor", np.int64), ("zero_run", np.int64),
        ("config_version", np.int64), ("calendar", np.int64), ("spans_at", np.int64), ("spans_number", np.int64),
        ("signed", np.uint8), ("hardened_any", np.uint8), ("is_plain", np.uint8),
    ],
    align=True,
)  # fmt: skip
"""A channel; `state/columnar/lanes.py` fills in what its definition says."""

_FIRST: Final = {"channels": 8, "slots": 16_384, "windows": 16_384}
"""Elements that each array begins with."""


class Looker(Protocol):
    """Who looks at a part of the arrays."""

    def look(self) -> None:
        """Look at the arrays as they are now."""


class Tables:
    """The arrays, and who looks at them. `used`: how many elements of each are taken."""

    __slots__ = ("_lookers", "channels", "slots", "used", "windows")

    def __init__(self) -> None:
        self.channels = np.zeros(_FIRST["channels"], CHANNEL)
        self.slots = np.zeros(_FIRST["slots"], SLOT)
        self.windows = np.zeros(_FIRST["windows"], WINDOW)
        self.used = dict.fromkeys(_FIRST, 0)
        self._lookers: dict[str, list[Looker]] = {name: [] for name in _FIRST}

    def take(self, name: str, number: int, looker: Looker) -> int:
        """Give the next `number` elements of an array away; returns the position of the first."""
        at = self.used[name]
        self.used[name] = at + number
        self._lookers[name].append(looker)
        old: NDArray[Any] = getattr(self, name)
        if at + number > len(old):
            new = np.zeros(max(2 * len(old), at + number), old.dtype)
            new[:at] = old[:at]
            setattr(self, name, new)
            for other in self._lookers[name][:-1]:
                other.look()
        return at
