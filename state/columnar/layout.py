"""What compiled code works on: the fold's tables, the readings of a batch, and the rows that come out, as arrays."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Records = NDArray[Any]
Row = Any
"""One element of an array of records: its fields are its attributes, and setting them changes the array."""

SPAN: Final = np.dtype([("from_ms", np.int64), ("to_ms", np.int64), ("device", np.int64), ("stream", np.int64)])
"""A stretch in which a channel expects intervals, from a device by its number in the slots; `stream` -1: not from a register."""

ROUTE: Final = np.dtype(
    [
        ("from_ms", np.int64), ("to_ms", np.int64), ("channel", np.int64), ("multiplier", np.int64),
        ("most_delivered", np.int64), ("capacity_nano", np.int64), ("device", np.int64), ("unit_fits", np.int64),
    ]
)  # fmt: skip
"""Where a register's intervals go for [from, to). `most_delivered`: the bound of |delivered| that keeps the window's sum in its bound;
`capacity_nano`: the most that a slot can plausibly hold, NO_LIMIT when unknown; `device`: its number in the slots."""

REGISTER_SPAN: Final = np.dtype(
    [
        ("from_ms", np.int64), ("to_ms", np.int64), ("channel", np.int64), ("decimals", np.int64), ("limit", np.int64),
        ("rollover", np.int64), ("nano_per_count", np.int64), ("max_nano_per_hour", np.int64), ("is_totals", np.int64),
        ("unit_fits", np.int64),
    ]
)  # fmt: skip
"""How a register is interpreted for [from, to]. `limit`: what a scaled count stays below; `rollover`: what a register that may turn over
adds when it does, 0 for one that may not; NO_LIMIT: no maximum is known."""

LANE: Final = np.dtype(
    [
        ("routes_at", np.int64),
        ("routes_number", np.int64),
        ("is_plain", np.int64),
        ("stream", np.int64),
        ("registers_at", np.int64),
        ("registers_number", np.int64),
    ]
)
"""One name of a reading (supply point, device, register, unit); `is_plain` 0: all of it is for the scalar step; `stream` -1: none."""

CALENDAR: Final = np.dtype(
    [("clock_at", np.int64), ("clock_number", np.int64), ("holidays_at", np.int64), ("holidays_number", np.int64)]
)
CLOCK: Final = np.dtype([("from_ms", np.int64), ("offset_ms", np.int64)])

EVIDENCE: Final = np.dtype(
    [
        ("record", np.int64), ("element", np.int64), ("quantity_nano", np.int64), ("channel", np.int32),
        ("has_quantity", np.uint8), ("verdict", np.uint8), ("failed", np.uint8), ("not_run", np.uint8),
    ]
)  # fmt: skip
"""`verdict`: position in VERDICTS; `failed`, `not_run`: bits, positions in CHECKS."""

_STANDING: Final = [
    ("n_actual", np.int32), ("n_calculated", np.int32), ("n_substituted", np.int32), ("n_estimated", np.int32),
    ("n_missing", np.int32), ("quality", np.uint8), ("methods", np.uint8), ("missing_reason", np.uint8), ("cause", np.uint8),
]  # fmt: skip
_EMITTED: Final = [
    ("record", np.int64), ("element", np.int64), ("start_ms", np.int64), ("end_ms", np.int64),
    ("config_version", np.int64), ("channel", np.int64),
]  # fmt: skip
DETERMINANT: Final = np.dtype([*_EMITTED, ("quantity_nano", np.int64), *_STANDING])
"""`cause`: what hardened it, position in CAUSES."""
ADJUSTMENT: Final = np.dtype(
    [*_EMITTED, ("revision", np.int64), ("old_nano", np.int64), ("new_nano", np.int64), *_STANDING]
)
"""`cause`: why, position in REASONS."""
FINDING: Final = np.dtype(
    [
        ("record", np.int64), ("element", np.int64), ("start_ms", np.int64), ("end_ms", np.int64), ("first", np.int64),
        ("second", np.int64), ("channel", np.int64), ("check", np.int64),
    ]
)  # fmt: skip
"""`check`: position in CHECKS; `first` and `second`: the numbers of its detail."""

CHECKS: Final = ("capacity", "conflicting", "missing", "negative", "null_read", "spike", "zero_run")
CAPACITY, CONFLICTING_READ, MISSING_READS, NEGATIVE, NULL_READ, SPIKE, ZERO_RUN = range(len(CHECKS))
"""Sorted, as they are listed."""
CAUSES: Final = ("read", "heartbeat", "gate")
BY_READ, BY_HEARTBEAT, BY_GATE = range(len(CAUSES))
REASONS: Final = ("LATE_READ", "ESTIMATE_REPLACED", "CORRECTED_READ")
"""By weight: of a window's slots the heaviest gives the reason."""
LATE_READ, ESTIMATE_REPLACED, CORRECTED_READ = range(len(REASONS))

NO_LIMIT: Final = 1 << 62
int64: Final = cast("Callable[[Any], int]", np.int64)
"""What Numba makes an int64 of any number with; `int` would leave a number of eight bits one of eight bits."""
NIL: Final = cast(int, np.int64(0))
ONE: Final = cast(int, np.int64(1))
"""Numbers that Numba does not take for constants: it compiles a function anew for every constant that it is given, or begun with."""


class Held(NamedTuple):
    """What a slot holds, as SLOT has it."""

    quantity_nano: int
    version: int
    device: int
    quality: int
    method: int
    reason: int
    evidence: int


NOT_HELD: Final = Held(0, 0, 0, 0, 0, 0, 0)


class Ring(NamedTuple):
    """A ring of positions, which begins at one of the places in `pages` and has 2 to the `shift` of them a page."""

    at: int
    length: int
    shift: int


class Rings(NamedTuple):
    """What the pages of all rings are made of (state/ring_pages.py, state/narrow_pages.py). `cells` by cell."""

    pages: Records
    wide: Records
    narrow: Records
    cells: NDArray[np.uint16]
    odd: Records
    pools: Records


class World(NamedTuple):
    """The state, and what is configured. `scratch`: room for what one window or one check needs."""

    channels: Records
    rings: Rings
    streams: Records
    reads: Records
    lanes: Records
    routes: Records
    registers: Records
    spans: Records
    calendars: Records
    clocks: Records
    holidays: Ints
    scratch: Ints


class Emitted(NamedTuple):
    """Room for rows. `number`: how many there are of each, in the order of the fields; `verdicts`: units by verdict."""

    evidence: Records
    determinants: Records
    adjustments: Records
    findings: Records
    number: Ints
    verdicts: Ints


class Unit(NamedTuple):
    """Which element of which record is being processed, and what hardens what it lets pass."""

    record: int
    element: int
    cause: int


EVIDENCE_ROWS, DETERMINANT_ROWS, ADJUSTMENT_ROWS, FINDING_ROWS = range(4)
"""Positions in `Emitted.number`."""
