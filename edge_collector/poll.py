"""One unit's blocks, asked over its link; and what readings they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from edge_collector.breaker import Breaker
from edge_collector.clock import Clock
from edge_collector.covering import other_ways
from edge_collector.link import Answer, Link
from edge_collector.link_failures import LinkFailure, Unprovable, Unreachable
from edge_collector.metrics import Metrics
from edge_collector.plan import Request
from edge_collector.profile import RegisterSpec
from edge_collector.reading import ClockQuality, Flag, Priority, RegisterReading
from edge_collector.site import UnitSite
from edge_collector.trust import Trust
from edge_collector.words import Decoded, UnableToDecode, decode

UNDECODABLE: Final = "undecodable"


@dataclass(frozen=True, slots=True)
class Block:
    """A request and what came."""

    request: Request
    answer: Answer


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all readings of one boundary share."""

    boundary_ms: int
    tolerance_ms: int
    clock: ClockQuality
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """The billing blocks of one unit at one boundary."""

    occasion: Occasion
    blocks: tuple[Block, ...]


@dataclass(eq=False, slots=True)
class Unit:
    """One meter while the collector runs. `held` is what was taken while it could not say who it is, oldest first; `was_missing`:
    something to bill did not come at the last boundary; `is_called_dead`: that has been said."""

    site: UnitSite
    trust: Trust
    breaker: Breaker = field(default_factory=Breaker)
    held: list[Taken] = field(default_factory=list)
    was_missing: bool = False
    is_called_dead: bool = False

    @property
    def device(self) -> str:
        return self.site.device


class Poller:
    """Asks units over one link, and keeps count of how they fare."""

    def __init__(self, name: str, link: Link, clock: Clock, metrics: Metrics) -> None:
        self.name = name
        self.link = link
        self._clock = clock
        self._metrics = metrics

    async def ask(self, unit: Unit, request: Request) -> Block | LinkFailure:
        """The block, or why it did not come; the unit's breaker and trust are told."""
        try:
            others = partial(other_ways, request, unit.site.profile.limits)
            answer = await self.link.read(unit.site.unit, request.span, others)
        except LinkFailure as why:
            self._metrics.failed(self.name, unit.device, why.reason)
            self._blame(unit, why)
            return why
        unit.breaker.succeeded()
        self._metrics.answered(self.name, unit.device, answer.latency_ms)
        return Block(request, answer)

    def _blame(self, unit: Unit, why: LinkFailure) -> None:
        """A unit that refuses is alive; one that was not asked is not to blame."""
        if why.is_refusal:
            unit.breaker.succeeded()
        elif not isinstance(why, Unprovable):
            unit.trust.doubt()
            if not isinstance(why, Unreachable):
                unit.breaker.failed(self._clock.monotonic_ms())


def readings_of(
    unit: Unit, block: Block, occasion: Occasion, on_failure: Callable[[str, str], None]
) -> Iterator[RegisterReading]:
    """One reading a register; of one that cannot be decoded there is none, and `on_failure` hears (register, reason)."""
    for spec in block.request.registers:
        words = block.request.words_of(spec, block.answer.words)
        scale_words = unit.trust.scale_words.get(spec.scale_register) if spec.scale_register else None
        try:
            decoded = decode(spec, words, scale_words)
        except UnableToDecode:
            on_failure(spec.name, UNDECODABLE)
            continue
        yield _reading(unit, spec, words, decoded, block.answer, occasion)


def _reading(
    unit: Unit, spec: RegisterSpec, words: tuple[int, ...], decoded: Decoded, answer: Answer, occasion: Occasion
) -> RegisterReading:
    is_billing = spec.priority is Priority.BILLING
    doubt = unit.trust.doubt_of(spec.name, decoded.count) if is_billing or decoded.count is None else None
    flags = list(occasion.flags)
    if doubt:
        flags.append(doubt)
    if (answer.sent_ms + answer.received_ms) // 2 - occasion.boundary_ms > occasion.tolerance_ms:
        flags.append(Flag.LATE)
    if not occasion.clock.is_synchronised:
        flags.append(Flag.CLOCK_UNSYNCHRONISED)
    return RegisterReading(
        unit.trust.name,
        spec.name,
        spec.unit,
        spec.priority,
        occasion.boundary_ms,
        answer.sent_ms,
        answer.received_ms,
        decoded.count,
        decoded.decimals,
        words,
        tuple(flags),
        occasion.clock,
    )


def ignore(_register: str, _reason: str) -> None:
    """For who looks at the registers that can be decoded, and at no others."""
