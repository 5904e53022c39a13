"""The demonstration, told with the commands that anyone would type."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from typer.main import get_command

from meterfold.demo.house import Files, write_files
from meterfold.demo.submeter import Submeter, polling, write_submeter
from meterfold.following import run_command
from meterfold.session import Session, fail, session, within
from meterfold.workspace import Workspace, find

MARK: Final = ".meterfold-demo"
"""Marks a directory that the demonstration made, and may make anew."""


def tell(root: Path) -> None:
    """Run the demonstration in `root`: files/ holds what is imported, building/ the collector, data/ is the data directory."""
    out = session().out
    started = time.perf_counter()
    files, submeter = _prepare(root)
    out.print("A small house: flat A with a smart meter that sends files, flat B with a submeter on Modbus.")
    with _Owner(root) as owner:
        for text, commands in _chapters(root, files, submeter):
            out.print(f"\n[bold]{text}[/]")
            for words in commands:
                _run(root, words, owner.lent_to(words))
    out.print(f"\n{time.perf_counter() - started:.0f} s. Everything above is in {root}; look around, for example:")
    data = _shown(root / "data")
    for command in (
        f"meterfold bill show ACC-B --data {data}",
        f'meterfold sql "SELECT * FROM completeness_per_local_day LIMIT 5" --data {data}',
        f"meterfold outbox status --config {_shown(root / 'building' / 'site.toml')}",
        f"meterfold check --data {data}",
        f"meterfold rebuild --data {data}",
    ):
        out.print(f"  {command}", markup=False, soft_wrap=True)


class _Owner:
    """The data directory, owned from command to command, as opening it takes its time; given back for those that need it free."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._owned: Workspace | None = None

    def lent_to(self, words: Sequence[str]) -> Workspace | None:
        if words[0] in ("init", "simulate"):
            self._give_back()
        elif self._owned is None:
            self._owned = Workspace(find(self._root / "data"))
        return self._owned

    def _give_back(self) -> None:
        if self._owned is not None:
            self._owned.close()
        self._owned = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()


def _chapters(root: Path, files: Files, submeter: Submeter) -> list[tuple[str, list[list[str]]]]:
    building = root / "building"
    return [
        ("Reference data", [["init"], ["portfolio", "load", str(submeter.portfolio)]]),
        (
            "January at the meters: a collector polls flat B's submeter over Modbus, on an unruly line, in virtual time",
            [polling(building, "january"), ["run"], ["quarantine", "list"]],
        ),
        (
            "Since 21 January another serial number answers: reads wait until the portfolio says whose they are",
            [
                ["portfolio", "load", str(submeter.exchanged)],
                ["quarantine", "release", submeter.new, "--reason", "exchanged on 21 January"],
                ["import", "csv-registers", str(submeter.fitter)],
            ],
        ),
        (
            "January's file of flat A: half-hours sent twice, and two gaps",
            [
                ["import", "csv-intervals", str(files.january_a)],
                ["run"],
                ["gate", "--until", "2026-02-01"],
                ["sql", _VERDICTS],
                ["sql", _FINDINGS],
            ],
        ),
        (
            "The first bills",
            [["bill", "run"], ["bill", "issue", "ACC-A"], ["bill", "issue", "ACC-B"], ["bill", "show", "ACC-A"]],
        ),
        (
            "After the bill: the operator corrects the morning of 14 January, and sends what was missing on the 17th",
            [["import", "csv-intervals", str(files.corrected_a)], ["run"], ["sql", _ADJUSTMENTS]],
        ),
        (
            "February arrives and is billed; so is the difference for January",
            [
                ["import", "csv-intervals", str(files.february_a)],
                polling(building, "february"),
                ["gate", "--until", "2026-03-01"],
                ["bill", "run"],
                ["bill", "issue", "ACC-A"],
                ["bill", "show", "HH-000003"],
                ["bill", "show", "HH-000004"],
            ],
        ),
        (
            "Why this amount? One line of the correction, down to the file and line of its reads",
            [["bill", "explain", "HH-000003/1"]],
        ),
        ("Is everything in order?", [["check"]]),
    ]


_VERDICTS: Final = "SELECT supply_point, verdict, count() AS reads FROM evidence FINAL GROUP BY ALL ORDER BY ALL"
_FINDINGS: Final = (
    "SELECT check_id, severity, supply_point, count() AS findings, "
    "fromUnixTimestamp64Milli(min(start_ms), 'UTC') AS first FROM findings FINAL WHERE start_ms > 0 GROUP BY ALL ORDER BY ALL"
)
_ADJUSTMENTS: Final = (
    "SELECT supply_point, reason, count() AS intervals, sum(toDecimal128(delta_nano, 9)) / 1000000000 AS kwh "
    "FROM adjustments FINAL GROUP BY ALL ORDER BY ALL"
)


def _prepare(root: Path) -> tuple[Files, Submeter]:
    if root.exists() and not (root / MARK).exists() and any(root.iterdir()):
        raise fail(f"{root} is not empty and was not made by the demonstration; give another directory with --data")
    shutil.rmtree(root, ignore_errors=True)
    files = write_files(root / "files")
    (root / MARK).touch()
    return files, write_submeter(root / "files")


def _run(root: Path, words: Sequence[str], owned: Workspace | None) -> None:
    """Show a command as it would be typed, and run it."""
    from meterfold.cli import app  # the command line imports this module

    outer = session()
    outer.out.print(f"\n[dim]$[/] [cyan]meterfold {_typed(words)}[/]", highlight=False, soft_wrap=True)
    argv = [*words, "--data", str(root / "data")]
    with within(Session(out=outer.out, err=outer.err, argv=argv, lent=owned)):
        code = run_command(get_command(app).main, argv, outer.err)
    if code:
        raise fail(f"meterfold {_typed(words)} ended with {code}: this demonstration is broken")


def _typed(words: Sequence[str]) -> str:
    return " ".join(
        f'"{word}"' if " " in word else _shown(Path(word)) if "/" in word and Path(word).exists() else word
        for word in words
    )


def _shown(path: Path) -> str:
    """A path as short as it can be written."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
