"""Lines of a CSV table as readings: whose, when, and what else; the part that interval files and register files share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import tzinfo
from typing import NamedTuple

from connectors.csv_table import Columns, Row, Table, TableOptions, tables_of
from connectors.dead_letter import Problem, UnableToInterpret
from connectors.local_stamps import Reading, RepeatedHour
from connectors.quantity_text import canonical_unit
from connectors.source_lines import Source

QUALITIES = ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")  # of the contract, best first
VERSION_LIMIT = 2**63

Reader = Callable[[Row, tzinfo | None], Reading]


def readings_of(
    source: Source, options: TableOptions, known: Columns, needed: tuple[Columns, ...], reader: Reader
) -> Iterator[Reading | Problem]:
    """Every line as `reader` reads it, its instant decided, in the order of the file; a line that it refuses is a problem.

    When the first line has a stamp without offset and no time zone is stated, the file is refused: it is the caller who has to say more,
    and thousands of dead letters would not help.
    """
    try:
        zone = options.zone()
    except UnableToInterpret as why:
        yield refused_options(why)
        return
    yield from RepeatedHour().decide(_undecided(source, options, known, needed, reader, zone))


def refused_options(why: UnableToInterpret) -> Problem:
    """What the caller stated makes no sense, so nothing is read."""
    return Problem("the import's options", 0, why.reason, why.message, why.remedy, refuses_file=True)


def _undecided(
    source: Source,
    options: TableOptions,
    known: Columns,
    needed: tuple[Columns, ...],
    reader: Reader,
    zone: tzinfo | None,
) -> Iterator[Reading | Problem]:
    for table in tables_of(source, options, known, needed):
        if isinstance(table, Problem):
            yield table
            continue
        first = True
        for row in table.rows():
            if isinstance(row, Problem):
                yield row
                continue
            try:
                yield reader(row, zone)
            except UnableToInterpret as why:
                nobody_said = first and why.reason == "no_time_zone"
                yield replace(row.problem(why), refuses_file=nobody_said)
                if nobody_said:
                    break
            first = False


class Who(NamedTuple):
    """What many lines of a file say alike."""

    device: str
    register: str
    unit: str
    quality: str
    version: int


class WhoByCells:
    """Reads `Who` of a row; lines that say it in the same words are read once. Remembers at most `LIMIT` of them."""

    COLUMNS = ("device", "register", "unit", "quality", "version")
    LIMIT = 100_000

    def __init__(self, options: TableOptions) -> None:
        self._options = options
        self._known: dict[tuple[str, ...], Who] = {}
        self._table: Table | None = None
        self._positions: list[int] = []

    def of(self, row: Row) -> Who:
        """Raises `UnableToInterpret` for a value that is nowhere, and for a quality or version that is none."""
        if row.table is not self._table:
            self._table = row.table
            self._positions = [row.table.position[column] for column in self.COLUMNS if column in row.table.position]
            self._known.clear()
        cells = row.cells_of(self._positions)
        who = self._known.get(cells)
        if who is None:
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            self._known[cells] = who = _who(row, self._options)
        return who


def _who(row: Row, options: TableOptions) -> Who:
    return Who(
        row.read("device", stated, options.device, "device"),
        row.read("register", stated, options.register, "register"),
        canonical_unit(row.read("unit", stated, options.unit, "unit")),
        row.read("quality", quality_of, options.quality),
        row.read("version", version_of, options.version),
    )


def quality_of(text: str, default: str) -> str:
    """One of `QUALITIES`, written in any case."""
    quality = (text or default).upper()
    if quality not in QUALITIES:
        raise UnableToInterpret(
            "unknown_quality", f"'{text or default}' is not a quality.", f"Write one of {', '.join(QUALITIES)}."
        )
    return quality


def version_of(text: str, default: int) -> int:
    """An int64 in decimal digits."""
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (
        digits.isascii() and digits.isdigit() and len(digits) <= 19 and -VERSION_LIMIT <= int(text) < VERSION_LIMIT
    ):
        raise UnableToInterpret(
            "not_a_version", f"'{text}' is not a version.", "Write a 64-bit integer; the higher one wins."
        )
    return int(text)


def stated(text: str, default: str, what: str) -> str:
    """The cell, or the caller's default; raises `UnableToInterpret` when there is neither."""
    if text or default:
        return text or default
    raise UnableToInterpret(
        "missing_value", f"There is no {what}.", f"Fill the cell, or state a default with --{what}."
    )
