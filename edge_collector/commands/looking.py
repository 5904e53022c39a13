"""`scan`, `read`, `inspect`: looking at a line before anything is configured. Nothing is stored or published."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_collector.commands.saying import JsonOption, err, fail, out, print_json, show_table
from edge_collector.inspect_frames import UnableToInspect, inspect_text, table_of
from edge_collector.line_address import UnableToAddress, line_at
from edge_collector.link import Link, LinkFailure, Timing
from edge_collector.plan import Plan, Request, plan
from edge_collector.profile import Profile, ScaleSpec
from edge_collector.profile_load import UnableToLoadProfile, builtin_profiles, load_profile
from edge_collector.scan import Found, known_profiles
from edge_collector.scan import scan as scan_line
from edge_collector.site_text import UnitText, link_text
from edge_collector.system_clock import SystemClock
from edge_collector.words import UnableToDecode, decode_identity, decode_measurement

LineArgument = Annotated[
    str, typer.Argument(metavar="LINE", help="tcp://HOST:PORT, rtu://HOST:PORT (RTU over TCP), /dev/ttyUSB0?baud=9600")
]
TimeoutOption = Annotated[float, typer.Option(help="Seconds to wait for an answer.")]
Row = tuple[str, str, str, str]


def scan(
    line: LineArgument,
    units: Annotated[str, typer.Option(help="Unit ids to try, like 1-10,17.")] = "1-247",
    timeout: TimeoutOption = 0.3,
    as_json: JsonOption = False,
    as_toml: Annotated[
        bool, typer.Option("--toml", help="As [[links]] of a site.toml, with the best guesses.")
    ] = False,
) -> None:
    """Find the units on a line, and guess what meters they are."""
    wanted = _numbers(units)
    found = asyncio.run(_scan(_link(line, timeout), wanted))
    if as_json:
        print_json([_plain(unit) for unit in found])
    elif as_toml:
        out.print(link_text("line-1", line_at(line), _guessed(found)), markup=False, soft_wrap=True)
    else:
        rows = [
            (unit.unit, guess.profile, guess.score, guess.serial, "; ".join(guess.reasons))
            for unit in found
            for guess in unit.guesses[:3]
        ]
        rows += [(unit.unit, "?", 0, None, "answers, but fits no profile") for unit in found if not unit.guesses]
        show_table(
            f"{len(found)} units of {len(wanted)} tried", ("unit", "profile", "score", "serial", "why"), sorted(rows)
        )


def read(
    line: LineArgument,
    unit: Annotated[int, typer.Argument(help="Its unit id.", min=0, max=255)],
    profile: Annotated[str, typer.Option(help=f"What the meter is: {', '.join(builtin_profiles())}, or a .toml file.")],
    block: Annotated[int | None, typer.Option(help="Its place behind a gateway with blocks, from 0.")] = None,
    timeout: TimeoutOption = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Read one meter: everything its profile knows, as a table."""
    try:
        meter = load_profile(profile)
    except UnableToLoadProfile as error:
        raise fail("\n  ".join(error.problems)) from error
    if (meter.blocks is None) != (block is None):
        raise fail(f"{meter.name} {'needs' if meter.blocks else 'has no'} --block")
    rows = asyncio.run(_read(_link(line, timeout), unit, meter.at_index(block)))
    if as_json:
        print_json([dict(zip(("register", "value", "unit", "words"), row, strict=True)) for row in rows])
    else:
        show_table(f"{meter.title}, unit {unit}", ("register", "value", "unit", "words"), rows)


def inspect(
    source: Annotated[str, typer.Argument(help="Frames in hexadecimal, a file of them, or - for standard input.")],
    profile: Annotated[str | None, typer.Option(help="Name the registers by this profile.")] = None,
) -> None:
    """Decode frames, RTU or MBAP, as they went over a line."""
    text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8") if Path(source).is_file() else source
    try:
        frames = inspect_text(text, load_profile(profile) if profile else None)
    except (UnableToInspect, UnableToLoadProfile) as error:
        raise fail(str(error)) from error
    out.print(table_of(frames), markup=False, soft_wrap=True)


# -- scan -----------------------------------------------------------------------------------------------------------------


async def _scan(link: Link, units: list[int]) -> list[Found]:
    found: list[Found] = []
    with err.status("scanning …") as status:

        def say(unit: int) -> None:
            status.update(f"scanning: unit {unit}, {len(found)} found")

        async for one in scan_line(link, units, known_profiles(), say):
            found.append(one)
    await link.close()
    return found


def _guessed(found: list[Found]) -> list[UnitText]:
    """Those that fit a profile."""
    best = [(unit.unit, unit.guesses[0]) for unit in found if unit.guesses]
    return [UnitText(f"meter-{unit}", unit, guess.profile, guess.serial) for unit, guess in best]


def _plain(found: Found) -> dict[str, Any]:
    guesses = [
        {"profile": one.profile, "score": one.score, "serial": one.serial, "reasons": one.reasons}
        for one in found.guesses
    ]
    return {"unit": found.unit, "guesses": guesses}


def _numbers(text: str) -> list[int]:
    """`1-3,7`: 1, 2, 3 and 7."""
    found: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if ends is None or int(ends[2] or ends[1]) > 255:
            raise fail(f"--units {text}: give unit ids from 0 to 255, like 1-10,17")
        found += range(int(ends[1]), int(ends[2] or ends[1]) + 1)
    return found


# -- read -----------------------------------------------------------------------------------------------------------------


async def _read(link: Link, unit: int, profile: Profile) -> list[Row]:
    """Rows of what came; a block that did not come is a row that says why."""
    its_plan: Plan = plan(profile)
    rows: list[Row] = []
    scales: dict[ScaleSpec, tuple[int, ...]] = {}
    for request in (*its_plan.identity, *its_plan.billing, *its_plan.telemetry):
        try:
            words = (await link.read(unit, request.span)).words
        except LinkFailure as why:
            rows.append((f"block at {request.address}", "–", "", f"{why.reason}: {why}"))
            continue
        scales |= {scale: request.words_of(scale, words) for scale in request.scales}
        rows += _rows(request, words, scales)
    await link.close()
    return rows


def _rows(request: Request, words: tuple[int, ...], scales: dict[ScaleSpec, tuple[int, ...]]) -> list[Row]:
    rows: list[Row] = []
    for identity in request.identity:
        its_words = request.words_of(identity, words)
        rows.append((str(identity.role), decode_identity(identity, its_words) or "none", "", _hex(its_words)))
    for spec in request.registers:
        its_words = request.words_of(spec, words)
        try:
            value = decode_measurement(
                spec, its_words, scales.get(spec.scale_register) if spec.scale_register else None
            )
            shown = "none" if value is None else f"{value:f}"
        except UnableToDecode as why:
            shown = str(why)
        rows.append((spec.name, shown, spec.unit, _hex(its_words)))
    return rows


def _hex(words: tuple[int, ...]) -> str:
    return " ".join(f"{word:04X}" for word in words)


def _link(line: str, timeout_s: float) -> Link:
    try:
        return Link(line_at(line), Timing(timeout_s * 1000), SystemClock())
    except UnableToAddress as error:
        raise fail(str(error)) from error
