"""Who is on a line, and what kind of meter each seems to be: for somebody who is about to write a site file.

A guess is a score with its reasons, not a proof: maps overlap. The model code decides where there is one; else the serial number, and
whether frequency, voltages and totals read as such.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from edge_collector.link import Link
from edge_collector.link_failures import LinkFailure
from edge_collector.plan import Plan, Request, plan
from edge_collector.profile import IdentityRole, IdentitySpec, Profile, RegisterSpec, Span
from edge_collector.profile_load import builtin_profiles, load_profile
from edge_collector.reading import Priority
from edge_collector.words import UnableToDecode, decode_identity, decode_measurement

KNOCKS: Final = (Span(4, 0, 2), Span(3, 0, 2))
"""Asked of every unit id. Any answer will do, a refusal too: even lengths, as some meters are silent about odd ones."""

FREQUENCY_HZ: Final = (Decimal(45), Decimal(65))
VOLTAGE_V: Final = (Decimal(80), Decimal(300))
MOST_ENERGY: Final = Decimal(10) ** 9
"""In kWh or m³; a total beyond is a wrong word order more often than a large customer."""

MODEL_POINTS, SERIAL_POINTS, FREQUENCY_POINTS, VOLTAGE_POINTS, TOTAL_POINTS = 10, 2, 4, 2, 1


class Clue(NamedTuple):
    """What speaks for a profile, or against it. `reason` empty: it tells nobody anything."""

    points: int
    reason: str = ""
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A profile that a unit may have. `score` above zero; `reasons` say what spoke for it and against it."""

    profile: str
    score: int
    reasons: tuple[str, ...]
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A unit that answered; guesses, the best first, none when no profile fits."""

    unit: int
    guesses: tuple[Guess, ...]


def known_profiles() -> tuple[Profile, ...]:
    """Those that come with the collector; of a gateway's, its first meter."""
    profiles = map(load_profile, builtin_profiles())
    return tuple(profile.at_index(0 if profile.blocks else None) for profile in profiles)


async def scan(
    link: Link, units: Iterable[int], profiles: Sequence[Profile], on_unit: Callable[[int], None] = lambda _unit: None
) -> AsyncIterator[Found]:
    """Every unit that answers, as it is found; `on_unit` hears of each id that is tried. Give the link a short timeout."""
    planned = [(profile, plan(profile)) for profile in profiles]
    for unit in units:
        on_unit(unit)
        if await _is_there(link, unit):
            guesses = [await _guess(link, unit, profile, its_plan) for profile, its_plan in planned]
            likely = sorted(
                (guess for guess in guesses if guess.score > 0), key=lambda guess: (-guess.score, guess.profile)
            )
            yield Found(unit, tuple(likely))


async def _is_there(link: Link, unit: int) -> bool:
    for knock in KNOCKS:
        try:
            await link.read(unit, knock)
            return True
        except LinkFailure as why:
            if why.is_refusal:
                return True
    return False


async def _guess(link: Link, unit: int, profile: Profile, its_plan: Plan) -> Guess:
    """Identity first: a model that is not the profile's, or registers that are not there, end it."""
    clues: list[Clue] = []
    for request in (*its_plan.identity, *its_plan.billing, *its_plan.telemetry):
        words = await _words(link, unit, request)
        if words is None:
            clues.append(Clue(-MODEL_POINTS, f"no answer for the block at {request.address}"))
        else:
            clues += _clues(request, words)
        if sum(clue.points for clue in clues) <= -MODEL_POINTS:
            break
    serial = next((clue.serial for clue in clues if clue.serial), None)
    return Guess(
        profile.name, sum(clue.points for clue in clues), tuple(clue.reason for clue in clues if clue.reason), serial
    )


def _clues(request: Request, words: tuple[int, ...]) -> list[Clue]:
    return [
        *(_judge_identity(spec, request.words_of(spec, words)) for spec in request.identity),
        *(_judge_register(spec, request.words_of(spec, words)) for spec in request.registers),
    ]


async def _words(link: Link, unit: int, request: Request) -> tuple[int, ...] | None:
    """Tried twice: a line that is scanned is often one that is being installed."""
    for _ in range(2):
        try:
            return (await link.read(unit, request.span)).words
        except LinkFailure as why:
            if why.is_in_vain:
                return None
    return None


def _judge_identity(spec: IdentitySpec, words: Sequence[int]) -> Clue:
    text = decode_identity(spec, words)
    if spec.role is IdentityRole.MODEL:
        if not spec.expected:
            return Clue(0, f"model code {text}")
        return Clue(MODEL_POINTS if text in spec.expected else -2 * MODEL_POINTS, f"model code {text}")
    if text is None:
        return Clue(-SERIAL_POINTS, "no serial number")
    return Clue(SERIAL_POINTS, f"serial number {text}", text)


def _judge_register(spec: RegisterSpec, words: Sequence[int]) -> Clue:
    try:
        value = decode_measurement(spec, words)
    except UnableToDecode:  # a register with a scale of its own says nothing without it
        return Clue(0)
    shown = f"{spec.name} {'none' if value is None else format(value, 'f')} {spec.unit}"
    if spec.name == "frequency":
        return Clue(_within(value, FREQUENCY_HZ, FREQUENCY_POINTS), shown)
    if spec.name.startswith("voltage"):
        return Clue(_within(value, VOLTAGE_V, VOLTAGE_POINTS) if value else 0, shown)  # a phase may be missing
    if spec.priority is Priority.BILLING:
        return Clue(_within(value, (Decimal(0), MOST_ENERGY), TOTAL_POINTS, -4), shown)
    return Clue(0)


def _within(value: Decimal | None, bounds: tuple[Decimal, Decimal], points: int, otherwise: int | None = None) -> int:
    if value is not None and bounds[0] <= value <= bounds[1]:
        return points
    return -points if otherwise is None else otherwise
