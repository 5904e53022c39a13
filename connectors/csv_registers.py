"""Register reads (running totals) from a plain CSV file, as `register` records in time order.

The columns, in any order, other columns ignored; a header is required:

| column | meaning | when absent or empty |
|---|---|---|
| `device`, `register`, `unit` | whose total, in what unit (`KWH` and `kwh` become `kWh`) | the option of that name |
| `at` | ISO 8601, the instant of the read; without an offset it is in the option `time_zone` | the line is refused |
| `total` | decimal with a point, exponent allowed; negative totals are passed on, the fold judges them | the line is refused |
| `quality` | ACTUAL, CALCULATED, SUBSTITUTED, ESTIMATED (a MISSING read is refused) | the option `quality` (ACTUAL) |
| `version` | int64, the edition of the read, higher wins | the option `version`: the import's own |
| `event` | `reset`: the register is known to have restarted at or before this read | none |

`decimals` is what the text has, and nothing is rounded. With `resolution_decimals` every total is quantised once, half-even, to the
register's own resolution: for sources that write a binary float's digits. A bad line is a problem and the others are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from connectors.csv_readings import Who, WhoByCells, readings_of, refused_options
from connectors.csv_table import Row, TableOptions
from connectors.dead_letter import Problem, UnableToInterpret
from connectors.local_stamps import Reading, instants_of
from connectors.quantity_text import MAX_DECIMALS, count_of
from connectors.source_lines import Source
from connectors.time_order import BUDGET, Record, in_time_order

COLUMNS = ("device", "register", "at", "total", "unit", "quality", "version", "event")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOptions(TableOptions):
    """`resolution_decimals`: decimals of the register's last digit, 0 … 18; None leaves every total as its text has it."""

    resolution_decimals: int | None = None


def read_csv_registers(
    source: Source, options: RegisterOptions, *, budget: int = BUDGET, folder: Path | None = None
) -> Iterator[Record | Problem]:
    """Problems in the order of the file, then raw records in time order. `source` may be plain, gzip or zip.

    Only a file that cannot be read at all, has no usable header, or breaks off within its compression is refused whole.
    """
    yield from in_time_order(_records(source, options), keep_good=True, budget=budget, folder=folder)


def _records(source: Source, options: RegisterOptions) -> Iterator[Record | Problem]:
    try:
        _check_resolution(options.resolution_decimals)
    except UnableToInterpret as why:
        yield refused_options(why)
        return

    who_by_cells = WhoByCells(options)

    def reading(row: Row, zone: tzinfo | None) -> Reading:
        return _reading(row, who_by_cells.of(row), options.resolution_decimals, zone)

    for item in readings_of(source, options, COLUMNS, (("at",), ("total",)), reading):
        yield item if isinstance(item, Problem) else _record(item, options.import_id)


def _check_resolution(decimals: int | None) -> None:
    if decimals is not None and not 0 <= decimals <= MAX_DECIMALS:
        raise UnableToInterpret(
            "bad_resolution",
            f"A resolution of {decimals} decimals is impossible.",
            f"State 0 to {MAX_DECIMALS}, as in --decimals 3.",
        )


def _reading(row: Row, who: Who, resolution_decimals: int | None, zone: tzinfo | None) -> Reading:
    if who.quality == "MISSING":
        raise UnableToInterpret("missing_read", "The read is MISSING, so it says nothing.", "Leave the line out.")
    at = row.read("at", instants_of, zone)
    event = row.read("event", _event)
    count, decimals = row.read("total", count_of, resolution_decimals)
    body = {
        "unit": who.unit,
        "count": count,
        "decimals": decimals,
        "quality": who.quality,
        "version": who.version,
        **event,
    }
    return Reading(row.table.name, row.line, who.device, who.register, row["at"], at, body)


def _event(text: str) -> dict[str, str]:
    if text.lower() not in ("", "reset"):
        raise UnableToInterpret(
            "unknown_event", f"'{text}' is not an event.", "The only event is reset; leave the cell empty otherwise."
        )
    return {"event": "reset"} if text else {}


def _record(reading: Reading, import_id: str) -> Record:
    return {
        "v": 1,
        "type": "register",
        "device": reading.device,
        "register": reading.register,
        "at_ms": reading.instant_ms,
        **reading.body,
        "source": {"file": reading.file, "line": reading.line, "import": import_id},
    }
