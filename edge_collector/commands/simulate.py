"""`simulate`: a building of meters that are not there, to try everything on."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from edge_collector.commands.saying import err, fail, instant, out
from edge_collector.outbox import OutboxIsOwned
from edge_collector.simulate.building import Building, LinePlan, draw_building
from edge_collector.simulate.fault_text import fault_of
from edge_collector.simulate.faults import Fault, Faults
from edge_collector.simulate.files import billable_profiles, portfolio_of, site_of
from edge_collector.simulate.rehearsal import Rehearsal, rehearse
from edge_collector.system_clock import SystemClock

INSTALLED_MS: Final = 1_735_689_600_000
"""When all meters began, 2025-01-01: so that one play goes on where another ended."""


def simulate(
    folder: Annotated[Path, typer.Option("--dir", help="Where site.toml and portfolio.yaml are written.")] = Path(
        "building"
    ),
    data: Annotated[Path, typer.Option(help="The data directory that site.toml publishes to.")] = Path(
        "meterfold-data"
    ),
    meters: Annotated[int, typer.Option(help="How many.", min=1)] = 6,
    lines: Annotated[int, typer.Option(help="On so many lines: RTU over TCP and TCP in turn.", min=1)] = 2,
    interval: Annotated[int, typer.Option(help="Minutes between boundaries.", min=1, max=60)] = 30,
    seed: Annotated[int, typer.Option(help="Another seed is another building.")] = 1,
    port: Annotated[int, typer.Option(help="Of the first line; the others follow. 0: any that are free.")] = 5020,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Play a past time instead of serving: meters are polled in virtual time."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="The end of that time; both are instants like 2026-01-01T00:00Z.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong: NAME, NAME:EVERY, NAME@FROM or NAME@FROM/UNTIL, like dead_unit, late_answer:20."
        ),
    ] = None,
    telemetry: Annotated[bool, typer.Option(help="Whether voltages and the like are read too.")] = True,
    only_files: Annotated[
        bool, typer.Option("--only-files", help="Only write portfolio.yaml, to be loaded before the meters are polled.")
    ] = False,
) -> None:
    """Serve a simulated building until interrupted; or, with --from and --until, let a collector poll it in virtual time."""
    if (from_ is None) != (until is None) and not only_files:
        raise fail("--from and --until go together")
    try:
        plans = draw_building(seed, lines, meters, billable_profiles())
        faults = tuple(map(fault_of, fault or ()))
    except ValueError as error:
        raise fail(str(error)) from error
    folder.mkdir(parents=True, exist_ok=True)
    since_ms = time.time_ns() // 1_000_000 if from_ is None else instant("--from", from_)
    _write_portfolio(plans, folder, since_ms - since_ms % (interval * 60_000), interval * 60)
    if only_files:
        out.print(f"next: meterfold portfolio load {folder / 'portfolio.yaml'} --data {data}", soft_wrap=True)
        return
    if from_ is None or until is None:
        asyncio.run(_serve(plans, faults, folder, data.absolute(), interval * 60, port))
        return
    from_ms, until_ms = instant("--from", from_), instant("--until", until)
    play = Rehearsal(plans, from_ms, until_ms, interval * 60, faults, telemetry=telemetry, installed_ms=INSTALLED_MS)
    if play.from_ms >= play.until_ms or play.from_ms % (interval * 60_000):
        raise fail("--from must be a boundary, and before --until")
    if not (data / "meterfold.json").exists():
        raise fail(f"{data} is not a meterfold directory; make one with: meterfold init --data {data}")
    try:
        _play(play, folder, data.absolute())
    except OutboxIsOwned as error:
        raise fail(str(error)) from error


def _play(play: Rehearsal, folder: Path, data: Path) -> None:
    started = time.perf_counter()
    days = (play.until_ms - play.from_ms) / 86_400_000
    with err.status("polling in virtual time …") as status:

        def say(at_ms: int) -> None:
            status.update(f"polling in virtual time: day {(at_ms - play.from_ms) // 86_400_000 + 1} of {days:.0f}")

        building = asyncio.run(rehearse(play, folder, data, on_day=say))
    asked = sum(line.requests for line in building.lines.values())
    seconds = time.perf_counter() - started
    out.print(f"{days:.0f} days, {asked:,} Modbus requests in {seconds:.1f} s; reads are in {data}", soft_wrap=True)


async def _serve(
    plans: tuple[LinePlan, ...], faults: tuple[Fault, ...], folder: Path, data: Path, interval_s: int, port: int
) -> None:
    clock = SystemClock()
    building = Building(plans, clock, INSTALLED_MS, Faults(faults))
    try:
        endpoints = await building.start(ports=range(port, port + len(plans)) if port else ())
    except OSError as error:
        raise fail(f"{error}; choose other ports with --port") from error
    (folder / "site.toml").write_text(site_of(endpoints, interval_s, data))
    for end in endpoints:
        scheme = "tcp" if end.line.wire.has_mbap else "rtu"
        units = len(end.line.meters)
        out.print(f"{end.line.name}: {scheme}://{end.host}:{end.port}, units 1 to {units}", soft_wrap=True)
    out.print(f"configured in {folder / 'site.toml'} and {folder / 'portfolio.yaml'}; Ctrl-C ends", soft_wrap=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has told its background jobs to ignore SIGINT
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    events = asyncio.create_task(building.play_events())
    await stopped.wait()
    events.cancel()
    building.close()


def _write_portfolio(plans: tuple[LinePlan, ...], folder: Path, since_ms: int, interval_s: int) -> None:
    flats = [meter for line in plans for meter in line.meters]
    (folder / "portfolio.yaml").write_text(portfolio_of(flats, since_ms, interval_s))
