"""Simulated meters: totals are exact and never fall, what happens to a meter is what it shows, and faults are what their names say."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from edge_collector.plan import entry_request, plan
from edge_collector.profile import Span
from edge_collector.profile_load import builtin_profiles, load_profile
from edge_collector.simulate.building import Building, Endpoint, LinePlan, MeterPlan, draw_building
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import Fault, FaultKind, Faults
from edge_collector.simulate.journal import Journal, read_journal
from edge_collector.simulate.meter import (
    Answered,
    ExceptionCode,
    Glitch,
    Refused,
    SimulatedMeter,
    Unpowered,
    serial_for,
)
from edge_collector.simulate.server import Wire
from edge_collector.simulate.tenants import HOUR_MS, PERIOD_MS, SLOT_MS, Tenant, load_of
from edge_collector.simulate.wiring import loads_for
from edge_collector.words import decode, decode_entry, decode_identity

START = 1_790_000_000_000
LOADS = {tenant: load_of(tenant, 7) for tenant in Tenant}
TIMES = some.integers(START - 10**11, START + 10**11)


def meter(profile: str = "abb_b23", tenant: Tenant = Tenant.FLAT, index: int | None = None, **more) -> SimulatedMeter:
    at_index = load_profile(profile).at_index(index)
    return SimulatedMeter(at_index, serial_for(at_index, 42), loads_for(at_index, tenant, 1), START, **more)


def decoded(one: SimulatedMeter, register: str, at_ms: int, glitch: Glitch | None = None) -> int | None:
    spec = one.profile.register(register)
    return decode(spec, one.answer(spec.span, at_ms, glitch)).count


def shown(one: SimulatedMeter, register: str, at_ms: int, glitch: Glitch | None = None) -> int:
    count = decoded(one, register, at_ms, glitch)
    assert count is not None
    return count


@pytest.mark.parametrize("tenant", Tenant)
@given(first=TIMES, span=some.integers(0, 10**9))
def test_totals_never_fall_and_add_up(tenant: Tenant, first: int, span: int) -> None:
    load = LOADS[tenant]
    middle = first + span // 3
    whole = load.total_micro(first + span) - load.total_micro(first)
    parts = (
        load.total_micro(middle) - load.total_micro(first),
        load.total_micro(first + span) - load.total_micro(middle),
    )
    assert min(parts) >= 0 and sum(parts) == whole


def test_a_total_is_the_sum_of_its_rates() -> None:
    load = load_of(Tenant.OFFICE, 3)
    summed = sum(load.rate_micro_per_hour(at_ms) * 1000 for at_ms in range(START, START + 4 * HOUR_MS, 1000))
    assert abs(summed / HOUR_MS - (load.total_micro(START + 4 * HOUR_MS) - load.total_micro(START))) <= 1


def test_tenants_of_a_kind_differ_and_repeat() -> None:
    one, other, again = load_of(Tenant.SHOP, 1), load_of(Tenant.SHOP, 2), load_of(Tenant.SHOP, 1)
    assert one.total_micro(START) == again.total_micro(START) != other.total_micro(START)
    assert one.rate_micro_per_hour(START) == one.rate_micro_per_hour(START + PERIOD_MS)


def test_a_roof_feeds_in_by_day_and_water_drips_by_night() -> None:
    midnight = START - START % 86_400_000
    roof, water = load_of(Tenant.PV, 1), load_of(Tenant.WATER, 1)
    assert roof.rate_micro_per_hour(midnight) == 0 < roof.rate_micro_per_hour(midnight + 12 * HOUR_MS)
    assert 0 < water.rate_micro_per_hour(midnight + 3 * HOUR_MS) < water.rate_micro_per_hour(midnight + 7 * HOUR_MS)


def test_a_meter_counts_what_is_used() -> None:
    one = meter()
    counts = [shown(one, "active_import", START + at * SLOT_MS) for at in range(200)]
    assert counts[0] == 0 and all(earlier <= later for earlier, later in pairwise(counts))
    used = one.counters.total_micro("active_import", START + 199 * SLOT_MS)
    assert counts[-1] == used // 10_000 > 100


def test_an_exchanged_meter_begins_anew_under_another_serial_number() -> None:
    one = meter(start_micro={"active_import": 5_000_000})
    one.counters.swap(START + HOUR_MS, "77", {"active_import": 1_230_000})
    serial = one.profile.identity[0]
    assert shown(one, "active_import", START + HOUR_MS - 1) > 500
    assert decode_identity(serial, one.answer(serial.span, START + HOUR_MS - 1)) == "42"
    assert shown(one, "active_import", START + HOUR_MS) == 123
    assert decode_identity(serial, one.answer(serial.span, START + HOUR_MS)) == "77"


def test_a_reset_and_a_rollover() -> None:
    one = meter("carlo_gavazzi_em340", Tenant.OFFICE, start_micro={"active_import": 9_000_000})
    one.reset(START + 1000)
    assert (shown(one, "active_import", START), shown(one, "active_import", START + 1000)) == (90, 0)
    one.put("active_import", 2**31 - 2, START + 2000)
    assert shown(one, "active_import", START + 2000) == 2**31 - 2
    later = START + 6 * HOUR_MS
    used = one.counters.total_micro("active_import", later) // 100_000 - (2**31 - 2)
    assert used > 1 and shown(one, "active_import", later) == used - 2


def test_a_power_cut_keeps_the_total_and_meters_nothing() -> None:
    one = meter()
    one.counters.cut_power(START + HOUR_MS, START + 3 * HOUR_MS)
    at_cut = one.counters.total_micro("active_import", START + HOUR_MS)
    with pytest.raises(Unpowered):
        one.answer(Span(3, 0x5000, 4), START + 2 * HOUR_MS)
    assert one.counters.total_micro("active_import", START + 3 * HOUR_MS) == at_cut
    assert one.counters.total_micro("active_import", START + 4 * HOUR_MS) > at_cut


def test_changes_out_of_order_are_refused() -> None:
    one = meter()
    one.reset(START + 1000)
    with pytest.raises(ValueError, match="in order of time"):
        one.reset(START)


def test_glitches() -> None:
    one = meter(start_micro={"active_import": 5_000_000})
    assert shown(one, "active_import", START) == 500
    assert shown(one, "active_import", START, Glitch.ZERO) == 0
    assert decoded(one, "active_import", START, Glitch.ALL_ONES) is None
    assert shown(one, "voltage_l1", START, Glitch.ZERO) == shown(one, "voltage_l1", START)


@pytest.mark.parametrize(
    ("profile", "span", "code"),
    [
        ("eastron_sdm630", Span(4, 0, 3), ExceptionCode.ILLEGAL_VALUE),
        ("eastron_sdm630", Span(4, 0, 82), ExceptionCode.ILLEGAL_VALUE),
        ("siemens_pac2200", Span(3, 43, 4), ExceptionCode.ILLEGAL_ADDRESS),
        ("siemens_pac2200", Span(3, 64012, 8), ExceptionCode.ILLEGAL_ADDRESS),
        ("abb_b23", Span(3, 0xFFFF, 2), ExceptionCode.ILLEGAL_ADDRESS),
    ],
)
def test_a_meter_refuses_what_its_vendor_says(profile: str, span: Span, code: ExceptionCode) -> None:
    with pytest.raises(Refused) as refusal:
        meter(profile).answer(span, START)
    assert refusal.value.code is code


@pytest.mark.parametrize("name", builtin_profiles())
def test_a_meter_answers_its_whole_plan(name: str) -> None:
    one = meter(name, Tenant.PV, index=3 if name == "meter_blocks" else None)
    for request in plan(one.profile):
        words = one.answer(request.span, START + 12 * HOUR_MS)
        for spec in request.registers:
            scale = None if spec.scale_register is None else (one.decimals,)
            assert decode(spec, request.words_of(spec, words), scale).count is not None
        for identity in request.identity:
            assert decode_identity(identity, request.words_of(identity, words))


def test_a_load_profile_holds_the_totals_of_its_boundaries() -> None:
    one = meter("meter_blocks", index=3)
    ring = one.profile.load_profile
    assert ring
    spec, now = one.profile.register(ring.register), START - START % SLOT_MS + 100 * SLOT_MS + 5000
    for boundary in range(START - START % SLOT_MS + SLOT_MS, now, SLOT_MS):
        answer = one.answer(entry_request(ring, boundary).span, now)
        expected = one.counters.total_micro("active_import", boundary) // 1000
        assert decode_entry(ring, spec, answer)[0] == boundary
        assert decode_entry(ring, spec, answer)[1].count == expected
    overwritten = decode_entry(
        ring, spec, one.answer(entry_request(ring, now - now % SLOT_MS - 256 * SLOT_MS).span, now)
    )
    assert overwritten[0] == now - now % SLOT_MS
    assert decode_entry(ring, spec, one.answer(entry_request(ring, now - now % SLOT_MS + SLOT_MS).span, now))[0] == 0


def test_answers_are_noted() -> None:
    noted: list[Answered] = []
    one = meter(note=noted.append)
    words = one.answer(Span(3, 0x5000, 8), START)
    assert noted == [Answered("42", START, Span(3, 0x5000, 8), words)]


def test_a_journal_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    one = meter(note=lambda answered: journal.note("flat 1", answered))
    for at_ms in (START, START + HOUR_MS):
        one.answer(Span(3, 0x5000, 8), at_ms)
    with path.open("a") as torn:
        torn.write('["flat 1", "42"')
    assert list(read_journal(path)) == journal.entries
    assert [(entry.device, entry.answered.at_ms) for entry in journal.entries] == [
        ("flat 1", START),
        ("flat 1", START + HOUR_MS),
    ]
    journal.close()


# Faults, over real sockets.

Ask = Callable[[int], Awaitable[tuple[int, ...] | str]]
TIMEOUT_S = 0.3


def client_for(endpoint: Endpoint) -> AsyncModbusTcpClient:
    framer = FramerType.SOCKET if endpoint.line.wire is Wire.TCP else FramerType.RTU
    return AsyncModbusTcpClient(
        endpoint.host, port=endpoint.port, framer=framer, timeout=TIMEOUT_S, retries=0, reconnect_delay=0
    )


async def ask(client: AsyncModbusTcpClient, unit: int, address: int = 0x5000, count: int = 8) -> tuple[int, ...] | str:
    """The words, or what came instead."""
    try:
        answer = await client.read_holding_registers(address, count=count, device_id=unit)
    except ModbusException:
        return "nothing"
    return f"exception {answer.exception_code}" if answer.isError() else tuple(answer.registers)


def in_a_building(
    wire: Wire, faults: list[Fault], story: Callable[[Building, Endpoint, SteppedClock], Awaitable[None]]
) -> None:
    """Two ABB meters on a line, units 2 and 3."""

    async def told() -> None:
        clock = SteppedClock(START)
        meters = tuple(
            MeterPlan(f"m{unit}", unit, "abb_b23", Tenant.SHOP, unit, age_hours=1000 * unit) for unit in (2, 3)
        )
        building = Building((LinePlan("line", wire, meters),), clock, START, Faults(faults))
        (endpoint,) = await building.start()
        try:
            with clock.participant():
                await asyncio.wait_for(story(building, endpoint, clock), 10)
        finally:
            building.close()

    asyncio.run(told())


def fault(kind: FaultKind, unit: int | None = 2, **more) -> Fault:
    return Fault(kind, START, START + HOUR_MS, unit=unit, **more)


@pytest.mark.parametrize(
    ("kind", "wire", "said"),
    [
        (FaultKind.BUSY, Wire.TCP, "exception 6"),
        (FaultKind.BUSY, Wire.RTU_OVER_TCP, "exception 6"),
        (FaultKind.DEAD_UNIT, Wire.TCP, "nothing"),
        (FaultKind.DEAD_UNIT, Wire.RTU_OVER_TCP, "nothing"),
        (FaultKind.GARBLED, Wire.RTU_OVER_TCP, "nothing"),
        (FaultKind.ALL_FF, Wire.TCP, (0xFFFF,) * 8),
        (FaultKind.TRANSIENT_ZERO, Wire.RTU_OVER_TCP, (0,) * 8),
    ],
)
def test_a_fault_meets_its_unit_while_it_lasts(kind: FaultKind, wire: Wire, said: object) -> None:
    async def story(building: Building, endpoint: Endpoint, clock: SteppedClock) -> None:
        client = client_for(endpoint)
        await client.connect()
        healthy = building.meters["m3"].answer(Span(3, 0x5000, 8), START)
        assert await ask(client, 3) == healthy
        assert await ask(client, 2) == said
        await clock.sleep(HOUR_MS)
        client.close()
        await client.connect()
        assert await ask(client, 2) == building.meters["m2"].answer(Span(3, 0x5000, 8), START + HOUR_MS)
        client.close()

    in_a_building(wire, [fault(kind)], story)


def test_a_half_open_line_swallows_everything() -> None:
    async def story(_: Building, endpoint: Endpoint, __: SteppedClock) -> None:
        client = client_for(endpoint)
        assert await client.connect()
        assert await ask(client, 2) == await ask(client, 3) == "nothing"
        client.close()

    in_a_building(Wire.TCP, [fault(FaultKind.HALF_OPEN, unit=None)], story)


def test_every_nth_request_only() -> None:
    async def story(_: Building, endpoint: Endpoint, __: SteppedClock) -> None:
        client = client_for(endpoint)
        await client.connect()
        assert [await ask(client, 2) == "exception 6" for _ in range(6)] == [False, False, True] * 2
        client.close()

    in_a_building(Wire.TCP, [fault(FaultKind.BUSY, every=3)], story)


def test_a_late_answer_is_taken_for_the_next_ones_over_rtu_without_a_guard() -> None:
    """What the collector must be proof against: unit 2's export would be billed as its import."""

    async def story(building: Building, endpoint: Endpoint, _: SteppedClock) -> None:
        building.meters["m2"].put("active_import", 111, START)
        building.meters["m2"].put("active_export", 222, START)
        client = client_for(endpoint)
        await client.connect()
        assert await ask(client, 2, 0x5000, 4) == "nothing"
        assert await ask(client, 2, 0x5004, 4) == (0, 0, 0, 111)
        client.close()

    in_a_building(Wire.RTU_OVER_TCP, [fault(FaultKind.LATE_ANSWER, late_s=TIMEOUT_S * 1.5, every=1)], story)


def test_a_transaction_id_tells_a_late_answer_unless_it_is_zero() -> None:
    def story_of(is_taken: bool) -> Callable[[Building, Endpoint, SteppedClock], Awaitable[None]]:
        async def story(building: Building, endpoint: Endpoint, _: SteppedClock) -> None:
            building.meters["m2"].put("active_import", 111, START)
            client = client_for(endpoint)
            await client.connect()
            assert await ask(client, 2, 0x5000, 4) == "nothing"
            assert (await ask(client, 2, 0x5004, 4) == (0, 0, 0, 111)) == is_taken
            client.close()

        return story

    late = fault(FaultKind.LATE_ANSWER, late_s=TIMEOUT_S * 1.5)
    in_a_building(Wire.TCP, [late], story_of(is_taken=False))
    in_a_building(Wire.TCP, [late, fault(FaultKind.ZERO_TRANSACTION)], story_of(is_taken=True))


@pytest.mark.parametrize(("wire", "said"), [(Wire.TCP, "exception 11"), (Wire.RTU_OVER_TCP, "nothing")])
def test_where_nobody_is(wire: Wire, said: str) -> None:
    async def story(_: Building, endpoint: Endpoint, __: SteppedClock) -> None:
        client = client_for(endpoint)
        await client.connect()
        assert await ask(client, 9) == said
        client.close()

    in_a_building(wire, [], story)


def test_events_happen_at_their_time() -> None:
    async def story(building: Building, endpoint: Endpoint, clock: SteppedClock) -> None:
        playing = asyncio.create_task(building.play_events())
        client = client_for(endpoint)
        await client.connect()
        await clock.sleep(500_000)
        assert (await ask(client, 2))[:4] != (0, 0, 0, 0)
        await clock.sleep(600_000)
        assert await ask(client, 2, 0x8900, 2) == struct.unpack(">2H", struct.pack(">I", 7_000_002))
        assert await ask(client, 3) == "nothing"
        assert clock.now_ms() == START + 1_100_000 + 5000
        with clock.waiting():
            await playing
        client.close()

    faults = [
        Fault(FaultKind.SWAPPED_METER, START + 1_000_000, START + 1_000_000, unit=2),
        Fault(FaultKind.POWER_CUT, START + 1_000_000, START + 2_000_000, unit=3),
        Fault(FaultKind.CLOCK_STEP, START + 1_050_000, START + 1_050_000, step_ms=5000),
    ]
    in_a_building(Wire.RTU_OVER_TCP, faults, story)


def test_a_drawn_building_is_the_same_for_the_same_seed() -> None:
    plans = draw_building(5, 4, 30)
    assert plans == draw_building(5, 4, 30) != draw_building(6, 4, 30)
    assert [len(plan.meters) for plan in plans] == [8, 8, 7, 7]
    assert len({meter.device for plan in plans for meter in plan.meters}) == 30
    with pytest.raises(ValueError, match="no place"):
        draw_building(1, 1, 248)
