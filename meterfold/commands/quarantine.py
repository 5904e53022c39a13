"""`meterfold quarantine`: what is held, why, and letting it in again."""

import getpass
from typing import Annotated

import typer

from meterfold.catching_up import catch_up
from meterfold.raw_records import append_raw
from meterfold.render import show_rows
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, session, workspace

app = typer.Typer(no_args_is_help=True, help="Reads that are held, and their release.")

Reason = Annotated[str | None, typer.Option(help="Only this reason, e.g. unknown_device.")]
DeviceOption = Annotated[str | None, typer.Option(help="Only this device.")]

PAYLOAD_SHOWN = 2_000
"""Characters of a record that `show` prints."""

_WHERE = "({reason:String} = '' OR reason = {reason:String}) AND ({device:String} = '' OR device = {device:String})"


@app.command("list")
def list_held(
    data: DataOption = DATA, reason: Reason = None, device: DeviceOption = None, as_json: JsonOption = False
) -> None:
    """What is held, by device and reason."""
    with workspace(data) as owned:
        found = owned.store.query(
            "SELECT device, register, reason, count() AS units, min(start_utc) AS first, max(end_utc) AS last "
            f"FROM open_quarantine WHERE {_WHERE} GROUP BY device, register, reason ORDER BY device, register, reason",
            {"reason": reason or "", "device": device or ""},
        )
        show_rows("quarantine", found.columns, found.rows, as_json)


@app.command()
def show(
    device: Annotated[str, typer.Argument(help="The device.")],
    data: DataOption = DATA,
    limit: Annotated[int, typer.Option(help="Rows at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Each unit held of a device, with its raw coordinates and the record as received."""
    with workspace(data) as owned:
        found = owned.store.query(
            "SELECT raw_partition, raw_offset, raw_sub, reason, register, start_utc AS start, end_utc AS end, "
            "JSONExtractString(payload, 'source', 'file') AS file, JSONExtractUInt(payload, 'source', 'line') AS line, "
            "payload FROM open_quarantine WHERE device = {device:String} "
            "ORDER BY raw_partition, raw_offset, raw_sub LIMIT {limit:UInt32}",
            {"device": device, "limit": limit},
        )
        names = ("coordinates", *found.columns[3:])
        rows = [("/".join(map(str, row[:3])), *row[3:]) for row in found.rows]
        if as_json:
            print_json([dict(zip(names, row, strict=True)) for row in rows])
        else:
            show_rows(f"held of {device}", names[:-3], [row[:-3] for row in rows], False)
            for file, line, payload in dict.fromkeys(row[-3:] for row in rows):
                _show_record(file, line, payload)


def _show_record(file: str, line: int, payload: str) -> None:
    out = session().out
    place = f"{file}, line {line}" if file and line else file
    out.print(f"\nas received{f', from {place}' if place else ''}:", style="dim", markup=False)
    cut = len(payload) > PAYLOAD_SHOWN
    out.print(payload[:PAYLOAD_SHOWN] + "…" * cut, markup=False, soft_wrap=True)
    if cut:
        out.print(f"({PAYLOAD_SHOWN:,} of {len(payload):,} characters; --json has all)", style="dim")


@app.command()
def release(
    device: Annotated[str, typer.Argument(help="The device.")],
    reason: Annotated[str, typer.Option(help="Why it may come in now.")],
    data: DataOption = DATA,
    person: Annotated[str | None, typer.Option(help="Who says so; recorded as claimed.")] = None,
    held_for: Annotated[str | None, typer.Option(help="Only units held for this reason.")] = None,
) -> None:
    """Let a device's held reads in again, as it is assigned and configured now."""
    with workspace(data) as owned:
        found = owned.store.query(
            "SELECT DISTINCT origin_partition, origin_offset FROM open_quarantine WHERE device = {device:String} "
            "AND ({reason:String} = '' OR reason = {reason:String}) ORDER BY origin_partition, origin_offset",
            {"device": device, "reason": held_for or ""},
        )
        if not found.rows:
            raise fail(f"nothing of {device} is held; see: meterfold quarantine list")
        coordinates = [[int(partition), int(offset)] for partition, offset in found.rows]
        record = {
            "v": 1, "type": "release", "device": device, "coordinates": coordinates,
            "person": person or getpass.getuser(), "reason": reason,
        }  # fmt: skip
        append_raw(owned, [record])
        catch_up(owned, followed=session().followed)
        left = owned.store.query(
            "SELECT count(), countIf(reason = 'unknown_device') FROM open_quarantine WHERE device = {device:String}",
            {"device": device},
        )
        held, unknown = left.rows[0]
        why = f": {device} is still unknown; add it to the portfolio, assigned when they were read" if unknown else ""
        session().out.print(
            f"released {len(coordinates)} records of {device}; {held} units are still held{why}", soft_wrap=True
        )
