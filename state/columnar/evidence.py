"""state/evidence.py: which of two pieces of evidence for the same interval stands."""

from state.codes import VERDICTS
from state.compiling import compiled_inside

ACCEPTED, DUPLICATE, CONFLICTING, SUPERSEDED, CORRECTED, REJECTED, _ = range(len(VERDICTS))
"""Positions in VERDICTS."""


@compiled_inside
def verdict_on(incumbent: tuple[int, int, int], arriving: tuple[int, int, int]) -> int:
    """The verdict on arriving evidence against what stands; both are (version, quality rank, content)."""
    if arriving[0] != incumbent[0]:
        return CORRECTED if arriving[0] > incumbent[0] else SUPERSEDED
    if arriving[1] != incumbent[1]:
        return CORRECTED if arriving[1] > incumbent[1] else SUPERSEDED
    return DUPLICATE if arriving[2] == incumbent[2] else CONFLICTING
