"""`meterfold import`: files of the industry and plain CSV into the raw log."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.csv_intervals import IntervalOptions, read_csv_intervals
from connectors.csv_registers import RegisterOptions, read_csv_registers
from connectors.green_button import read_green_button
from connectors.nem12 import read_nem12
from connectors.nem13 import read_nem13
from meterfold.clock import now_ms
from meterfold.importing import Imported, UnableToImport, import_id_of, load, refuse_again
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, resolve, session, workspace
from meterfold.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Bring meter files into the log.")

Files = Annotated[list[Path], typer.Argument(help="Files; .gz and .zip are read as they are.")]
Again = Annotated[bool, typer.Option("--again", help="Import a file whose very bytes are in the log already.")]
Map = Annotated[list[str] | None, typer.Option("--map", help="OUR_NAME=THEIR_HEADER; repeat for each column.")]
Device = Annotated[str, typer.Option(help="The device, where the file has no such column.")]
Register = Annotated[str, typer.Option(help="The register, where the file has no such column.")]
Unit = Annotated[str, typer.Option(help="The unit, where the file has no such column.")]
Zone = Annotated[str, typer.Option("--time-zone", help="Of stamps without an offset, e.g. Europe/London or UTC.")]
Version = Annotated[
    int | None, typer.Option(help="Edition of what is imported; higher wins. Default: the time of the import.")
]
UtcOffset = Annotated[str, typer.Option(help="The market's clock, ±HH:MM; Western Power's is +08:00.")]
Delimiter = Annotated[str, typer.Option(help="Between cells.")]

PROBLEMS_SHOWN = 10


@app.command()
def nem12(
    files: Files,
    data: DataOption = DATA,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Load the good days of a file with bad ones; those become dead letters.")
    ] = False,
    utc_offset: UtcOffset = "+10:00",
    again: Again = False,
    as_json: JsonOption = False,
) -> None:
    """AEMO NEM12 interval files. All of a file or, at any error, nothing."""
    offset_s = _offset_s(utc_offset)
    _import(files, data, again, as_json, lambda path, id_: read_nem12(path, id_, offset_s, keep_good=keep_good))


@app.command()
def nem13(
    files: Files,
    data: DataOption = DATA,
    utc_offset: UtcOffset = "+10:00",
    again: Again = False,
    as_json: JsonOption = False,
) -> None:
    """AEMO NEM13 register reads (docs/formats.md). A record that contradicts itself becomes a dead letter."""
    offset_s = _offset_s(utc_offset)
    _import(files, data, again, as_json, lambda path, id_: read_nem13(path, id_, offset_s), dead_alone=True)


@app.command("green-button")
def green_button(files: Files, data: DataOption = DATA, again: Again = False, as_json: JsonOption = False) -> None:
    """Green Button (ESPI XML) interval readings (docs/formats.md). Bad readings and blocks become dead letters."""
    _import(files, data, again, as_json, read_green_button, dead_alone=True)


@app.command("csv-intervals")
def csv_intervals(
    files: Files,
    data: DataOption = DATA,
    columns: Map = None,
    device: Device = "",
    register: Register = "",
    unit: Unit = "",
    interval: Annotated[str, typer.Option(help="Minutes, or LOCAL_DAY, where the file does not say.")] = "",
    time_zone: Zone = "",
    version: Version = None,
    delimiter: Delimiter = ",",
    again: Again = False,
    as_json: JsonOption = False,
) -> None:
    """Quantities over intervals: columns device, register, start, quantity, unit (docs/csv.md)."""

    def read(path: Path, import_id: str) -> Iterable[Any]:
        options = IntervalOptions(
            import_id=import_id,
            version=now_ms() if version is None else version,
            columns=_mapping(columns),
            device=device,
            register=register,
            unit=unit,
            interval=interval,
            time_zone=time_zone,
            delimiter=delimiter,
        )
        return read_csv_intervals(path, options)

    _import(files, data, again, as_json, read)


@app.command("csv-registers")
def csv_registers(
    files: Files,
    data: DataOption = DATA,
    columns: Map = None,
    device: Device = "",
    register: Register = "",
    unit: Unit = "",
    time_zone: Zone = "",
    decimals: Annotated[
        int | None,
        typer.Option(help="Quantise every total once, half-even, to this many decimals (for binary floats)."),
    ] = None,
    version: Version = None,
    delimiter: Delimiter = ",",
    again: Again = False,
    as_json: JsonOption = False,
) -> None:
    """Running totals at instants: columns device, register, at, total, unit (docs/csv.md)."""

    def read(path: Path, import_id: str) -> Iterable[Any]:
        options = RegisterOptions(
            import_id=import_id,
            version=now_ms() if version is None else version,
            columns=_mapping(columns),
            device=device,
            register=register,
            unit=unit,
            time_zone=time_zone,
            resolution_decimals=decimals,
            delimiter=delimiter,
        )
        return read_csv_registers(path, options)

    _import(files, data, again, as_json, read)


def _import(
    files: list[Path],
    data: Path,
    again: bool,
    as_json: bool,
    read: Callable[[Path, str], Iterable[Any]],
    dead_alone: bool = False,
) -> None:
    """Import files one after the other; a refused one does not stop the next. Exit code 1 if any was refused."""
    refused = False
    answers = []
    with workspace(data) as owned:
        for path in map(resolve, files):
            if not path.is_file():
                raise fail(f"{path}: no such file")
            import_id = import_id_of(path)
            try:
                if not again:
                    refuse_again(owned, import_id)
                result = _load(owned, path, import_id, read(path, import_id), dead_alone)
            except UnableToImport as error:
                session().err.print(f"[bold red]{path.name}: refused:[/] {error}; --again does it nevertheless")
                refused = True
                continue
            refused |= result.refused
            answers.append(_answer(path, result))
            if not as_json:
                _tell(path, result)
        if as_json:
            print_json(answers)
    if refused:
        raise typer.Exit(1)


def _load(owned: Workspace, path: Path, import_id: str, found: Iterable[Any], dead_alone: bool) -> Imported:
    with session().err.status(f"{path.name} …") as status:

        def tell(readings: int) -> None:
            status.update(f"{path.name}: {readings:,} readings …")

        return load(owned, import_id, found, tell, dead_alone=dead_alone)


def _answer(path: Path, result: Imported) -> dict[str, Any]:
    return {
        "file": path.name,
        "import": result.import_id,
        "refused": result.refused,
        "records": result.records,
        "readings": result.readings,
        "problems": [str(problem) for problem in result.problems],
    }


def _tell(path: Path, result: Imported) -> None:
    out, err = session().out, session().err
    for problem in result.problems[:PROBLEMS_SHOWN]:
        err.print(str(problem), markup=False, soft_wrap=True)
    if len(result.problems) > PROBLEMS_SHOWN:
        err.print(f"… and {len(result.problems) - PROBLEMS_SHOWN} more (--json lists them all)")
    if result.refused:
        err.print(f"[bold red]{path.name}: refused[/], nothing of it was loaded")
        return
    dead = f", {len(result.problems)} dead letters" if result.problems else ""
    out.print(f"{path.name}: {result.readings:,} readings in {result.records:,} records{dead}. Next: meterfold run")


def _mapping(columns: list[str] | None) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns or ()]
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise fail(f"--map {ours}{equals}{theirs}: write OUR_NAME=THEIR_HEADER, like start=timestamp")
    return {ours: theirs for ours, _, theirs in pairs}


def _offset_s(text: str) -> int:
    try:
        sign = {"+": 1, "-": -1}[text[0]]
        hours, minutes = text[1:].split(":")
        return sign * (int(hours) * 3600 + int(minutes) * 60)
    except (KeyError, IndexError, ValueError) as error:
        raise fail(f"--utc-offset {text}: write it like +10:00") from error
