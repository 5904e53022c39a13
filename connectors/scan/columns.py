"""What scanning gives: the readings of a batch as columns, as the fold takes them."""

from __future__ import annotations

from state.columnar.readings import INTERVALS, REGISTER, Ints, ReadingColumns

__all__ = ["INTERVALS", "REGISTER", "Ints", "ReadingColumns"]
