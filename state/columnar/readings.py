"""The readings of a batch as columns, however they were decoded."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

INTERVALS, REGISTER = range(2)
LOCAL_DAYS = -1
"""Stands for LOCAL_DAY in `interval_s`."""


class ReadingColumns(NamedTuple):
    """A position a record, in the order of the log; the elements of all records one after another in the last three.

    `at`: position of the record in its batch. `kind`: INTERVALS or REGISTER. `name`: number of its (supply point, device, register,
    unit). `start_ms`: of the first interval, or a register read's instant. `first`, `number`: its elements (a register read has one).
    `value`: quantity in 10⁻⁹ before the multiplier, or a register's count; `is_number` False: null. `quality`: codes of state/codes.py.
    """

    at: Ints
    kind: NDArray[np.uint8]
    name: Ints
    raw_partition: Ints
    raw_offset: Ints
    sub: Ints
    origin_partition: Ints
    origin_offset: Ints
    origin_sub: Ints
    received_ms: Ints
    version: Ints
    start_ms: Ints
    interval_s: Ints
    first: Ints
    number: Ints
    decimals: NDArray[np.uint8]
    is_reset: NDArray[np.bool_]
    value: Ints
    is_number: NDArray[np.bool_]
    quality: NDArray[np.uint8]
    others: Ints
    """Positions in the batch of the records that are not among these."""
