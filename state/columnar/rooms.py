"""Room for the rows of one unit, and for the pages of rings that it may begin or widen."""

from state.columnar.layout import (
    ADJUSTMENT_ROWS,
    DETERMINANT_ROWS,
    EVIDENCE_ROWS,
    FINDING_ROWS,
    Emitted,
    Records,
    Row,
)
from state.compiling import compiled_in_place
from state.tables import POOLS

_SPARE_ROWS = 16
"""Rows of each kind that a unit may need besides."""
_POOLS = len(POOLS)
_SPARE_PAGES = 4
"""The same of the pages of a ring."""


@compiled_in_place
def has_room(channel: Row, end_ms: int, adjusts: int, out: Emitted) -> bool:
    """True if all rows that a unit can give fit: each window that W can pass, and those that it may adjust."""
    passed = max(max(channel.latest_end_ms, end_ms) - channel.watermark_ms, 0) // channel.window_ms + _SPARE_ROWS
    return (
        out.number[EVIDENCE_ROWS] < len(out.evidence)
        and out.number[DETERMINANT_ROWS] + passed + adjusts < len(out.determinants)
        and out.number[ADJUSTMENT_ROWS] + adjusts < len(out.adjustments)
        and out.number[FINDING_ROWS] + passed < len(out.findings)
    )


@compiled_in_place
def has_pages(pools: Records, channel: Row, end_ms: int, adjusts: int) -> bool:
    """True if the pools have all pages that a unit can begin or widen: of each slot that W can pass, and of those that it may adjust."""
    passed = max(max(channel.latest_end_ms, end_ms) - channel.watermark_ms, 0) // channel.native_ms
    pages = 2 * (((passed + adjusts) >> channel.page_shift) + _SPARE_PAGES)
    for pool in range(_POOLS):
        if pools[pool].number < pages:
            return False
    return True
