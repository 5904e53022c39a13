"""Interval reads from a plain CSV file, as `interval` and `window` records in time order.

The columns, in any order, other columns ignored; a header is required:

| column | meaning | when absent or empty |
|---|---|---|
| `device`, `register`, `unit` | whose reading, in what unit (`KWH` and `kwh` become `kWh`) | the option of that name |
| `start` | ISO 8601, first instant of the interval; without an offset it is in the option `time_zone` | the line is refused |
| `end` | first instant after it; must agree with the length when both are there | the length comes from the next row |
| `interval_minutes` | 1 … 60, or `LOCAL_DAY` | `end` − `start`, or without `end` the option `interval` |
| `quantity` | decimal with a point, at most 9 decimals, below 10⁹ | only with quality MISSING |
| `quality` | ACTUAL, CALCULATED, SUBSTITUTED, ESTIMATED, MISSING | the option `quality` (ACTUAL) |
| `version` | int64, the edition of the interval, higher wins | the option `version`: the import's own |

A bad line is a problem and the others are kept. Nothing is judged here: duplicates, gaps and negative values are the fold's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from connectors.csv_readings import Who, WhoByCells, readings_of, refused_options
from connectors.csv_table import Columns, Row, TableOptions
from connectors.dead_letter import Problem, UnableToInterpret
from connectors.local_stamps import Instants, Reading, instants_of
from connectors.quantity_text import nano_of
from connectors.source_lines import Source
from connectors.time_order import BUDGET, Record, in_time_order

COLUMNS = ("device", "register", "start", "end", "interval_minutes", "quantity", "unit", "quality", "version")
LOCAL_DAY = "LOCAL_DAY"
Length = int | str  # seconds, or LOCAL_DAY

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalOptions(TableOptions):
    """`interval`: the length of intervals that do not say theirs, minutes (`"30"`) or `LOCAL_DAY`."""

    interval: str = ""


class _Body(NamedTuple):
    """What a line says besides its start."""

    quantity_nano: int | None
    who: Who
    length: Length | None  # None: only the end says it
    end: Instants


def read_csv_intervals(
    source: Source, options: IntervalOptions, *, budget: int = BUDGET, folder: Path | None = None
) -> Iterator[Record | Problem]:
    """Problems in the order of the file, then raw records in time order. `source` may be plain, gzip or zip.

    Only a file that cannot be read at all, has no usable header, or breaks off within its compression is refused whole.
    """
    yield from in_time_order(_records(source, options), keep_good=True, budget=budget, folder=folder)


def _records(source: Source, options: IntervalOptions) -> Iterator[Record | Problem]:
    try:
        default = _length_s(options.interval) if options.interval else None
    except UnableToInterpret as why:
        yield refused_options(why)
        return

    who_by_cells = WhoByCells(options)

    def reading(row: Row, zone: tzinfo | None) -> Reading:
        return _reading(row, who_by_cells.of(row), default, zone)

    needed: tuple[Columns, ...] = (("start",), ("quantity",))
    if default is None:
        needed += (("end", "interval_minutes"),)
    yield from _packed(readings_of(source, options, COLUMNS, needed, reading), options.import_id)


def _reading(row: Row, who: Who, default: Length | None, zone: tzinfo | None) -> Reading:
    start = row.read("start", instants_of, zone)
    end = row.read("end", instants_of, zone) if row["end"] else ()
    length = row.read("interval_minutes", _length_s) if row["interval_minutes"] else None
    if length is None and (not end or default == LOCAL_DAY):
        length = default or _length_s("")  # an end says minutes by itself, but not that its 24 hours are a local day
    quantity = row.read("quantity", _quantity, who.quality)
    return Reading(
        row.table.name, row.line, who.device, who.register, row["start"], start, _Body(quantity, who, length, end)
    )


def _quantity(text: str, quality: str) -> int | None:
    if (quality == "MISSING") != (not text):
        raise UnableToInterpret(
            "missing_with_value" if text else "missing_value",
            f"The quality is MISSING and the quantity is '{text}'." if text else "The quantity is empty.",
            "A quantity is empty when, and only when, its quality is MISSING.",
        )
    return nano_of(text) if text else None


def _interval_s(start_ms: int, said: Length | None, end: Instants) -> Length:
    """Seconds, or LOCAL_DAY; the end, when given, must agree with what the line said."""
    if not end:
        assert said is not None  # _reading refuses a line that says neither
        return said
    # In a repeated hour the end names two instants: it is the first that comes after the start.
    length_ms = min((ms for ms in end if ms > start_ms), default=end[0]) - start_ms
    if said is None:
        if length_ms % _MINUTE_MS or not _MINUTE_MS <= length_ms <= _HOUR_MS:
            raise _bad_length(f"From start to end are {length_ms // 1000} seconds.")
        return length_ms // 1000
    if abs(length_ms - _DAY_MS) <= _HOUR_MS if isinstance(said, str) else length_ms == said * 1000:
        return said
    wanted = said if isinstance(said, str) else f"{said} seconds"
    raise UnableToInterpret(
        "length_disagrees",
        f"From start to end are {length_ms // 1000} seconds, not {wanted}.",
        "Correct the end or the interval length.",
    )


def _length_s(text: str) -> Length:
    if text.upper() == LOCAL_DAY:
        return LOCAL_DAY
    if text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 60:
        return int(text) * 60
    raise _bad_length(f"'{text}' is not an interval length." if text else "There is no interval length.")


def _bad_length(message: str) -> UnableToInterpret:
    return UnableToInterpret(
        "bad_interval",
        message,
        "An interval has 1 to 60 whole minutes, or is a LOCAL_DAY: state it as in --interval 30, or in a column interval_minutes.",
    )


def _packed(readings: Iterator[Reading | Problem], import_id: str) -> Iterator[Record | Problem]:
    """Readings as records; those that follow each other share a `window`.

    Follow: same device, register, unit, quality, version and length, start where the last one ended, within one UTC day, on the next line
    of the file. So element i of a window is line `source.line` + i, and a duplicate start is always a record of its own.
    """
    head: Reading | None = None
    length: Length = 0
    values: list[int | None] = []
    for reading in chain(readings, (None,)):
        if isinstance(reading, Problem):
            yield reading
            continue
        new_length: Length = 0
        if reading is not None:
            try:
                new_length = _interval_s(reading.instant_ms, reading.body.length, reading.body.end)
            except UnableToInterpret as why:
                yield _length_problem(reading, why)
                continue
            if head is not None and new_length == length and _follows(head, len(values), length, reading):
                values.append(reading.body.quantity_nano)
                continue
        if head is not None:
            yield _record(head, length, values, import_id)
        if reading is not None:
            head, length, values = reading, new_length, [reading.body.quantity_nano]


def _follows(head: Reading, n: int, length: Length, reading: Reading) -> bool:
    return (
        isinstance(length, int)
        and reading.line == head.line + n
        and reading.file == head.file
        and reading.body.who == head.body.who
        and reading.instant_ms == head.instant_ms + n * length * 1000
        and reading.instant_ms // _DAY_MS == head.instant_ms // _DAY_MS
    )


def _record(head: Reading, length: Length, values: list[int | None], import_id: str) -> Record:
    who: Who = head.body.who
    content: dict[str, Any] = {"quantity_nano": values[0]} if len(values) == 1 else {"quantities_nano": values}
    return {
        "v": 1,
        "type": "interval" if len(values) == 1 else "window",
        "device": who.device,
        "register": who.register,
        "unit": who.unit,
        "start_ms": head.instant_ms,
        "interval_s": length,
        **content,
        "quality": who.quality,
        "version": who.version,
        "source": {"file": head.file, "line": head.line, "import": import_id},
    }


def _length_problem(reading: Reading, why: UnableToInterpret) -> Problem:
    payload = f"{reading.device},{reading.register},{reading.stamp}"
    return Problem(reading.file, reading.line, why.reason, why.message, why.remedy, column="end", payload=payload)
