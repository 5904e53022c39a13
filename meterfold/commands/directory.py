"""Commands on the data directory itself: init, run, gate, rebuild, sql, check."""

import time
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape

from connectors.clickhouse import UnableToQuery
from meterfold import gates
from meterfold.catching_up import catch_up
from meterfold.checking import CheckResult, run_checks
from meterfold.following import follow
from meterfold.rebuilding import rebuild as rebuild_projection
from meterfold.render import show_rows
from meterfold.running import EPOCH, FOLLOWING_EPOCH
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, resolve, session, workspace
from meterfold.workspace import CURATED_PARTITIONS, RAW_PARTITIONS, UnableToOpen, Workspace, create

READING = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS")
"""What `sql` takes."""


def init(
    data: DataOption = DATA,
    raw_partitions: Annotated[int, typer.Option(help="Partitions of reads.raw, for ever.")] = RAW_PARTITIONS,
    curated_partitions: Annotated[
        int, typer.Option(help="Partitions of reads.curated, for ever.")
    ] = CURATED_PARTITIONS,
) -> None:
    """Make a new data directory."""
    try:
        create(resolve(data), raw_partitions, curated_partitions)
    except UnableToOpen as error:
        raise fail(str(error)) from error
    session().out.print(f"{data} is ready. Next: meterfold portfolio load FILE --data {data}")


def run(
    data: DataOption = DATA,
    following: Annotated[bool, typer.Option("--follow", help="Go on until interrupted, and serve commands.")] = False,
    epoch: Annotated[float | None, typer.Option(help="Seconds between checkpoints. Default: 10; following, 1.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Interpret what the logs hold: bring determinants and adjustments up to date."""
    if following:
        if as_json:
            raise fail("--json is for a run that ends; leave out --follow")
        with workspace(data) as owned:
            if session().lent is not None:
                raise fail("that directory is followed already")
            follow(owned, FOLLOWING_EPOCH if epoch is None else timedelta(seconds=epoch))
        return
    with workspace(data) as owned:
        started = time.perf_counter()
        before, odd_before = _counts(owned), _odd(owned)
        with session().err.status("interpreting reads …"):
            catch_up(owned, followed=session().followed, epoch=EPOCH if epoch is None else timedelta(seconds=epoch))
        after = _counts(owned)
        seconds = time.perf_counter() - started
        rows = [(name, after[name] - before[name], after[name]) for name in after]
        odd = [(*key, total - odd_before.get(key, 0), total) for key, total in _odd(owned).items()]
        new = [row for row in odd if row[2]]
        if as_json:
            tables = {name: {"new": more, "total": total} for name, more, total in rows}
            checks = [dict(zip(("check", "severity", "new", "total"), row, strict=True)) for row in new]
            print_json({"seconds": round(seconds, 1), "tables": tables, "odd": checks})
            return
        show_rows(f"up to date in {seconds:.1f} s", ("table", "new", "total"), rows, False)
        if new:
            show_rows("what was odd (see docs/checks.md)", ("check", "severity", "new", "total"), new, False)


def _odd(owned: Workspace) -> dict[tuple[str, str], int]:
    """Findings by check and severity."""
    found = owned.store.query("SELECT check_id, severity, count() FROM findings FINAL GROUP BY ALL ORDER BY ALL").rows
    return {(str(check_id), str(severity)): int(number) for check_id, severity, number in found}


def _counts(owned: Workspace) -> dict[str, int]:
    tables = ("evidence", "determinants", "adjustments", "findings", "quarantine", "dead_letters")
    return {table: int(owned.store.query(f"SELECT count() FROM {table} FINAL").rows[0][0]) for table in tables}


def gate(
    until: Annotated[
        str, typer.Option(help="A local date (its midnight at each site), or an ISO instant with offset.")
    ],
    data: DataOption = DATA,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
) -> None:
    """Close everything before an instant: what has not arrived by now is estimated, or MISSING with its reason."""
    with workspace(data) as owned:
        try:
            appended = gates.append(owned, _instant(until), site)
        except gates.UnableToGate as error:
            raise fail(str(error)) from error
        for scope, until_text in appended:
            session().out.print(f"{scope} closes before {until_text}")
        catch_up(owned, followed=session().followed)


def _instant(text: str) -> date | datetime:
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise fail(f"--until {text}: give a date like 2026-02-01 or an instant like 2026-02-01T00:00:00Z") from error
    if instant.tzinfo is None:
        raise fail(f"--until {text}: an instant needs its offset, like {text}Z; or give a date")
    return instant


def rebuild(data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Drop ClickHouse and project the logs again, to the same rows."""
    with workspace(data, drop_projection=True) as owned:
        if session().lent is not None:
            raise fail("stop `run --follow` first: rebuilding needs the directory for itself")
        with session().err.status("projecting the logs again …"):
            rebuild_projection(owned)
        if as_json:
            print_json({"rebuilt": True, "tables": _counts(owned)})
        else:
            session().out.print("rebuilt from the logs")


def sql(
    statement: Annotated[str, typer.Argument(help="A SELECT.")], data: DataOption = DATA, as_json: JsonOption = False
) -> None:
    """Ask ClickHouse."""
    with workspace(data) as owned:
        first = next(iter(statement.split()), "")
        if first.upper() not in READING:
            raise fail(
                f"'{escape(first)}' is none of {', '.join(READING)}, and only statements that read are taken: the logs are "
                "the truth, and tables follow from them"
            )
        try:
            found = owned.store.query(statement)
        except UnableToQuery as error:
            raise fail(str(error)) from error
        show_rows("", found.columns, found.rows, as_json)


def check(data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Run every check of sql/checks: no rows is a healthy store. Exit code 2 if any fires."""
    with workspace(data) as owned:
        results = run_checks(owned)
        if as_json:
            print_json([{"check": r.name, "says": r.says, "rows": r.rows} for r in results])
        else:
            _show_checks(results)
        if any(result.rows for result in results):
            raise typer.Exit(2)


def _show_checks(results: list[CheckResult]) -> None:
    """One line a check; what those that fire found."""
    for result in results:
        mark = f"[bold red]{len(result.rows):>4} rows[/]" if result.rows else "[green]       ok[/]"
        session().out.print(f"{mark}  {result.name}")
    for result in results:
        if result.rows:
            show_rows(f"{result.name}: {result.says}", result.columns, result.rows[:20], False)
