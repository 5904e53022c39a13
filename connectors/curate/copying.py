"""Copying bytes in compiled code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from state.compiling import compiled


@compiled
def copy_bytes(out: NDArray[np.uint8], at: int, data: NDArray[np.uint8], start: int, count: int) -> None:
    """out[at : at + count] = data[start : start + count], of two arrays that do not overlap; the bounds are the caller's to check."""
    for offset in range(count):
        out[at + offset] = data[start + offset]
