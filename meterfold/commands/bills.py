"""`meterfold bill`: runs, drafts, documents, and why an amount is what it is."""

import getpass
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from meterfold.bill_text import money, show_document
from meterfold.bill_text_reads import show_read_pairs
from meterfold.billing.diff.knowledge import NOW, UnknownAccount, UnknownMoment, knowledge
from meterfold.billing.diff.walk import NotLater, bill_diff
from meterfold.billing.documents import UnknownBill, show_bill
from meterfold.billing.drafting import DraftedOtherwise
from meterfold.billing.explain import explain_line
from meterfold.billing.export import export_bills
from meterfold.billing.holds import DraftIsHeld, NothingToRelease, failed_checks, holds, open_drafts
from meterfold.billing.issue import DraftIsStale, NothingToIssue, UnableToIssue, issue_bill, release_bill
from meterfold.billing.preview import Preview, preview_bills, reproduce_run
from meterfold.billing.project import project
from meterfold.billing.rating import Blocked
from meterfold.billing.register_reads import read_pairs
from meterfold.billing.resume import NothingToResume, UnableToResume, resume_bills
from meterfold.billing.rows import UnableToProject
from meterfold.billing.run import RunInProgress, RunOvertaken, RunResult, UnknownScope, run_bills
from meterfold.catching_up import catch_up
from meterfold.clock import now_ms
from meterfold.diff_text import diff_json, show_diff
from meterfold.explain_text import show_explanation
from meterfold.portfolio.units import minor_digits
from meterfold.render import Figure, show_rows
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, session, workspace

app = typer.Typer(no_args_is_help=True, help="Bill runs, drafts, documents and explanations.")


class Kind(StrEnum):
    """What `export` writes."""

    csv = "csv"
    json = "json"


REFUSALS = (
    RunInProgress, RunOvertaken, UnknownScope, NothingToIssue, DraftIsStale, UnableToIssue, UnableToProject, UnknownBill, DraftIsHeld,
    NothingToRelease, UnknownAccount, UnknownMoment, NotLater, NothingToResume, UnableToResume, DraftedOtherwise,
)  # fmt: skip


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what billing refuses into a clear end of the command."""
    try:
        yield
    except REFUSALS as error:
        raise fail(str(error).strip("'\"")) from error


@app.command("run")
def run(
    of_account: Annotated[str | None, typer.Argument(metavar="[ACCOUNT]", help="Only this account.")] = None,
    data: DataOption = DATA,
    legal_entity: Annotated[str | None, typer.Option(help="Only this legal entity.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show what would be drafted, and write nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the run that died, with what it saw.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Draft what is to be charged: everything known now, minus what was billed. Says what cannot be billed yet, and why."""
    if of_account and account and of_account != account:
        raise fail(f"one account at a time: {of_account}, or {account}?")
    chosen = of_account or account
    if resume and (chosen or preview):
        raise fail("--resume finishes a run that was begun, as it was begun: leave the account and --preview out")
    with workspace(data) as owned, refusing():
        catch_up(owned, followed=session().followed)
        with session().err.status("rating …"):
            result: Preview | RunResult
            if preview:
                result = preview_bills(owned.store, owned.billing_log, now_ms(), legal_entity, chosen)
            elif resume:
                result = resume_bills(owned.store, owned.billing_log, now_ms(), legal_entity, take_over=True)
            else:
                result = run_bills(owned.store, owned.billing_log, now_ms(), legal_entity, chosen, take_over=True)
        held = () if preview else holds(owned.store, result.documents)
        if as_json:
            print_json(
                {
                    "documents": [asdict(d) for d in result.documents],
                    "blocked": [asdict(b) for b in result.blocked],
                    "held": [asdict(hold) for hold in held],
                }
            )
            return
        rules: dict[str, list[str]] = defaultdict(list)
        for hold in held:
            rules[hold.document_id].append(hold.rule)
        rows = [
            (
                d.account,
                f"{d.period_from:%Y-%m-%d}",
                d.kind,
                len(d.lines),
                Figure(money(d.total, d)),
                d.currency,
                ", ".join(d.corrects),
                ", ".join(rules[d.document_id]),
            )
            for d in result.documents
        ]
        names = ["account", "period from", "kind", "lines", "total", "currency", "corrects", "held by"]
        width = len(names) if held else len(names) - 1
        title = "would be drafted" if preview else "drafts"
        show_rows(title, names[:width], [row[:width] for row in rows], False)
        if preview and chosen:
            for document in result.documents:
                show_document(document)
        if result.blocked:
            lacking = ("account", "period from", "why", "what is lacking")
            blocked = [(b.account, _periods(b), b.reason, _lacking(b)) for b in result.blocked]
            show_rows("cannot be billed yet", lacking, blocked, False)


@app.command()
def reproduce(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run that is closed, like HARBOUR-R7.")],
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Rate a run again with what it saw, and hold every line against the log. Exit code 2 if one comes out otherwise."""
    with workspace(data) as owned, refusing():
        with session().err.status("rating …"):
            found = reproduce_run(owned.store, owned.billing_log, run_id)
        if as_json:
            print_json(asdict(found))
        else:
            out = session().out
            for other in found.others:
                out.print(
                    f"{other.line_id}\n  in the log  {other.logged or '–'}\n  again       {other.again or '–'}",
                    markup=False,
                )
            verdict = "all come out the same" if not found.others else f"{len(found.others)} come out otherwise"
            rules = (
                ""
                if found.rule_version == found.rules_now
                else f" (its rules were {found.rule_version}, now {found.rules_now})"
            )
            out.print(f"run {run_id}: {found.lines} line{'' if found.lines == 1 else 's'}, {verdict}{rules}")
    if found.others:
        raise typer.Exit(2)


def _periods(block: Blocked) -> str:
    """The first day; of several periods also how many, and the last day."""
    if block.periods == 1:
        return str(block.period_from)
    return f"{block.period_from}\n{block.periods} periods,\nto {block.period_to - timedelta(days=1)}"


def _lacking(block: Blocked) -> str:
    where = "/".join(filter(None, (block.supply_point, block.channel))) + block.when
    return "\n".join(filter(None, (f"{where}: {block.detail}" if where else block.detail, block.remedy)))


@app.command()
def show(
    bill: Annotated[str, typer.Argument(help="An account, a printed number or a document id.")],
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show a bill: of an account its draft, or else what was issued last."""
    with workspace(data) as owned, refusing():
        documents = show_bill(owned.store, bill)
        pairs = [read_pairs(owned.store, document) for document in documents]
        if as_json:
            print_json(
                [
                    asdict(document) | {"register_reads": [asdict(pair) for pair in found]}
                    for document, found in zip(documents, pairs, strict=True)
                ]
            )
            return
        held = holds(owned.store, [document for document in documents if document.status == "draft"])
        for document, found in zip(documents, pairs, strict=True):
            show_document(document)
            show_read_pairs(found)
            for hold in (hold for hold in held if hold.document_id == document.document_id):
                session().out.print(f"[bold]held[/] by {hold.rule}: {hold.detail}")


@app.command()
def issue(
    target: Annotated[str, typer.Argument(help="An account, a run or a document id.")],
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Issue open drafts: they take the next numbers, and are never changed again."""
    with workspace(data) as owned, refusing():
        issued = issue_bill(owned.store, owned.billing_log, target, now_ms())
        if as_json:
            print_json([asdict(item) for item in issued])
            return
        for item in issued:
            session().out.print(f"issued {item.number}: {item.document_id}")
        for hold in holds(owned.store, open_drafts(owned.store, target)):
            session().out.print(f"not issued: {hold}")


@app.command()
def release(
    target: Annotated[str, typer.Argument(help="An account, a run or a document id.")],
    reason: Annotated[str, typer.Option(help="Why it may go out. No names: it is kept for ever.")],
    data: DataOption = DATA,
    person: Annotated[str | None, typer.Option(help="Who says so; the user of this machine unless given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let held drafts go out. They are rated again first, and issued by `bill issue`."""
    with workspace(data) as owned, refusing():
        found = release_bill(owned.store, owned.billing_log, target, person or getpass.getuser(), reason, now_ms())
        if as_json:
            print_json([asdict(hold) for hold in found])
            return
        for hold in found:
            session().out.print(f"released {hold.document_id} from {hold.rule}: {hold.detail}")


@app.command()
def work(data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """What waits for a person: held drafts, disputes, periods never billed, credit of accounts that ended."""
    with workspace(data) as owned, refusing():
        project(owned.store, owned.billing_log)
        found = owned.store.query(
            "SELECT since, kind, account, subject, currency, amount, why, what_to_do, legal_entity FROM work_list "
            "ORDER BY since, kind, account, subject, why"
        )
        failed = failed_checks(owned.store)
        if as_json:
            rows = [{**row, "amount": f"{row['amount'].normalize():f}"} for row in found.dicts()]
            print_json({"work": rows, "failed_checks": sorted(failed)})
            return
        table = [
            (f"{since}", kind, f"{account}\n{subject}" if subject != account else account,
             Figure(f"{amount:,.{minor_digits(currency)}f} {currency}"), f"{why}\n{what_to_do}")
            for since, kind, account, subject, currency, amount, why, what_to_do, _ in found.rows
        ]  # fmt: skip
        show_rows("work", ("since", "what", "of", "amount", "why, and what to do"), table, False)
        for name in sorted(failed):
            session().out.print(f"the check {name} found something, which holds drafts: meterfold check", style="bold")


@app.command()
def explain(
    line: Annotated[str, typer.Argument(help="Printed number and position, like HH-000003/1; or a line id.")],
    data: DataOption = DATA,
    everything: Annotated[bool, typer.Option("--all", help="Every read, not the first ones.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Why this amount: price, determinants, adjustments, configuration, and the reads with file and line."""
    with workspace(data) as owned, refusing():
        found = explain_line(owned.store, line)
        if as_json:
            print_json(asdict(found))
        else:
            show_explanation(found, everything=everything)


@app.command()
def diff(
    account: Annotated[str, typer.Argument(help="The account.")],
    since: Annotated[str, typer.Option("--from", help="A run, a printed number, an instant (UTC), or `now`.")],
    until: Annotated[str, typer.Option("--to", help="Likewise, and later.")] = NOW,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """What moved what should be charged between two states of knowledge: which change, which amount. The parts add up."""
    with workspace(data) as owned, refusing():
        catch_up(owned, followed=session().followed)
        now = now_ms()
        states = [knowledge(owned.store, owned.billing_log, when, account, now) for when in (since, until)]
        with session().err.status("rating after each change …"):
            found = bill_diff(owned.store, account, *states)
    if as_json:
        print_json(diff_json(found))
    else:
        show_diff(found)


@app.command()
def export(
    data: DataOption = DATA,
    kind: Annotated[Kind, typer.Option("--format", help="csv: a row a line; json: an object a document.")] = Kind.csv,
) -> None:
    """Print all issued documents, in order of their numbers."""
    with workspace(data) as owned:
        text = export_bills(owned.store, kind.value)
        session().out.print(text, markup=False, highlight=False, soft_wrap=True, end="")
