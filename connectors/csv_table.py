"""A plain CSV file as lines of named cells: header, column mapping, defaults, and what every reader of such files needs.

One record a line: a quoted cell may hold the delimiter, not a line break. So a quote that is never closed costs its own line and no other.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Concatenate, ParamSpec, TypeVar

from connectors.dead_letter import Problem, UnableToInterpret, payload_of
from connectors.local_stamps import zone_of
from connectors.source_lines import Line, Member, Source, members_of

Columns = tuple[str, ...]

OPTIONS = {
    "device": "--device METER-1",
    "register": "--register E1",
    "unit": "--unit kWh",
    "interval_minutes": "--interval 30",
}
"""How the import's options state what a column would."""

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """What the caller states about a file. A default stands for a column that is absent and for a cell that is empty.

    `import_id` and `version`: the import's own (an int64; higher wins over earlier imports). `columns`: our name → the name in the header
    (`{"start": "timestamp"}`). `time_zone`: that of stamps without offset, see `zone_of`.
    """

    import_id: str
    version: int
    columns: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    register: str = ""
    unit: str = ""
    quality: str = "ACTUAL"
    time_zone: str = ""
    delimiter: str = ","

    def zone(self) -> tzinfo | None:
        """The zone of `time_zone`, None when there is none; raises `UnableToInterpret`."""
        return zone_of(self.time_zone) if self.time_zone else None


class Row:
    """One line by column name. Cells are stripped; an absent column is an empty cell."""

    __slots__ = ("_cells", "line", "table", "text")

    def __init__(self, table: Table, line: int, text: str, cells: list[str]) -> None:
        self.table = table
        self.line = line
        self.text = text
        self._cells = cells

    def __getitem__(self, column: str) -> str:
        index = self.table.position.get(column)
        return "" if index is None else self._cells[index].strip()

    def cells_of(self, positions: list[int]) -> tuple[str, ...]:
        """The cells at these positions, as they stand in the line."""
        return tuple([self._cells[position] for position in positions])

    def read(self, column: str, reader: Callable[Concatenate[str, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `reader` makes of the cell; an `UnableToInterpret` that comes out of it knows its column."""
        try:
            return reader(self[column], *args, **kwargs)
        except UnableToInterpret as why:
            why.column = column
            raise

    def problem(self, why: UnableToInterpret) -> Problem:
        """The problem of one cell, under the name that the file gives its column."""
        called = self.table.called.get(why.column, why.column)
        return Problem(
            self.table.name,
            self.line,
            why.reason,
            why.message,
            why.remedy,
            column=called,
            payload=payload_of(self.text),
        )


@dataclass(frozen=True, slots=True)
class Table:
    """One member of the source, header read: our column → its position, and → what the file calls it. Its rows come once."""

    name: str
    position: dict[str, int]
    called: dict[str, str]
    width: int
    delimiter: str
    lines: Iterator[Line | Problem]

    def rows(self) -> Iterator[Row | Problem]:
        """The lines after the header, blank ones passed over."""
        for item in self.lines:
            if isinstance(item, Problem):
                yield item
            elif item[1].strip():
                yield self._row(*item)

    def _row(self, line: int, text: str) -> Row | Problem:
        try:
            cells = split_cells(text, self.delimiter)
            # One cell more, even an empty one, is what a decimal comma does: 1,5 would be read as 1 and all after it shifted.
            if len(cells) != self.width:
                raise UnableToInterpret(
                    "cell_count",
                    f"The line has {len(cells)} cells, the header {self.width}.",
                    "Is the line cut off, or is there a comma within a number?",
                )
        except UnableToInterpret as why:
            return Problem(self.name, line, why.reason, why.message, why.remedy, payload=payload_of(text))
        return Row(self, line, text, cells)


def split_cells(text: str, delimiter: str = ",") -> list[str]:
    """The cells of one line, quotes understood. Raises `UnableToInterpret` for a quote that is not closed."""
    text = text.rstrip("\r\n")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        raise UnableToInterpret(
            "bad_quotes", "The quotes of the line do not match.", "Close them on the same line."
        ) from None


def tables_of(
    source: Source, options: TableOptions, known: Columns, needed: tuple[Columns, ...]
) -> Iterator[Table | Problem]:
    """The source's tables. `known`: our columns; `needed`: of each of these groups the header must have one.

    `device`, `register` and `unit` are needed where they have no default. Without a usable header a file is one problem that refuses it.
    """
    whose = ("device", options.device), ("register", options.register), ("unit", options.unit)
    needed = (*needed, *((column,) for column, default in whose if not default))
    for member in members_of(source):
        yield member if isinstance(member, Problem) else _table(member, options, known, needed)


def _table(member: Member, options: TableOptions, known: Columns, needed: tuple[Columns, ...]) -> Table | Problem:
    first = next((item for item in member.lines if isinstance(item, Problem) or item[1].strip()), None)
    if first is None:
        return Problem(
            member.name, 1, "empty_file", "The file is empty.", "Ask the sender for it again.", refuses_file=True
        )
    if isinstance(first, Problem):
        return replace(first, refuses_file=True)
    line, text = first
    try:
        names = [name.strip() for name in split_cells(text, options.delimiter)]
        called = _called(names, options.columns, known, needed)
    except UnableToInterpret as why:
        return Problem(
            member.name, line, why.reason, why.message, why.remedy, payload=payload_of(text), refuses_file=True
        )
    position = {column: _folded(names).index(name.casefold()) for column, name in called.items()}
    return Table(member.name, position, called, len(names), options.delimiter, member.lines)


def _called(names: list[str], mapped: Mapping[str, str], known: Columns, needed: tuple[Columns, ...]) -> dict[str, str]:
    """Our column → the header's name for it, of those that are there. Names are compared without case."""
    there = f"The header has: {', '.join(names)}."
    folded = _folded(names)
    called = {column: mapped.get(column, column) for column in known}
    for column in mapped:
        if column not in known:
            raise UnableToInterpret(
                "unknown_column",
                f"There is no column '{column}' to map.",
                f"Write --map OUR_NAME=THEIR_HEADER; ours are: {', '.join(known)}.",
            )
        if mapped[column].casefold() not in folded:
            raise UnableToInterpret(
                "missing_column",
                f"'{mapped[column]}', mapped to '{column}', is not in the header.",
                f"{there} Correct --map.",
            )
    called = {column: name for column, name in called.items() if name.casefold() in folded}
    for name in called.values():
        if folded.count(name.casefold()) > 1:
            raise UnableToInterpret(
                "column_twice", f"The column '{name}' is in the header twice.", "Name each column once."
            )
    lacking = [group for group in needed if not any(column in called for column in group)]
    if lacking:
        options = " ".join(OPTIONS[column] for group in lacking for column in group if column in OPTIONS)
        raise UnableToInterpret(
            "missing_column",
            f"The header lacks {', '.join(' or '.join(group) for group in lacking)}. {there}",
            f"Name the file's columns, as in --map {lacking[0][0]}=THEIR_HEADER"
            + (f"; or state what holds for all lines, as in {options}." if options else "."),
        )
    return called


def _folded(names: list[str]) -> list[str]:
    return [name.casefold() for name in names]
