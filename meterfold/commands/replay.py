"""`meterfold replay`: what the whole log gives, against what stands; and promoting what came beyond the horizon."""

import getpass
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Any

import typer

from meterfold.catching_up import catch_up
from meterfold.clock import now_ms
from meterfold.raw_records import append_raw
from meterfold.render import show_rows, utc_text
from meterfold.replaying import Difference, replay
from meterfold.session import DATA, DataOption, JsonOption, fail, session, workspace
from meterfold.workspace import Workspace


def replay_command(
    data: DataOption = DATA,
    promote: Annotated[
        bool, typer.Option("--promote", help="Apply what lies beyond the horizon, as restatements.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why it is promoted.")] = "",
    person: Annotated[str | None, typer.Option(help="Who says so; recorded as claimed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay the log in a shadow that remembers everything, and show where it differs from what stands."""
    if promote and not reason:
        raise fail("--promote needs a --reason: it changes what has been billed")
    with workspace(data) as owned:
        catch_up(owned, followed=session().followed)
        with session().err.status("replaying …") as status:
            found = replay(owned, lambda n: status.update(f"replaying: {n:,} records …") if n % 500 == 0 else None)
        names = ("supply point", "channel", "start", "end", "stands", "replay gives", "difference", "promotable")
        show_rows("differences", names, [_row(item) for item in found], as_json)
        beyond = [item for item in found if item.is_beyond]
        if promote and beyond:
            append_raw(owned, _restatements(owned, beyond, person or getpass.getuser(), reason))
            catch_up(owned, followed=session().followed)
            session().out.print(f"promoted {len(beyond)} windows")


def _row(item: Difference) -> tuple[Any, ...]:
    point, channel, start_ms, end_ms = item.window
    old, new = (Decimal(value).scaleb(-9) for value in (item.old_nano, item.new_nano))
    return point, channel, utc_text(start_ms), utc_text(end_ms), old, new, new - old, "yes" if item.is_beyond else "no"


def _restatements(owned: Workspace, found: list[Difference], person: str, reason: str) -> Iterable[dict[str, Any]]:
    replay_id = f"replay-{now_ms()}"
    for (point, channel), items in groupby(found, key=lambda item: item.window[:2]):
        rows = [
            {
                "start_ms": item.window[2], "end_ms": item.window[3], "old_nano": item.old_nano, "new_nano": item.new_nano,
                "revision": item.revision, "quality": item.quality,
            }
            for item in items
        ]  # fmt: skip
        yield {
            "v": 1, "type": "restatement", "device": _device(owned, point, channel), "supply_point": point,
            "channel": channel, "rows": rows, "replay_id": replay_id, "person": person, "reason": reason,
        }  # fmt: skip


def _device(owned: Workspace, point: str, channel: str) -> str:
    """The device whose partition carries the restatement: the last that gave the channel evidence."""
    found = owned.store.query(
        "SELECT argMax(device, start_ms) FROM evidence WHERE supply_point = {point:String} AND channel = {channel:String}",
        {"point": point, "channel": channel},
    )
    return str(found.rows[0][0]) or point
