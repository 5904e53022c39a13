"""How much of which shape is measured, and what the shapes have in common."""

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
SLOT_MS: Final = 1_800_000
SLOTS: Final = DAY_MS // SLOT_MS
START_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00Z
ALLOWANCE_S: Final = 3_600
INTERPOLATE_MAX_S: Final = 7_200
CHANNELS: Final = ("E1", "E2")
"""Import and export; each register has the name of its channel."""
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Size:
    """One shape of the workload: so many supply points and days.

    `sample`: the scalar step is measured on the first so many supply points.
    """

    shape: str
    points: int
    days: int
    sample: int
    seed: int = SEED

    @property
    def end_ms(self) -> int:
        return START_MS + self.days * DAY_MS

    @property
    def sampled(self) -> frozenset[str]:
        """The supply points of the sample."""
        return frozenset(map(supply_point, range(min(self.sample, self.points))))


DEFAULTS: Final = {
    size.shape: size
    for size in (Size("day", 2_000, 8, 20), Size("single", 2_000, 8, 15), Size("register", 1_000, 8, 10))
}  # fmt: skip
"""More than a week, so that every check has references; some ten minutes for the whole table on two cores."""


def supply_point(number: int) -> str:
    """The name of a supply point."""
    return f"SP{number:06}"
