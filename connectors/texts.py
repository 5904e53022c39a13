"""Many texts in one piece of memory: a sequence of bytes that makes an object of one only when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Texts(Sequence[bytes]):
    """Text i is data[starts[i]:ends[i]], in UTF-8. A slice shares the memory."""

    __slots__ = ("data", "ends", "starts")

    def __init__(self, data: NDArray[np.uint8], starts: Ints, ends: Ints) -> None:
        self.data, self.starts, self.ends = data, starts, ends

    @property
    def size(self) -> int:
        """Bytes of all of them together."""
        return int((self.ends - self.starts).sum())

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Texts: ...
    def __getitem__(self, at: int | slice) -> bytes | Texts:
        if isinstance(at, slice):
            return Texts(self.data, self.starts[at], self.ends[at])
        return self.data[self.starts[at] : self.ends[at]].tobytes()
