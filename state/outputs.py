"""What a step emits: one list of rows per stream, columns as in contracts/outputs.md."""

from typing import Any, Final

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


class Outputs:
    """Rows by stream, in the order they came about."""

    __slots__ = ("adjustments", "determinants", "evidence", "findings", "ledger", "quarantine")

    def __init__(self) -> None:
        self.evidence: list[tuple[Any, ...]] = []
        self.determinants: list[tuple[Any, ...]] = []
        self.adjustments: list[tuple[Any, ...]] = []
        self.findings: list[tuple[Any, ...]] = []
        self.quarantine: list[tuple[Any, ...]] = []
        self.ledger: list[tuple[Any, ...]] = []

    def columns(self, stream: str) -> dict[str, list[Any]]:
        """One stream turned to columns."""
        rows: list[tuple[Any, ...]] = getattr(self, stream)
        names = COLUMNS[stream]
        if not rows:
            return {name: [] for name in names}
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))

    def is_empty(self) -> bool:
        """True when nothing at all was emitted."""
        return not any(getattr(self, stream) for stream in COLUMNS)
