"""`meterfold portfolio`: reference data, shown against what is in force before anything is appended."""

from pathlib import Path
from typing import Annotated

import typer

from connectors.codec import decode, encode
from meterfold.billing.project import project
from meterfold.catching_up import catch_up
from meterfold.portfolio import Plan, Portfolio, load_file, plan
from meterfold.raw_records import append_raw
from meterfold.render import show_rows
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, resolve, session, workspace
from meterfold.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Sites, supply points, devices, accounts, tenancies, tariffs.")


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="The portfolio, in YAML (docs/portfolio.md).")],
    data: DataOption = DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, append nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare a portfolio with what is in force, show the difference and the bills it touches, and append it."""
    portfolio = load_file(resolve(file))
    if not isinstance(portfolio, Portfolio):
        for problem in portfolio:
            session().err.print(f"{file}: {problem}", markup=False, soft_wrap=True)
        raise fail(f"{file} has {len(portfolio)} problem{'s' if len(portfolio) > 1 else ''}; nothing was loaded")
    with workspace(data) as owned:
        found = plan(portfolio, (decode(payload) for _, _, payload in owned.billing_log.iter_records(0)))
        if as_json:
            print_json({"lines": found.lines(), "problems": [str(problem) for problem in found.problems]})
        else:
            _show(owned, found)
        if found.problems:
            raise fail("the portfolio is refused; nothing was loaded")
        if found.is_empty or dry_run:
            session().out.print("nothing to append" if found.is_empty else "dry run: nothing appended")
            return
        for batch in found.raw_batches():  # a flush each: a device gives up a channel before another takes it
            append_raw(owned, batch)
        for record in found.reference_records():
            owned.billing_log.append(str(record["id"]).encode(), encode(record))
        owned.billing_log.flush()
        project(owned.store, owned.billing_log)
        catch_up(owned, followed=session().followed)
        session().out.print(f"loaded: {len(found.added)} new, {len(found.changed)} changed")


def _show(owned: Workspace, found: Plan) -> None:
    for line in found.lines():
        session().out.print(line, markup=False, soft_wrap=True)
    touched = [
        (
            touch.account,
            touch.from_date,
            touch.to_date or "open",
            touch.why,
            _bills(owned, touch.account, touch.from_date, touch.to_date),
        )
        for touch in found.touches
    ]
    touched = [row for row in touched if row[4]]
    if touched:
        show_rows("issued bills that this touches", ("account", "from", "to", "why", "bills"), touched, False)


def _bills(owned: Workspace, account: str, from_date: object, to_date: object) -> str:
    """The numbers of the account's issued documents with a line in a period that overlaps the dates."""
    found = owned.store.query(
        "SELECT DISTINCT number FROM issued_lines WHERE account = {account:String} AND period_to > {low:Date32} "
        "AND period_from < {high:Date32} ORDER BY number",
        {"account": account, "low": str(from_date or "1970-01-01"), "high": str(to_date or "2299-01-01")},
    )
    return ", ".join(str(row[0]) for row in found.rows)
