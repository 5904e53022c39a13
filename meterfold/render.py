"""Tables that fit a terminal, and the same rows for scripts."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.table import Table

from meterfold.session import print_json, session


class Figure(str):
    """Text that stands to the right, as numbers do: an amount with the decimals of its currency."""


def show_rows(title: str, names: Sequence[str], rows: Iterable[Sequence[Any]], as_json: bool) -> None:
    """Print rows as a table, or as a list of objects."""
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    kept = [list(row) for row in rows]
    if _is_too_wide(names, kept):
        _show_vertically(names, kept)
        return
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for at, name in enumerate(names):
        numeric = any(isinstance(row[at], int | float | Figure) or type(row[at]).__name__ == "Decimal" for row in kept)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in kept:
        table.add_row(*(cell_text(cell) for cell in row))
    if not kept:
        session().out.print(f"{title}: none" if title else "no rows")
        return
    session().out.print(table)


def _is_too_wide(names: Sequence[str], rows: list[list[Any]]) -> bool:
    """True if most columns would have to be folded."""
    widths = [max(len(name), *(len(cell_text(row[at])) for row in rows[:50])) for at, name in enumerate(names) if rows]
    return len(names) > 8 and sum(widths) + 2 * len(widths) > 1.5 * session().out.width


def _show_vertically(names: Sequence[str], rows: list[list[Any]]) -> None:
    """One block a row, one column a line: for rows wider than the terminal."""
    width = max(map(len, names))
    for number, row in enumerate(rows, 1):
        session().out.print(f"row {number}", style="dim")
        for name, cell in zip(names, row, strict=True):
            session().out.print(f"  {name:<{width}}  {cell_text(cell)}", markup=False, soft_wrap=True)


def cell_text(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        zone = "Z" if value.utcoffset() == timedelta(0) else value.strftime("%z")
        return value.strftime("%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M") + zone
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def utc_text(instant_ms: int) -> str:
    """An instant for people, in UTC."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") + "Z"
