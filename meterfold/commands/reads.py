"""`meterfold read`: one meter, now, over its line (the collector's command); or a total that a person read off its display."""

import getpass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from edge_collector.commands import looking
from meterfold.catching_up import catch_up
from meterfold.clock import now_ms
from meterfold.raw_records import append_raw
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, session, workspace
from meterfold.witnessed import Record, UnableToWitness, is_known, register_at, verdict_of, witnessed_record

METER = "meter"


class MeterUnlessNamed(TyperGroup):
    """`read LINE UNIT …` is short for `read meter LINE UNIT …`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click's, but what is no command is the first word for `meter`."""
        named = args if args and args[0] in self.commands else [METER, *args]
        return super().resolve_command(ctx, named)


app = typer.Typer(
    cls=MeterUnlessNamed,
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},
    help="Read one meter now (LINE UNIT --profile …), or add a total that somebody read off its display (add).",
)
app.command(METER)(looking.read)

VERDICTS = {
    "ACCEPTED": "accepted",
    "CORRECTED": "accepted, in the place of an earlier edition",
    "DUPLICATE": "a duplicate of what was known",
    "CONFLICTING": "conflicting: another total is known of that instant, and stays; --version 1 would take its place",
    "SUPERSEDED": "superseded by a later edition that is known",
    "REJECTED": "rejected",
    "BEYOND_HORIZON": "too old to be applied at once; see: meterfold replay",
    "HELD": "held; see: meterfold quarantine list",
    "": "waiting: nothing has interpreted it yet",
}


@app.command()
def add(
    device: Annotated[str, typer.Argument(help="The meter, as the portfolio names it.")],
    register: Annotated[str, typer.Argument(help="Its register.")],
    at: Annotated[str, typer.Option(help='When, by the site\'s clock: "2026-03-31 12:00".')],
    total: Annotated[str, typer.Option(help="What the display showed, such as 012345.6.")],
    by: Annotated[str | None, typer.Option(help="Who read it; recorded as claimed.")] = None,
    data: DataOption = DATA,
    reason: Annotated[str, typer.Option(help="Why, such as move_out.")] = "",
    photo_ref: Annotated[str, typer.Option(help="Where its photograph is.")] = "",
    version: Annotated[int, typer.Option(help="Edition; a higher one takes the place of a wrong one.", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Add a witnessed read. It is evidence like any other; the same read said twice is added once."""
    with workspace(data) as owned:
        catch_up(owned, followed=session().followed)
        try:
            place = register_at(owned.store, device, register, at)
            record = witnessed_record(place, total, by or getpass.getuser(), reason, photo_ref, version)
        except UnableToWitness as error:
            raise fail(str(error)) from error
        if place.at_ms > now_ms():
            raise fail(f"{at} is still to come; correct the time")
        known = is_known(owned.store, record)
        if not known:
            append_raw(owned, [record])
            catch_up(owned, followed=session().followed)
        verdict, checks = verdict_of(owned.store, record)
        _say(record, f"{place.supply_point}/{place.channel}", verdict, checks, known=known, as_json=as_json)


def _say(record: Record, where: str, verdict: str, checks: tuple[str, ...], *, known: bool, as_json: bool) -> None:
    if as_json:
        answer: dict[str, Any] = {"read_id": record["read_id"], "added": not known, "where": where}
        print_json(answer | {"verdict": verdict, "checks_failed": list(checks)})
        return
    why = f" ({', '.join(checks)})" if checks else ""
    added = "was added before" if known else "added"
    words = f"{record['device']} {record['register']}, {where}: {added}; {VERDICTS[verdict]}{why}"
    session().out.print(words, markup=False, soft_wrap=True)
