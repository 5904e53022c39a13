"""`outbox`: what waits on a box, and asking its collector to read again."""

import getpass
import time
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from edge_collector.box import requests_path
from edge_collector.commands.saying import (
    ConfigOption,
    JsonOption,
    fail,
    instant,
    out,
    print_json,
    show_table,
    shown,
    site_at,
)
from edge_collector.requests import Request, RequestKind, Requests, UnableToAsk
from edge_collector.status import OutboxStatus, UnableToShow, read_status

app = typer.Typer(no_args_is_help=True, help="What waits to be published; asking the collector to read again.")

WaitOption = Annotated[float, typer.Option(help="Seconds to wait for the answer.")]


@app.command()
def status(config: ConfigOption, as_json: JsonOption = False) -> None:
    """What waits, how old it is, what was given up, and why the last batch was refused."""
    try:
        found = read_status(site_at(config).outbox.path, _now_ms())
    except UnableToShow as error:
        raise fail(f"{error}; a collector that has run makes it") from error
    if as_json:
        print_json(found.to_json())
    else:
        _show(found)


@app.command()
def reread(
    config: ConfigOption,
    device: Annotated[str, typer.Option(help="The device.")],
    from_: Annotated[str, typer.Option("--from", help="First boundary, in; an ISO instant with offset.")],
    to: Annotated[str, typer.Option("--to", help="Last boundary, out.")],
    wait: WaitOption = 30,
) -> None:
    """Publish the reads of a time again: those kept here, and what the meter's own load profile holds."""
    window = instant("--from", from_), instant("--to", to)
    _ask(config, Request(uuid4().hex, RequestKind.REREAD, device, *window, getpass.getuser()), wait)


@app.command("read-now")
def read_now(
    config: ConfigOption,
    device: Annotated[str, typer.Option(help="The device.")],
    wait: WaitOption = 30,
) -> None:
    """Read a device's totals at this moment, and publish them."""
    _ask(config, Request(uuid4().hex, RequestKind.READ_NOW, device, None, None, getpass.getuser()), wait)


def _ask(config: Path, request: Request, wait_s: float) -> None:
    requests = Requests(requests_path(site_at(config).outbox.path))
    try:
        requests.ask(request, _now_ms())
    except UnableToAsk as error:
        raise fail(str(error)) from error
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        asked = requests.find(request.id)
        if asked is not None and asked.answer is not None:
            if asked.answer.is_refused:
                raise fail(f"refused: {asked.answer.text}")
            out.print(asked.answer.text, markup=False)
            return
        time.sleep(0.2)
    raise fail(f"no answer within {wait_s:g} s; the request stays, and a collector that runs will answer it")


def _show(found: OutboxStatus) -> None:
    depth = [(topic, kind, number) for topic, kinds in found.depth.items() for kind, number in kinds.items()]
    show_table("waiting", ("topic", "kind", "records"), depth or [("nothing", "", 0)])
    age = "" if found.age_ms is None else f", {found.age_ms / 60_000:.0f} minutes ago"
    show_table(
        "",
        ("", ""),
        [
            ("oldest undelivered read", shown(found.oldest_ms) + age if found.oldest_ms is not None else "none"),
            ("sequence", f"{found.first_sequence or ''} to {found.last_sequence or ''}, next {found.next_sequence}"),
            ("size", f"{found.used_bytes / 1e6:.1f} MB, {found.kept_reads} delivered reads kept for re-reads"),
            ("delivered", f"{found.delivered} records, last {shown(found.delivered_ms) or 'never'}"),
            (
                "given up",
                f"{found.evicted_reads} billing reads, {found.evicted_telemetry} telemetry, {found.evicted_kept} kept",
            ),
            ("file repaired", f"{found.repairs} times"),
            ("last refusal", found.last_error or "none"),
        ],
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
