"""What the fold emitted, added up so that others can be held against it."""

from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.sizes import Size
from connectors.clickhouse_columns import rows_of
from state.outputs import COLUMNS, Column, Outputs, Words, plain

STREAMS: Final = tuple(stream for stream in COLUMNS if stream != "ledger")
Sums = dict[str, list[int]]
"""`supply point/channel` to (number of half-hours, sum of their quantities)."""


class Tally:
    """Counts and sums of rows, and the very rows of a sample of supply points.

    `first` is what half-hours with a believed read came to when they hardened; `current` what they come to now.
    """

    def __init__(self, size: Size) -> None:
        self.rows: Counter[str] = Counter()
        self.first: Sums = {}
        self.current: Sums = {}
        self.sample: dict[str, list[tuple[Any, ...]]] = {stream: [] for stream in STREAMS}
        self._sampled = size.sampled

    def add(self, out: Outputs) -> None:
        """Take in what a batch emitted."""
        for stream in STREAMS:
            for block in out.blocks(stream):
                points = block["supply_point"]
                self.rows[stream] += rows_of(points)
                wanted = self._of_sample(points)
                if len(wanted):
                    self.sample[stream] += zip(
                        *(plain(_taken(column, wanted)) for column in block.values()), strict=True
                    )
        for block in out.blocks("determinants"):
            self._hardened(block)
        for block in out.blocks("adjustments"):
            self._adjusted(block)

    def _of_sample(self, points: Column) -> NDArray[np.int64]:
        """The rows of supply points in the sample."""
        if isinstance(points, Words):
            is_wanted = np.array([point in self._sampled for point in points.values], bool)
            return np.flatnonzero(is_wanted[points.codes])
        return np.array([at for at, point in enumerate(plain(points)) if point in self._sampled], np.int64)

    def _hardened(self, block: dict[str, Column]) -> None:
        for point, channel, nano, actual, calculated in _columns(
            block, "supply_point", "channel", "quantity_nano", "n_actual", "n_calculated"
        ):
            if actual or calculated:
                for sums in (self.first, self.current):
                    _count(sums, f"{point}/{channel}", 1, nano)

    def _adjusted(self, block: dict[str, Column]) -> None:
        """A half-hour is one slot: it held a believed read before just when this one corrected it."""
        for point, channel, old, new, reason in _columns(
            block, "supply_point", "channel", "old_nano", "new_nano", "reason"
        ):
            if reason == "CORRECTED_READ":
                _count(self.current, f"{point}/{channel}", 0, new - old)
            else:
                _count(self.current, f"{point}/{channel}", 1, new)


def _taken(column: Column, rows: NDArray[np.int64]) -> Column:
    if isinstance(column, Words):
        return Words(column.codes[rows], column.values)
    return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]


def _columns(block: dict[str, Column], *names: str) -> Any:
    return zip(*(plain(block[name]) for name in names), strict=True)


def _count(sums: Sums, key: str, number: int, nano: int) -> None:
    found = sums.setdefault(key, [0, 0])
    found[0] += number
    found[1] += nano
