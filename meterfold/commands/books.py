"""`meterfold books`: months, their extracts, and whether closed ones are what they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from meterfold.billing.rows import UnableToProject, decimal_text
from meterfold.billing.run import RunInProgress
from meterfold.books.accruing import Accrued, Unbilled, accrue_month
from meterfold.books.closing import UnableToClose, close_month, verify_months
from meterfold.books.extracts import UnableToExtract, UnknownExtract, named, write_extract
from meterfold.books.months import UnknownBooks, refuse_unknown
from meterfold.books.showing import balances_of, months_of
from meterfold.catching_up import catch_up
from meterfold.clock import now_ms
from meterfold.render import show_rows
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, resolve, session, workspace

app = typer.Typer(no_args_is_help=True, help="Months of the books: journal, extracts, accruals, closing.")

REFUSALS = (UnknownBooks, UnableToClose, UnableToExtract, UnknownExtract, RunInProgress, UnableToProject)

_SHOWN = 40
"""Accounts of an accrual that are printed."""

EntityArgument = Annotated[str, typer.Argument(help="The legal entity.", metavar="LEGAL_ENTITY")]
MonthArgument = Annotated[str, typer.Argument(help="The month, like 2026-01.", metavar="MONTH")]
PersonOption = Annotated[str, typer.Option(help="Who says so; kept in the log.")]


class Kind(StrEnum):
    """What `extract` writes."""

    csv = "csv"
    parquet = "parquet"


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the books refuse into a clear end of the command."""
    try:
        yield
    except REFUSALS as error:
        raise fail(str(error)) from error


@app.command()
def months(legal_entity: EntityArgument, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """What is booked into each month, and which are closed."""
    with workspace(data) as owned, refusing():
        found = months_of(owned.store, legal_entity)
        show_rows(f"months of {legal_entity}", found.columns, found.rows, as_json)


@app.command()
def show(
    legal_entity: EntityArgument, month: MonthArgument, data: DataOption = DATA, as_json: JsonOption = False
) -> None:
    """The journal of a month by account of the ledger: debit, credit and balance, per currency."""
    with workspace(data) as owned, refusing():
        found = balances_of(owned.store, legal_entity, month)
        show_rows(f"{legal_entity} {month}", found.columns, found.rows, as_json)


@app.command()
def accrue(
    legal_entity: EntityArgument,
    month: MonthArgument,
    person: PersonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Say what is unbilled at the end of a month, in place of what was said before; it is taken back on the next day."""
    with workspace(data) as owned:
        catch_up(owned, followed=session().followed)
        with refusing(), session().err.status("rating …"):
            accrued = accrue_month(owned.store, owned.billing_log, legal_entity, month, person, now_ms())
        if as_json:
            print_json(asdict(accrued) | {"totals": accrued.totals})
            return
        _show_accrued(accrued)


def _show_accrued(accrued: Accrued) -> None:
    shown = accrued.lines[:_SHOWN]
    rows = [(line.account, line.currency, amount_text(line.net, line), amount_text(line.tax, line)) for line in shown]
    show_rows(
        f"{accrued.legal_entity}: unbilled at the end of {accrued.period}",
        ("account", "currency", "net", "tax"),
        rows,
        False,
    )
    out = session().out
    if len(accrued.lines) > _SHOWN:
        out.print(f"and {len(accrued.lines) - _SHOWN} more; all with --json")
    for currency, (net, tax) in accrued.totals.items():
        out.print(f"together {net.normalize():f} {currency}, tax {tax.normalize():f}")
    for reason, periods in accrued.in_part.items():
        out.print(f"not all is known: {reason} in {periods} periods; `meterfold bill run` says where")
    if accrued.left_out:
        names = ("account", "period from", "why", "what is lacking")
        left_out = [(block.account, block.period_from, block.reason, block.detail) for block in accrued.left_out]
        show_rows("left out, as it cannot be rated", names, left_out, False)


def amount_text(amount: Decimal, line: Unbilled) -> str:
    """An amount with the decimal places of its currency."""
    return decimal_text(amount, line.minor_digits)


@app.command()
def close(
    legal_entity: EntityArgument,
    month: MonthArgument,
    person: PersonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Close a month for ever: nothing is booked into it any more, and its extracts stay as they are now."""
    with workspace(data) as owned:
        catch_up(owned, followed=session().followed)
        with refusing(), session().err.status("writing and hashing its extracts …"):
            closed = close_month(owned.store, owned.billing_log, legal_entity, month, person, now_ms())
        if as_json:
            print_json(asdict(closed))
            return
        sums = [(item.currency, item.documents, item.total) for item in closed.sums]
        show_rows(f"{legal_entity} {month} is closed: documents", ("currency", "documents", "total"), sums, False)
        show_rows(
            "extracts", ("extract", "rows", "sha256"), [(e.name, e.rows, e.sha256) for e in closed.extracts], False
        )
        session().out.print(f"sha256 of all: {closed.sha256}")
        if not closed.accrued:
            session().out.print("nothing was accrued: what was unbilled at its end is in no book")


@app.command()
def verify(
    legal_entity: EntityArgument,
    month: Annotated[str | None, typer.Argument(help="One month; without it all that are closed.")] = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Make the extracts of closed months again and compare them with what they were. Exit code 2 if one is not the same."""
    with workspace(data) as owned:
        with refusing():
            verified = verify_months(owned.store, legal_entity, month)
        names = ("month", "extract", "rows then", "rows now", "same")
        rows = [(v.period, v.name, v.rows_then, v.rows_now, "yes" if v.is_same else "NO") for v in verified]
        if as_json:
            print_json([asdict(item) | {"is_same": item.is_same} for item in verified])
        else:
            show_rows(f"closed months of {legal_entity}", names, rows, False)
        if not all(item.is_same for item in verified):
            raise typer.Exit(2)


@app.command()
def extract(
    name: Annotated[
        str, typer.Argument(help="documents, lines, journal, payments or determinants; or with a version.")
    ],
    legal_entity: EntityArgument,
    month: MonthArgument,
    out: Annotated[Path, typer.Option(help="The file to write; what is there is replaced.")],
    kind: Annotated[Kind, typer.Option("--format", help="Amounts are exact in both.")] = Kind.csv,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Write one extract of a month to a file (docs/extracts.md says what its columns mean)."""
    with workspace(data) as owned, refusing():
        refuse_unknown(owned.store, legal_entity, month)
        written = write_extract(owned.store, named(name), legal_entity, month, resolve(out), kind.value)
        if as_json:
            print_json({**asdict(written), "file": str(resolve(out)), "format": kind.value})
            return
        session().out.print(f"{out}: {written.rows} rows of {written.name}, sha256 {written.sha256}", soft_wrap=True)
