"""Which of two pieces of evidence for the same interval or instant stands. Log order never decides."""

from typing import Final

from state.codes import ACCEPTED, CONFLICTING, CORRECTED, DUPLICATE, SUPERSEDED

NO_VERSION: Final = -1
"""What an edit names when it replaces a hole."""


def verdict_on(incumbent: tuple[int, int, int] | None, arriving: tuple[int, int, int]) -> str:
    """The verdict on arriving evidence; both are (version, quality rank, content), the incumbent None for none."""
    if incumbent is None:
        return ACCEPTED
    if arriving[:2] != incumbent[:2]:
        return CORRECTED if arriving[:2] > incumbent[:2] else SUPERSEDED
    return DUPLICATE if arriving[2] == incumbent[2] else CONFLICTING
