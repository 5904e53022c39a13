"""Room for the rows of one unit."""

from state.columnar.layout import (
    ADJUSTMENT_ROWS,
    DETERMINANT_ROWS,
    EVIDENCE_ROWS,
    FINDING_ROWS,
    Emitted,
    Row,
)
from state.compiling import compiled

_SPARE_ROWS = 16
"""Rows of each kind that a unit may need besides."""


@compiled
def has_room(channel: Row, end_ms: int, adjusts: int, out: Emitted) -> bool:
    """True if all rows that a unit can give fit: each window that W can pass, and those that it may adjust."""
    passed = max(max(channel.latest_end_ms, end_ms) - channel.watermark_ms, 0) // channel.window_ms + _SPARE_ROWS
    return (
        out.number[EVIDENCE_ROWS] < len(out.evidence)
        and out.number[DETERMINANT_ROWS] + passed + adjusts < len(out.determinants)
        and out.number[ADJUSTMENT_ROWS] + adjusts < len(out.adjustments)
        and out.number[FINDING_ROWS] + passed < len(out.findings)
    )
