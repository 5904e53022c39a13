"""What a person asks a meter for: its totals now, or those of its load profile."""

from __future__ import annotations

from dataclasses import replace

from edge_collector.answering import UnableToReadAgain
from edge_collector.link_failures import LinkFailure
from edge_collector.plan import Request, entry_request
from edge_collector.poll import Block, Unit, ignore, readings_of
from edge_collector.reading import RegisterReading
from edge_collector.round import Round
from edge_collector.site import UnitSite
from edge_collector.words import UnableToDecode, decode_entry


async def read_totals(turn: Round, unit: Unit) -> list[RegisterReading]:
    """The unit's billing registers. Raises `UnableToReadAgain`."""
    blocks = [await _asked(turn, unit, request) for request in unit.site.plan.billing]
    await _identified(turn, unit)
    readings = [reading for block in blocks for reading in readings_of(unit, block, turn.occasion, ignore)]
    if not readings:
        raise UnableToReadAgain(f"{unit.device} has no total to show")
    return readings


def stored_boundaries(unit: UnitSite, from_ms: int, to_ms: int, now_ms: int) -> list[int]:
    """The boundaries of the unit's load profile in [from, to) that it may still hold. Raises `UnableToReadAgain`."""
    stored = unit.profile.load_profile
    if stored is None:
        raise UnableToReadAgain(f"{unit.device} keeps no load profile")
    interval_ms = stored.interval_s * 1000
    first_ms = max(from_ms, now_ms - stored.entries * interval_ms)
    boundaries = range(first_ms + -first_ms % interval_ms, min(to_ms, now_ms + 1), interval_ms)
    if not boundaries:
        raise UnableToReadAgain(f"the load profile of {unit.device} holds nothing of that window")
    return list(boundaries)


async def read_entries(turn: Round, unit: Unit, boundary_ms: int) -> list[RegisterReading]:
    """The total at a boundary as the meter stored it; none when that place of its ring holds another time.

    The instant of the reading is the boundary, by the meter's clock. Raises `UnableToReadAgain`.
    """
    stored = unit.site.profile.load_profile
    assert stored is not None, "stored_boundaries saw to it"
    try:
        spec = unit.site.profile.register(stored.register)
    except KeyError:
        raise UnableToReadAgain(f"{unit.device} stores {stored.register}, which is not billed here") from None
    request = entry_request(stored, boundary_ms)
    block = await _asked(turn, unit, request)
    await _identified(turn, unit)
    scale_words = unit.trust.scale_words.get(spec.scale_register) if spec.scale_register else None
    try:
        stored_ms, decoded = decode_entry(stored, spec, block.answer.words, scale_words)
    except UnableToDecode as why:
        raise UnableToReadAgain(f"{unit.device}: {why}") from why
    if stored_ms != boundary_ms or decoded.is_sentinel:
        return []
    whole = Request(request.function, request.address, request.count, (replace(spec, address=request.address + 2),))
    at_the_meter = replace(block.answer, sent_ms=boundary_ms, received_ms=boundary_ms)
    readings = readings_of(unit, Block(whole, at_the_meter), turn.occasion, ignore)
    return [replace(reading, flags=turn.occasion.flags) for reading in readings]  # an old total may be below the last


async def _asked(turn: Round, unit: Unit, request: Request) -> Block:
    came = await turn.poller.ask(unit, request)
    if isinstance(came, LinkFailure):
        came = await turn.poller.ask(unit, request)
    if isinstance(came, LinkFailure):
        raise UnableToReadAgain(f"{unit.device}: {came}")
    return came


async def _identified(turn: Round, unit: Unit) -> None:
    if unit.trust.is_due(turn.clock.monotonic_ms()) and not await turn.show_identity(unit):
        raise UnableToReadAgain(f"{unit.device} does not say who it is")
