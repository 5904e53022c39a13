"""Per raw partition, the highest carrier coordinate that has been processed (docs/rules.md section 1)."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

NO_MARK: Final = (-1, -1)


class Marks:
    """(offset, sub) by raw partition; `array[partition]`, so that compiled code finds it too."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[np.int64] = np.full((1, 2), -1, np.int64)

    def __getitem__(self, partition: int) -> tuple[int, int]:
        if partition >= len(self.array):
            return NO_MARK
        offset, sub = self.array[partition].tolist()
        return offset, sub

    def __setitem__(self, partition: int, mark: tuple[int, int]) -> None:
        self.make_room(partition)
        self.array[partition] = mark

    def make_room(self, partition: int) -> None:
        """Let the array reach a partition."""
        missing = partition + 1 - len(self.array)
        if missing > 0:
            self.array = np.concatenate([self.array, np.full((missing, 2), -1, np.int64)])

    def items(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """(partition, mark) of every partition that has one."""
        for partition in np.flatnonzero(self.array[:, 0] >= 0).tolist():
            yield partition, self[partition]
