"""Many buffers sent as one body, without being put together first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Piece = bytes | NDArray[Any]


class Pieces:
    """Reads once through the bytes of all pieces, as a file would be read."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._waiting = iter(pieces)
        self._open = memoryview(b"")

    def read(self, size: int) -> memoryview:
        """The next bytes, `size` at most; none only at the end."""
        while not self._open and (piece := next(self._waiting, None)) is not None:
            self._open = (
                memoryview(piece) if isinstance(piece, bytes) else np.ascontiguousarray(piece).view(np.uint8).data
            )
        found, self._open = self._open[:size], self._open[size:]
        return found
