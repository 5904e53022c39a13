"""ClickHouse's types, taken apart as far as writing a column needs it."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_DECIMAL = re.compile(r"Decimal\((\d+), (\d+)\)")


class ColumnType(NamedTuple):
    """`LowCardinality(Nullable(String))` is a String that may be NULL and has a dictionary."""

    bare: str
    is_nullable: bool
    has_dictionary: bool

    @property
    def element(self) -> ColumnType | None:
        """Of an Array: the type of what is in it."""
        return column_type(self.bare[6:-1]) if self.bare.startswith("Array(") else None

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Of a Decimal: how many digits it holds, and how many of them after the point."""
        found = _DECIMAL.fullmatch(self.bare)
        return (int(found[1]), int(found[2])) if found else None


@cache
def column_type(text: str) -> ColumnType:
    """The type that ClickHouse writes as `text`."""
    bare, is_nullable, has_dictionary = text, False, False
    while True:
        if bare.startswith("LowCardinality("):
            bare, has_dictionary = bare[15:-1], True
        elif bare.startswith("Nullable("):
            bare, is_nullable = bare[9:-1], True
        else:
            return ColumnType(bare, is_nullable, has_dictionary)
