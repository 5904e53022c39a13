"""Integers as ClickHouse stores them. Nothing is cut or wrapped on the way: a number goes in as it is, or is refused."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import ValueOutOfRange

NANO_LIMIT: Final = 10**18
"""Exclusive bound of |q| in 10⁻⁹ units: what Decimal(18, 9) can hold. A difference of two has twice that."""

_STORED: Final = {
    "Int8": "<i1", "Int16": "<i2", "Int32": "<i4", "Int64": "<i8",
    "UInt8": "<u1", "UInt16": "<u2", "UInt32": "<u4", "UInt64": "<u8", "Bool": "<u1", "Date": "<u2",
}  # fmt: skip
"""ClickHouse's types that are integers underneath: how their bytes stand. A Date counts days from 1970."""


def stored_list(name: str, bare: str, values: Sequence[int]) -> NDArray[Any]:
    """Python integers as the type `bare` stores them. Raises ValueOutOfRange."""
    try:
        wide = np.asarray(array("Q" if bare == "UInt64" else "q", values))
    except OverflowError as error:
        raise ValueOutOfRange(f"{name} ({bare}): {error}") from error
    return stored_array(name, bare, wide)


def stored_array(name: str, bare: str, values: NDArray[Any]) -> NDArray[Any]:
    """An array of integers as the type `bare` stores them. Raises ValueOutOfRange; TypeError for floats."""
    values = np.ascontiguousarray(values)
    if bare not in _STORED:
        raise TypeError(f"{name}: it is not written down how the ClickHouse type {bare} is stored")
    if len(values):
        if values.dtype.kind not in "iub":
            raise TypeError(f"{name} was given floats ({values.dtype}); {bare} takes integers")
        least, most = _range(name, bare)
        for extreme in (int(values.min()), int(values.max())):
            if not least <= extreme <= most:
                raise ValueOutOfRange(f"{name} ({bare}) holds {least} … {most}; {extreme} does not fit")
    return values.astype(_STORED[bare], copy=False)


def _range(name: str, bare: str) -> tuple[int, int]:
    """The least and the greatest value of a column: what its type holds, and of a quantity what its Decimal does."""
    if name.endswith("_nano"):
        limit = 2 * NANO_LIMIT if name.endswith(".delta_nano") else NANO_LIMIT
        return 1 - limit, limit - 1
    if bare == "Bool":
        return 0, 1
    held = np.iinfo(_STORED[bare])
    return int(held.min), int(held.max)
