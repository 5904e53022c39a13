"""The spans of a register-only channel: those its reads give now, and those that were emitted."""

from typing import NamedTuple

Key = tuple[int, int]
"""(start, end), instants in ms."""


class Standing(NamedTuple):
    """A span that was emitted; quality 0 when it was withdrawn."""

    quantity_nano: int
    quality: int
    revision: int


class SpanBook:
    """`current`: (quantity, quality) that the reads give now. `standing`: what was emitted, withdrawn ones included."""

    __slots__ = ("current", "standing")

    def __init__(self) -> None:
        self.current: dict[Key, tuple[int, int]] = {}
        self.standing: dict[Key, Standing] = {}
