"""`run --follow`: own the directory, keep the tables current, append the timetable's gates, serve other commands."""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Final

from rich.console import Console
from typer.main import get_command

from connectors.file_log import LogWriter, UnableToAppend
from connectors.owner_socket import Appended
from meterfold import gates
from meterfold.running import Following, now_ms
from meterfold.serving import OwnerServer
from meterfold.session import Session, session, within
from meterfold.workspace import Workspace

_TIMETABLE_S: Final = 15.0
"""How often the timetable is looked at."""


def follow(workspace: Workspace, epoch: timedelta) -> None:
    """Until SIGINT or SIGTERM; raises what ended a dataflow."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    flows = Following(workspace, epoch)
    flows.start()
    server = OwnerServer(workspace.paths.socket, _runner(workspace), appending_to(workspace.raw))
    session().err.print(f"following {workspace.paths.root}; stop with Ctrl-C")
    try:
        while flows.is_running and not stop.is_set():
            for scope, until in gates.append_due(workspace, now_ms()):
                session().err.print(f"timetable: {scope} closes before {until}")
            stop.wait(_TIMETABLE_S)
    finally:
        server.close()
        flows.stop()
        flows.join()


def _runner(workspace: Workspace) -> Callable[[list[str], Path, Console, Console], int]:
    def run(argv: list[str], directory: Path, out: Console, err: Console) -> int:
        from meterfold.cli import app  # the command line imports this module

        current = Session(out=out, err=err, directory=directory, lent=workspace, followed=True, argv=argv)
        with within(current):
            return run_command(get_command(app).main, argv, err)

    return run


def appending_to(raw: LogWriter) -> Callable[[str, list[Appended]], int]:
    """For the collector: what it has goes into the raw log, as it was, and is there when it is told so."""

    def append(topic: str, entries: list[Appended]) -> int:
        if topic != raw.topic.directory.name:
            raise UnableToAppend(f"the owner appends to {raw.topic.directory.name} only, not to {topic}")
        raw.append_many([(raw.partition_of(key), key, payload) for key, payload in entries], now_ms())
        raw.flush()
        return len(entries)

    return append


def run_command(main: Callable[..., object], argv: list[str], err: Console) -> int:
    """Run a command line without leaving the process; its exit code."""
    try:
        code = main(args=argv, prog_name="meterfold", standalone_mode=False)
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except Exception as error:
        # The owner must outlive any command; the person who asked sees what happened.
        code = getattr(error, "exit_code", 1)
        show = getattr(error, "format_message", None)
        err.print(f"[bold red]error:[/] {show() if show else f'{type(error).__name__}: {error}'}")
    return code if isinstance(code, int) else 0
