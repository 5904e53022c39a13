"""What a command runs in: its console, its working directory, and the data directory it owns or is lent.

A command that needs the directory takes its lock. When another process owns it (`run --follow`), the same command line
is sent there instead and runs in the owner, its output streaming back; so every command works beside the owner.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from connectors.clickhouse import StoreIsOwned
from connectors.clickhouse_schema import UnableToMigrate
from connectors.file_log import UnableToLock, UnableToOpenTopic, UnableToRepair
from connectors.snapshots.reference import UnableToResume
from meterfold.serving import ask_owner
from meterfold.workspace import IsOwned, UnableToOpen, Workspace, find
from state.compiling import say_when_compiling

DataOption = Annotated[
    Path, typer.Option("--data", envvar="METERFOLD_DATA", help="The data directory.", show_default="./meterfold-data")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
DATA = Path("meterfold-data")


@dataclass(slots=True)
class Session:
    """One command's surroundings.

    `lent` is the workspace of the process it runs in, when that owns one already; `followed`: dataflows are running on it.
    """

    out: Console = field(default_factory=lambda: Console(highlight=False))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    directory: Path = field(default_factory=Path.cwd)
    lent: Workspace | None = None
    followed: bool = False
    argv: list[str] = field(default_factory=lambda: sys.argv[1:])


_CURRENT: ContextVar[Session | None] = ContextVar("session", default=None)


def session() -> Session:
    """The session of the command that is running."""
    current = _CURRENT.get()
    if current is None:
        current = Session()
        _CURRENT.set(current)
    return current


@contextmanager
def within(current: Session) -> Iterator[None]:
    """Run a command in another session (the owner serving a request)."""
    token = _CURRENT.set(current)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def fail(message: str, code: int = 1) -> typer.Exit:
    """Say what went wrong and what to do; raise what this returns."""
    session().err.print(f"[bold red]error:[/] {message}", soft_wrap=True)
    return typer.Exit(code)


@contextmanager
def workspace(data: Path, *, drop_projection: bool = False) -> Iterator[Workspace]:
    """The data directory, owned for the length of a command, or lent; elsewhere owned, the command runs there.

    `drop_projection` begins with empty tables, whatever state the old ones are in.
    """
    current = session()
    if current.lent is not None:
        yield current.lent
        return
    try:
        paths = find(data.resolve())
        owned = Workspace(paths, drop_projection=drop_projection)
    except IsOwned as error:
        code = ask_owner(find(data.resolve()).socket, current.argv, current.out, current.err)
        if code is None:
            raise fail(f"{error}, which does not answer; stop it or wait for it to end") from error
        raise typer.Exit(code) from error
    except UnableToMigrate as error:
        raise fail(f"{error}; the tables follow from the logs: meterfold rebuild makes them anew") from error
    except (UnableToOpen, UnableToLock, UnableToRepair, UnableToOpenTopic, StoreIsOwned) as error:
        raise fail(str(error)) from error
    say_when_compiling(lambda: current.err.print("compiling the fold for large batches, once: about a minute …"))
    with owned:
        try:
            yield owned
        except UnableToResume as error:
            raise fail(str(error)) from error


def resolve(path: Path) -> Path:
    """A path as the person who typed it meant it."""
    return path if path.is_absolute() else session().directory / path


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    session().out.print(json.dumps(value, indent=2, default=str), soft_wrap=True, markup=False, highlight=False)
