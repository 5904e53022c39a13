"""No wrong word is believed, whatever comes late; an unguarded client believes many, in the same test."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Final

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from edge_collector.covering import Piece, Way, other_ways, words_of
from edge_collector.guard import YOUNG_MS, Form, Guard
from edge_collector.link import Link, Timing
from edge_collector.link_failures import LinkFailure, NoAnswer, Refused, Unprovable, Unreachable
from edge_collector.plan import Request
from edge_collector.profile import DataType, Limits, Order, RegisterSpec, Span
from edge_collector.reading import Priority
from edge_collector.system_clock import SystemClock
from edge_collector.transport import Framing, Network
from tests.edge.unruly_gateway import (
    SERIALS,
    Fate,
    Fates,
    UnrulyGateway,
    at_times,
    bursts,
    every,
    exceptions_too,
    twice,
)

TIMING: Final = Timing(timeout_ms=25, quiet_ms=20)
FORGOTTEN_AFTER_MS: Final = 1200
"""Far more than the latest answer here; the guard's assumption (B) in the scale of these tests."""

LIMITS: Final = Limits(most_words=60)
BLOCKS: Final = (Request(4, 100, 26), Request(4, 300, 12), Request(4, 500, 12), Request(3, 700, 12))
"""Two of one length: a plan would not have it, the guard must bear it."""

UNITS: Final = (1, 1, 1, 9)
READS: Final = 440
"""By each of seven clients."""

PATTERNS: Final[dict[str, Fates]] = {
    "every fifth, to the next connection": every(5, 60),
    "every eleventh, kept long": every(11, 180),
    "just too late": every(7, 26),
    "one in 5 to 20, any time": at_times(5, 20, 25, 200),
    "around the quiet and the flush": at_times(5, 12, 40, 110),
    "three in a row, together": bursts(24, 3, 150),
    "exceptions among them": exceptions_too(13, 80),
}


Reader = Callable[..., Awaitable["Tally"]]


@dataclass
class Tally:
    """What became of the reads: `wrong` holds a word of another register, `older` one of an earlier request."""

    right: int = 0
    wrong: int = 0
    older: int = 0
    failed: dict[str, int] = field(default_factory=dict)

    def judge(self, request: Request, words: tuple[int, ...], asked_from: int, asked_to: int) -> None:
        """`words` were believed for a request that the gateway counted in [from, to)."""
        serials = {number % SERIALS for number in range(asked_from, asked_to)}
        if [word >> 6 for word in words] != list(range(request.address, request.span.end)):
            self.wrong += 1
        elif not {word % SERIALS for word in words} <= serials:
            self.older += 1
        else:
            self.right += 1

    def missed(self, reason: str) -> None:
        self.failed[reason] = self.failed.get(reason, 0) + 1

    @property
    def lost(self) -> int:
        return sum(self.failed.values())


def link_to(port: int, framing: str, forgotten_after_ms: float) -> Link:
    network = Network("127.0.0.1", port, Framing.RTU if framing == "rtu" else Framing.MBAP)
    return Link(network, TIMING, SystemClock(), Guard(forgotten_after_ms))


def wanted(seed: int, blocks: tuple[Request, ...] = BLOCKS) -> list[tuple[int, Request]]:
    """Units and blocks in a seeded order, with repetitions."""
    chance = random.Random(seed)
    return [(chance.choice(UNITS), chance.choice(blocks)) for _ in range(READS)]


async def read_guarded(
    framing: str,
    fates: Fates,
    seed: int,
    forgotten_after_ms: float = FORGOTTEN_AFTER_MS,
    blocks: tuple[Request, ...] = BLOCKS,
) -> Tally:
    tally, gateway = Tally(), UnrulyGateway(framing, fates, seed)
    async with gateway as port:
        link = link_to(port, framing, forgotten_after_ms)
        for unit, request in wanted(seed, blocks):
            before = gateway.asked
            try:
                answer = await link.read(unit, request.span, partial(other_ways, request, LIMITS))
            except LinkFailure as why:
                tally.missed(why.reason)
            else:
                tally.judge(request, answer.words, before, gateway.asked)
        await link.close()
    return tally


async def read_unguarded(framing: str, fates: Fates, seed: int) -> Tally:
    tally, gateway = Tally(), UnrulyGateway(framing, fates, seed)
    framer = FramerType.RTU if framing == "rtu" else FramerType.SOCKET
    async with gateway as port:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=port, framer=framer, timeout=TIMING.timeout_ms / 1000, retries=0
        )
        await client.connect()
        for unit, request in wanted(seed)[: READS // 4]:
            before = gateway.asked
            read = {3: client.read_holding_registers, 4: client.read_input_registers}[request.function]
            try:
                answer = await read(request.address, count=request.count, device_id=unit)
            except ModbusException as why:
                tally.missed(str(why))
                if not client.connected:
                    await client.connect()
            else:
                if answer.isError():
                    tally.missed("refused")
                else:
                    tally.judge(request, tuple(answer.registers), before, gateway.asked)
        client.close()
    return tally


async def each(read: Reader, cases: Iterable[tuple[str, Fates]], **options: Any) -> list[Tally]:
    """All at once: they mostly wait. The seed is the case's number."""
    return await asyncio.gather(*(read(framing, fates, seed, **options) for seed, (framing, fates) in enumerate(cases)))


def test_late_answers_are_never_believed() -> None:
    """Three thousand reads over either framing. Also over MBAP with ids that are echoed, and must not repeat on the next connection."""
    cases = [(framing, name) for framing in ("rtu", "mbap", "ids") for name in PATTERNS]
    tallies = asyncio.run(each(read_guarded, [(framing, PATTERNS[name]) for framing, name in cases]))
    for case, tally in zip(cases, tallies, strict=True):
        assert (tally.wrong, tally.older) == (0, 0), (case, tally)
        assert tally.right > 0.6 * READS, (case, tally)
        assert tally.right + tally.lost == READS
        assert tally.lost > READS / 25, ("no gateway to prove anything by", case, tally)


@pytest.mark.parametrize("framing", ["rtu", "mbap"])
def test_an_unguarded_client_believes_them(framing: str) -> None:
    tallies = asyncio.run(each(read_unguarded, [(framing, fates) for fates in PATTERNS.values()]))
    assert sum(tally.wrong for tally in tallies) > 10, tallies


def test_a_guard_that_forgets_at_once_is_caught_by_these_gateways() -> None:
    cases = 2 * [("rtu", every(11, 180)), ("rtu", bursts(24, 3, 150))]
    tallies = asyncio.run(each(read_guarded, cases, forgotten_after_ms=0))
    assert sum(tally.wrong + tally.older for tally in tallies) > 0, tallies


def test_answers_that_come_again_and_again_are_never_another_register() -> None:
    """Beyond the assumptions: unequal lengths alone."""
    blocks = (BLOCKS[0], BLOCKS[1], Request(4, 500, 7))
    tallies = asyncio.run(each(read_guarded, 2 * [("rtu", twice(6))], blocks=blocks))
    for tally in tallies:
        assert tally.wrong == 0, tally
        assert tally.right > 0.3 * READS, tally


def run_against(fates: Fates, framing: str, steps: Callable[[Link, UnrulyGateway], Awaitable[None]]) -> None:
    async def run() -> None:
        gateway = UnrulyGateway(framing, fates, seed=1)
        async with gateway as port:
            link = link_to(port, framing, FORGOTTEN_AFTER_MS)
            await steps(link, gateway)
            await link.close()

    asyncio.run(run())


def test_a_cancelled_caller_leaves_a_debt() -> None:
    async def steps(link: Link, gateway: UnrulyGateway) -> None:
        await link.read(1, BLOCKS[0].span)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await link.read(1, BLOCKS[1].span)
        assert gateway.asked == 2
        assert link.guard.owes(1)
        answer = await link.read(1, BLOCKS[2].span, partial(other_ways, BLOCKS[2], LIMITS))
        assert [word >> 6 for word in answer.words] == list(range(500, 512))
        assert 1 not in {word % SERIALS for word in answer.words}, "the cancelled one's"

    run_against(lambda number, _: Fate(20 if number == 1 else None), "rtu", steps)  # while the line is quiet


def test_a_unit_with_one_length_is_not_read_while_that_is_owed() -> None:
    async def steps(link: Link, gateway: UnrulyGateway) -> None:
        with pytest.raises(NoAnswer):
            await link.read(1, BLOCKS[1].span)
        with pytest.raises(Unprovable):
            await link.read(1, BLOCKS[1].span)
        assert gateway.asked == 1
        assert len((await link.read(9, BLOCKS[1].span)).words) == 12, "another unit is another matter"
        await asyncio.sleep(FORGOTTEN_AFTER_MS / 1000)
        assert len((await link.read(1, BLOCKS[1].span)).words) == 12

    run_against(lambda number, _: Fate(1e6 if number == 0 else None), "rtu", steps)


def test_an_exception_proves_nothing_while_an_answer_is_owed() -> None:
    async def steps(link: Link, gateway: UnrulyGateway) -> None:
        with pytest.raises(NoAnswer):
            await link.read(1, BLOCKS[0].span)
        with pytest.raises(Refused):
            await link.read(1, BLOCKS[1].span)
        with pytest.raises(Unprovable):  # its own answer may still come
            await link.read(1, BLOCKS[1].span)
        assert (await link.read(1, Request(4, 500, 7).span)).words

    def fates(number: int, _: random.Random) -> Fate:
        return Fate(1e6) if number == 0 else Fate(exception=6 if number == 1 else 0)

    run_against(fates, "rtu", steps)


def test_nobody_there_is_said_and_not_tried_again_at_once() -> None:
    async def run() -> None:
        link = link_to(1, "rtu", FORGOTTEN_AFTER_MS)
        for _ in range(2):
            with pytest.raises(Unreachable):
                await link.read(1, BLOCKS[0].span)
        assert 0 < link.retry_in_ms <= 1000

    asyncio.run(run())


BLOCK: Final = Request(4, 100, 8)
IN_USE_MS: Final = 2 * YOUNG_MS


def chosen(guard: Guard, unit: int = 1, later_ms: float = 0) -> Way | None:
    others = partial(other_ways, BLOCK, Limits(most_words=10))
    return guard.choose(unit, (BLOCK.span,), others, IN_USE_MS + later_ms, 1000)


def test_what_is_owed_is_read_in_another_form_until_it_came() -> None:
    guard = Guard(1000)
    assert chosen(guard) == (BLOCK.span,)
    guard.unanswered(1, BLOCK.span, IN_USE_MS)
    other = chosen(guard, later_ms=10)
    assert other == (Span(4, 100, 9),)
    assert chosen(guard, unit=2, later_ms=10) == (BLOCK.span,)
    guard.came(Form(1, 4, 8), IN_USE_MS + 20)
    assert chosen(guard, later_ms=30) == (BLOCK.span,)
    assert guard.longest_answer_ms == 20


def test_what_is_owed_is_forgotten_when_it_is_too_old() -> None:
    guard = Guard(1000)
    guard.unanswered(1, BLOCK.span, IN_USE_MS)
    assert chosen(guard, later_ms=999) != (BLOCK.span,)
    assert chosen(guard, later_ms=1000) == (BLOCK.span,)


def test_a_length_that_was_another_address_is_the_second_choice() -> None:
    guard = Guard(1000)
    guard.sent(1, Span(4, 300, 8))
    assert chosen(guard) == (Span(4, 100, 9),)
    assert guard.choose(1, (BLOCK.span,), tuple, IN_USE_MS, 1000) == (BLOCK.span,)


def test_a_process_that_has_just_begun_avoids_the_form_of_the_one_before() -> None:
    guard, others = Guard(1000, follows_another=True), partial(other_ways, BLOCK, LIMITS)
    assert guard.choose(1, (BLOCK.span,), others, 0, 1000) != (BLOCK.span,)
    assert guard.choose(1, (BLOCK.span,), tuple, 1, 1000) == (BLOCK.span,), "unless there is no other"
    guard.unanswered(1, Span(4, 100, 3), 2)
    assert guard.choose(1, (BLOCK.span,), others, 3, 1000) == (BLOCK.span,), "or the unit has trouble with others"
    assert guard.choose(2, (BLOCK.span,), others, YOUNG_MS, 1000) == (BLOCK.span,)


def test_what_a_meter_refuses_to_show_is_not_asked_for_again() -> None:
    guard = Guard(1000)
    guard.unanswered(1, BLOCK.span, IN_USE_MS)
    assert chosen(guard) == (Span(4, 100, 9),)
    guard.refused(1, (Span(4, 100, 9),))
    assert chosen(guard) == (Span(4, 100, 1), Span(4, 101, 7)), "nor what holds it"
    for length in (1, 2, 3):
        guard.unanswered(1, Span(4, 100, length), IN_USE_MS)
    assert chosen(guard) == (Span(4, 100, 4), Span(4, 104, 4))


def test_quiet_is_longer_than_the_longest_answer_and_bounded() -> None:
    guard = Guard()
    assert guard.quiet_ms(200, 1000) == 200
    guard.answered(600)
    assert guard.quiet_ms(200, 1000) == 900
    guard.answered(60_000)
    assert guard.quiet_ms(200, 1000) == 4000


REGISTERS: Final = tuple(
    RegisterSpec(f"r{at}", 4, at, DataType.F32, Order.ABCD, Decimal(1), "kWh", Decimal(1), Priority.BILLING)
    for at in (100, 102, 104)
)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(most_words=12, multiple_of=2), [(100, 8), (100, 10), (100, 12), (100, 2), (100, 4)]),
        (Limits(most_words=12, readable=(Span(4, 99, 8),)), [(100, 7), (99, 8), (100, 2), (100, 4)]),
        (Limits(most_words=6), [(100, 2), (100, 4)]),
    ],
)
def test_ways_keep_the_limits_and_never_cut_a_value(limits: Limits, expected: list[tuple[int, int]]) -> None:
    request = Request(4, 100, 6, REGISTERS)
    found = list(other_ways(request, limits))
    assert [(way[0].address, way[0].count) for way in found] == expected
    for way in found:
        pieces = [Piece(span.address, range(span.address, span.end)) for span in way]
        assert words_of(request.span, pieces) == tuple(range(100, 106))
