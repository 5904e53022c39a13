"""A column of text out of ClickHouse's Native format, as it lies there."""

from __future__ import annotations

from typing import Final

import numpy as np

from connectors.texts import Texts

_COLUMNS: Final = ["UInt32", "String"]


def texts_of(native: bytes) -> Texts:
    """The texts of blocks of two columns, the length of each text in bytes and the text. Raises ValueError for others."""
    starts, ends, at = [], [], 0
    while at < len(native):
        columns, at = _number(native, at)
        rows, at = _number(native, at)
        lengths_kind, at = _column(native, at)
        lengths = np.frombuffer(native, "<u4", rows, at).astype(np.int64)
        texts_kind, at = _column(native, at + 4 * rows)
        if columns != 2 or [lengths_kind, texts_kind] != _COLUMNS:
            raise ValueError(
                f"{columns} columns, {lengths_kind} and {texts_kind}, where {' and '.join(_COLUMNS)} belong"
            )
        # before each text stands its length once more, seven bits to a byte
        prefixes = 1 + sum((lengths >= 1 << bits).astype(np.int64) for bits in (7, 14, 21, 28))
        after = at + np.cumsum(prefixes + lengths)
        starts.append(after - lengths)
        ends.append(after)
        at = int(after[-1]) if rows else at
    nothing = np.zeros(0, np.int64)
    return Texts(np.frombuffer(native, np.uint8), np.concatenate([nothing, *starts]), np.concatenate([nothing, *ends]))


def _column(native: bytes, at: int) -> tuple[str, int]:
    """The type of the column that begins here, and where its values begin."""
    name_bytes, at = _number(native, at)
    kind_bytes, at = _number(native, at + name_bytes)
    return native[at : at + kind_bytes].decode(), at + kind_bytes


def _number(native: bytes, at: int) -> tuple[int, int]:
    """The number that stands here, seven bits to a byte, and where the next thing begins."""
    found, bits = 0, 0
    while native[at] & 0x80:
        found |= (native[at] & 0x7F) << bits
        at, bits = at + 1, bits + 7
    return found | native[at] << bits, at + 1
