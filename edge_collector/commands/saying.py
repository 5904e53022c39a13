"""How these commands speak: errors to standard error with exit code 1, tables that fit a terminal, JSON for scripts."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edge_collector.site import Site
from edge_collector.site_load import UnableToLoadSite, load_site

ConfigOption = Annotated[Path, typer.Option("--config", help="The site's configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(message: str) -> typer.Exit:
    """Say what went wrong and what to do; raise what this returns."""
    err.print("error:", style="bold red", end=" ")
    err.print(message, markup=False, soft_wrap=True)
    return typer.Exit(1)


def site_at(path: Path) -> Site:
    """The site in a file; everything that is wrong in it is said before the command ends."""
    try:
        return load_site(path)
    except UnableToLoadSite as error:
        number = f"{len(error.problems)} errors" if len(error.problems) > 1 else "an error"
        raise fail(f"{path} has {number}:\n  " + "\n  ".join(error.problems)) from error


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table without lines, numbers to the right."""
    listed = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for position, column in enumerate(columns):
        are_numbers = all(isinstance(row[position], int | float) for row in listed)
        table.add_column(column, justify="right" if are_numbers and listed else "left")
    for row in listed:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(table)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    out.print(json.dumps(value, indent=2, default=str), soft_wrap=True, markup=False, highlight=False)


def shown(at_ms: int | None) -> str:
    """An instant as UTC to the second."""
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def instant(option: str, text: str) -> int:
    """Milliseconds of an ISO instant with its offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise fail(f"{option} {text}: give an instant like 2026-02-01T00:00Z") from error
    if at.tzinfo is None:
        raise fail(f"{option} {text}: an instant needs its offset, like {text}Z")
    return int(at.timestamp() * 1000)
