"""What a step emits: one list of rows per stream, columns as in contracts/outputs.md."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

PLACE: Final = ("known_at_ms", "curated_partition", "curated_offset")
_COUNTS: Final = ("n_actual", "n_calculated", "n_substituted", "n_estimated", "n_missing")
_STANDING: Final = (*_COUNTS, "quality", "methods", "missing_reason")
_CAUSE: Final = ("cause_partition", "cause_offset", "cause_sub")
_RULES: Final = ("rule_version", "config_version")
_RAW: Final = ("raw_partition", "raw_offset", "raw_sub")
_ORIGIN: Final = ("origin_partition", "origin_offset", "origin_sub")
_KEY: Final = ("supply_point", "channel", "start_ms", "end_ms")

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "evidence": (
        *_RAW, "supply_point", "channel", "device", "register", "kind", "start_ms", "end_ms", "quantity_nano", "count",
        "decimals", "quality", "version", "verdict", "checks_failed", "checks_not_run", *_ORIGIN, "received_ms", *PLACE,
    ),
    "determinants": (*_KEY, "unit", "quantity_nano", *_STANDING, "hardened_by", *_CAUSE, *_RULES, *PLACE),
    "adjustments": (
        *_KEY, "revision", "unit", "old_nano", "new_nano", "delta_nano", *_STANDING, "reason", "corrects_revision",
        *_CAUSE, *_RULES, *PLACE,
    ),
    "findings": (
        "check_id", "severity", "supply_point", "channel", "device", "start_ms", "end_ms", "detail", *_CAUSE, *PLACE,
    ),
    "quarantine": (
        *_RAW, "supply_point", "channel", "device", "register", "kind", "start_ms", "end_ms", "reason", *_ORIGIN,
        "received_ms", *PLACE,
    ),
    "ledger": ("curated_partition", "curated_offset", "outcome", "count", "known_at_ms"),
}  # fmt: skip
"""Stream name to column names; a row is a tuple in this order."""


class Words(NamedTuple):
    """A column of few different values: `values[codes[i]]` is the value in row i."""

    codes: NDArray[np.int64]
    values: tuple[Any, ...]


def words_that_occur(codes: NDArray[Any], values: Sequence[Any]) -> Words:
    """`values[codes[i]]` in row i, without the values that occur in no row."""
    occurs = np.zeros(len(values), bool)
    occurs[codes] = True
    used = np.flatnonzero(occurs)
    code = np.zeros(len(values), np.int64)
    code[used] = np.arange(len(used))
    return Words(code[codes], tuple(values[at] for at in used.tolist()))


Column = list[Any] | NDArray[np.int64] | Words
Block = dict[str, Column]
"""Column name to column, all of one length."""


class Outputs:
    """Rows by stream: those of the scalar step as tuples, those of array code as blocks of columns."""

    __slots__ = ("_blocks", "adjustments", "determinants", "evidence", "findings", "ledger", "quarantine")

    def __init__(self) -> None:
        self._blocks: dict[str, list[Block]] = {}
        self.evidence: list[tuple[Any, ...]] = []
        self.determinants: list[tuple[Any, ...]] = []
        self.adjustments: list[tuple[Any, ...]] = []
        self.findings: list[tuple[Any, ...]] = []
        self.quarantine: list[tuple[Any, ...]] = []
        self.ledger: list[tuple[Any, ...]] = []

    def add_block(self, stream: str, columns: tuple[Column, ...]) -> None:
        """Emit rows as columns, in the order of COLUMNS."""
        self._blocks.setdefault(stream, []).append(dict(zip(COLUMNS[stream], columns, strict=True)))

    def blocks(self, stream: str) -> list[Block]:
        """One stream as blocks of columns: what array code emitted, then the rows of the scalar step."""
        rows: list[tuple[Any, ...]] = getattr(self, stream)
        found = list(self._blocks.get(stream, ()))
        if rows:
            found.append(dict(zip(COLUMNS[stream], map(list, zip(*rows, strict=True)), strict=True)))
        return found

    def rows(self, stream: str) -> list[tuple[Any, ...]]:
        """One stream as rows, whichever way they were emitted."""
        found: list[tuple[Any, ...]] = []
        for block in self.blocks(stream):
            found += zip(*map(plain, block.values()), strict=True)
        return found

    def is_empty(self) -> bool:
        """True when nothing at all was emitted."""
        return not any(self.blocks(stream) for stream in COLUMNS)


def plain(column: Column) -> list[Any]:
    """A column as a list of Python values."""
    if isinstance(column, Words):
        return [column.values[code] for code in column.codes.tolist()]
    return column if isinstance(column, list) else list(column.tolist())
