"""`meterfold tariff`: editions of price lists, from draft to withdrawal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.codec import decode
from meterfold.billing.project import project
from meterfold.billing.rating import Pins
from meterfold.billing.rows import UnableToProject
from meterfold.billing.run import fold_frontier
from meterfold.clock import now_ms
from meterfold.portfolio.difference import differences
from meterfold.render import cell_text, show_rows
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, resolve, session, workspace
from meterfold.shadow_text import show_shadow
from meterfold.tariffs import steps
from meterfold.tariffs.drafting import edition_body
from meterfold.tariffs.editions import Edition, UnknownEdition, body_of, edition_named, editions, in_effect
from meterfold.tariffs.editions import steps as steps_of
from meterfold.tariffs.shadow import NobodyToRate, shadow_csv, shadow_json
from meterfold.tariffs.shadow import shadow as run_shadow
from meterfold.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Change control: editions of tariffs, from draft to withdrawal.")

EditionArgument = Annotated[str, typer.Argument(help="TARIFF#NUMBER, as `tariff list` shows it.")]
PersonOption = Annotated[str, typer.Option(help="Who says so; recorded as claimed.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the record.")]

REFUSALS = (UnknownEdition, steps.UnableToStep, steps.NoSuchScope, NobodyToRate, UnableToProject)

_NEXT = {
    "drafted": "nobody is rated by it; try it out with `tariff shadow`, then `tariff propose`",
    "proposed": "another person may approve it: `tariff approve`",
    "approved": "nobody is rated by it yet: `tariff stage` for some, `tariff effect` for all",
    "staged": "the next bill run charges the difference; `tariff effect` is for all, `tariff withdraw` takes it back",
    "effective": "the next bill run charges the difference; `tariff withdraw` takes it back",
    "superseded": "a later edition is in effect",
    "withdrawn": "the next bill run takes back what it changed",
}


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what change control refuses into a clear end of the command."""
    try:
        yield
    except REFUSALS as error:
        raise fail(str(error).strip("'\"")) from error


@app.command("list")
def list_editions(
    data: DataOption = DATA,
    tariff: Annotated[str, typer.Option(help="Only this tariff.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Every edition: where it stands, whom it rates, and who took it there, as claimed."""
    with workspace(data) as owned:
        project(owned.store, owned.billing_log)
        found = editions(owned.store, tariff)
        if as_json:
            print_json([_plain(item) for item in found])
            return
        rows = [
            (
                item.name,
                item.state,
                item.rates,
                item.drafted_by,
                item.proposed_by,
                item.approved_by,
                item.last_booked_at,
            )
            for item in found
        ]
        names = ("edition", "state", "rates", "drafted by", "proposed by", "approved by", "last step")
        show_rows("editions (people as claimed)", names, rows, False)


@app.command()
def draft(
    file: Annotated[Path, typer.Argument(help="YAML with a `tariffs:` section; the portfolio's own file will do.")],
    tariff: Annotated[str, typer.Argument(help="The tariff in it.")],
    person: PersonOption,
    reason: ReasonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Take a tariff's prices from a file as a new edition. It rates nobody until it is staged or in effect."""
    try:
        content = resolve(file).read_bytes()
    except OSError as error:
        raise fail(f"{file} cannot be read ({error.strerror}); check its name and its rights") from error
    with workspace(data) as owned, refusing():
        body = edition_body(content, tariff, _records(owned))
        if isinstance(body, list):
            for problem in body:
                session().err.print(f"{file}: {problem}", markup=False, soft_wrap=True)
            raise fail(f"{file} has {len(body)} problem{'s' if len(body) > 1 else ''}; nothing was drafted")
        project(owned.store, owned.billing_log)
        against = in_effect(owned.store, tariff)
        edition = steps.draft(owned.store, owned.billing_log, tariff, body, person, reason, now_ms())
        _said(owned, edition, "drafted", person, as_json, against)


def _records(owned: Workspace) -> Iterator[dict[str, Any]]:
    return (decode(payload) for _, _, payload in owned.billing_log.iter_records(0))


def _take(
    data: Path,
    edition: str,
    action: str,
    person: str,
    reason: str,
    as_json: bool,
    sites: list[str] | None = None,
    tenancies: list[str] | None = None,
) -> None:
    with workspace(data) as owned, refusing():
        taken = steps.step(
            owned.store,
            owned.billing_log,
            edition,
            action,
            person,
            reason,
            now_ms(),
            tuple(sites or ()),
            tuple(tenancies or ()),
        )
        _said(owned, taken, action, person, as_json)


@app.command()
def propose(
    edition: EditionArgument,
    person: PersonOption,
    reason: ReasonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Ask for approval of a draft."""
    _take(data, edition, "proposed", person, reason, as_json)


@app.command()
def approve(
    edition: EditionArgument,
    person: PersonOption,
    reason: ReasonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Approve what another person proposed."""
    _take(data, edition, "approved", person, reason, as_json)


@app.command()
def stage(
    edition: EditionArgument,
    person: PersonOption,
    reason: ReasonOption,
    site: Annotated[list[str] | None, typer.Option(help="All tenancies at this site; may be repeated.")] = None,
    tenancy: Annotated[list[str] | None, typer.Option(help="This tenancy; may be repeated.")] = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Rate some tenancies by an approved edition, added to those that it was staged for before."""
    _take(data, edition, "staged", person, reason, as_json, site, tenancy)


@app.command()
def effect(
    edition: EditionArgument,
    person: PersonOption,
    reason: ReasonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Rate everybody on the tariff by an approved edition."""
    _take(data, edition, "effective", person, reason, as_json)


@app.command()
def withdraw(
    edition: EditionArgument,
    person: PersonOption,
    reason: ReasonOption,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Give an edition up. Of one that rated somebody this is the rollback: the next bill run takes back what it changed."""
    _take(data, edition, "withdrawn", person, reason, as_json)


@app.command()
def show(edition: EditionArgument, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """One edition: its steps with people and reasons, and how its prices differ from those in effect."""
    with workspace(data) as owned, refusing():
        project(owned.store, owned.billing_log)
        found = edition_named(owned.store, edition)
        taken = steps_of(owned.store, found)
        against = in_effect(owned.store, found.tariff)
        if as_json:
            body = body_of(owned.store, found.name)
            print_json({**_plain(found), "steps": [asdict(item) for item in taken], "in_effect": against, "body": body})
            return
        session().out.print(f"{found.name} is {found.state}; it rates {found.rates}", markup=False, soft_wrap=True)
        rows = [
            (item.booked_at, item.action, item.person, item.reason, cell_text([*item.sites, *item.tenancies]))
            for item in taken
        ]
        show_rows("steps (people as claimed)", ("when", "step", "by", "why", "for"), rows, False)
        _show_differences(owned, found, against)


@app.command()
def shadow(
    edition: EditionArgument,
    data: DataOption = DATA,
    account: Annotated[str, typer.Option(help="Only this account.")] = "",
    site: Annotated[str, typer.Option(help="The edition in place at this site alone.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only periods that reach beyond this day.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row an account and period, as CSV.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Rate history with an edition in place of what rates now, and show the difference per tenant. Writes nothing."""
    with workspace(data) as owned, refusing():
        offset = project(owned.store, owned.billing_log)
        pins = Pins("", account, fold_frontier(owned.store), offset, now_ms(), shadow_site=site)
        with session().err.status("rating twice …"):
            run = run_shadow(owned.store, edition_named(owned.store, edition), pins, since.date() if since else None)
    if as_csv:
        session().out.print(shadow_csv(run), markup=False, soft_wrap=True, end="")
    elif as_json:
        print_json(shadow_json(run))
    else:
        show_shadow(run)


def _said(owned: Workspace, edition: Edition, action: str, person: str, as_json: bool, against: str = "") -> None:
    """What was recorded, and what it means."""
    if as_json:
        print_json(_plain(edition))
        return
    out = session().out
    out.print(f"{edition.name} {action} by {person}, as claimed: nobody is authenticated", markup=False, soft_wrap=True)
    if against:
        _show_differences(owned, edition, against)
    out.print(f"it rates {edition.rates}", markup=False, soft_wrap=True)
    out.print(_NEXT[edition.state], markup=False, soft_wrap=True)


def _show_differences(owned: Workspace, edition: Edition, against: str) -> None:
    """Field by field, as `portfolio load` shows a change."""
    if against == edition.name:
        return
    old, new = body_of(owned.store, against), body_of(owned.store, edition.name)
    found = differences(old or {}, new or {})
    source = against if "#" in against else "the portfolio"
    session().out.print(f"against what is in effect ({source}):" + ("" if found else " no difference"), markup=False)
    for field in found:
        session().out.print(f"    {field}", markup=False, soft_wrap=True)


def _plain(edition: Edition) -> dict[str, Any]:
    return {"name": edition.name, **asdict(edition), "rates": edition.rates}
