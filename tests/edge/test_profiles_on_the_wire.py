"""Every profile against its simulated meter over every transport: plain pymodbus clients, our plans and words, exact to the last digit."""

from __future__ import annotations

import asyncio
import ssl
import struct
import subprocess
from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.framer import FramerSocket, FramerType

from edge_collector.plan import Request, plan
from edge_collector.profile import IdentityRole, RegisterSpec
from edge_collector.profile_load import builtin_profiles, load_profile
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import TrueTime
from edge_collector.simulate.meter import SimulatedMeter, serial_for
from edge_collector.simulate.server import Gateway, Line, Served, Unit, Wire, serve
from edge_collector.simulate.tenants import Tenant
from edge_collector.simulate.wiring import loads_for
from edge_collector.words import decode, decode_identity

START = 1_790_000_000_000
NAMES = builtin_profiles()
INDEX = 5
"""The meter behind a gateway that is read."""

Client = AsyncModbusTcpClient | AsyncModbusSerialClient


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) of localhost, signed by itself."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request.split(), *names], check=True, capture_output=True)
    return certificate, key


def client_for(wire: Wire, served: Served, certificate: Path) -> Client:
    if wire is Wire.SERIAL:
        return AsyncModbusSerialClient(served.device, baudrate=115200, timeout=2, retries=0)
    if wire is Wire.TLS:
        context = ssl.create_default_context(cafile=certificate)
        client = AsyncModbusTlsClient("localhost", port=served.port, sslctx=context, timeout=2, retries=0)
        # Modbus/TCP Security has the MBAP header inside TLS; pymodbus's own TLS framer leaves it out.
        client.ctx.framer = FramerSocket(client.ctx.framer.decoder)
        return client
    framer = FramerType.RTU if wire is Wire.RTU_OVER_TCP else FramerType.SOCKET
    return AsyncModbusTcpClient("127.0.0.1", port=served.port, framer=framer, timeout=2, retries=0)


def all_meters() -> dict[int, SimulatedMeter]:
    """One of every profile, by unit address."""
    meters = {}
    for unit, name in enumerate(NAMES, 1):
        profile = load_profile(name)
        profile = profile.at_index(INDEX if profile.blocks else None)
        loads = loads_for(profile, Tenant.PV, unit)
        meters[unit] = SimulatedMeter(profile, serial_for(profile, 1000 + unit), loads, START)
    return meters


def units_of(meters: dict[int, SimulatedMeter]) -> dict[int, Unit]:
    units: dict[int, Unit] = {}
    for unit, meter in meters.items():
        blocks = load_profile(meter.profile.name).blocks
        units[unit] = Gateway(blocks, {INDEX: meter}) if blocks else meter
    return units


def over(
    wire: Wire,
    certificate: tuple[Path, Path],
    story: Callable[[Client, dict[int, SimulatedMeter], SteppedClock], Awaitable[None]],
) -> None:
    async def told() -> None:
        clock, meters = SteppedClock(START), all_meters()
        tls = None
        if wire is Wire.TLS:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(*certificate)
        served = await serve(Line("line", wire, units_of(meters), TrueTime(clock)), tls=tls)
        client = client_for(wire, served, certificate[0])
        try:
            with clock.participant():
                assert await client.connect()
                await asyncio.wait_for(story(client, meters, clock), 20)
        finally:
            client.close()
            served.close()

    asyncio.run(told())


async def read(client: Client, unit: int, request: Request) -> list[int]:
    ask = client.read_holding_registers if request.function == 3 else client.read_input_registers
    answer = await ask(request.address, count=request.count, device_id=unit)
    assert not answer.isError() and len(answer.registers) == request.count
    return list(answer.registers)


def extremes(spec: RegisterSpec) -> list[int]:
    """Counts worth a look: nothing, one digit, 1 GWh, and the last before the register is full or a sentinel."""
    gigawatt_hour = 1_000_000 * 10**spec.decimals
    if spec.type.is_float:
        return [0, 1, 12345678, gigawatt_hour, 99 * gigawatt_hour]
    one = spec.counts_per_raw
    highest = (spec.type.highest - 1) * one
    return [0, one, 12345 * one, min(gigawatt_hour, highest), highest]


def as_shown(spec: RegisterSpec, count: int) -> int:
    """What a register that is asked to show this count can show: a float the nearest one, told in last digits, half to even."""
    if not spec.type.is_float:
        return count
    code = ">f" if spec.type.words == 2 else ">d"
    wanted = Fraction(count) * Fraction(spec.resolution) / Fraction(spec.scale)
    nearest: float = struct.unpack(code, struct.pack(code, float(wanted)))[0]
    return round(Fraction(nearest) * Fraction(spec.scale) / Fraction(spec.resolution))


@pytest.mark.parametrize("wire", Wire)
def test_totals_are_exact_at_extreme_values(wire: Wire, certificate: tuple[Path, Path]) -> None:
    async def story(client: Client, meters: dict[int, SimulatedMeter], _: SteppedClock) -> None:
        checked = 0
        for unit, meter in meters.items():
            requests = plan(meter.profile).billing
            for number in range(5):
                for spec in meter.profile.billing:
                    meter.put(spec.name, extremes(spec)[number], START)
                for request in requests:
                    words = await read(client, unit, request)
                    for spec in request.registers:
                        scale = (meter.decimals,) if spec.scale_register else None
                        count = decode(spec, request.words_of(spec, words), scale).count
                        assert count == as_shown(spec, extremes(spec)[number]), f"{meter.profile.name}.{spec.name}"
                        checked += 1
        assert checked == 5 * sum(len(meter.profile.billing) for meter in meters.values())

    over(wire, certificate, story)


@pytest.mark.parametrize("wire", Wire)
def test_the_whole_plan_and_the_serial_number(wire: Wire, certificate: tuple[Path, Path]) -> None:
    async def story(client: Client, meters: dict[int, SimulatedMeter], clock: SteppedClock) -> None:
        await clock.sleep(12 * 3_600_000)
        for unit, meter in meters.items():
            serials = []
            for request in plan(meter.profile):
                words = await read(client, unit, request)
                assert tuple(words) == meter.answer(request.span, START + 12 * 3_600_000)
                serials += [
                    decode_identity(spec, request.words_of(spec, words))
                    for spec in request.identity
                    if spec.role is IdentityRole.SERIAL
                ]
            assert serials == ([serial_for(meter.profile, 1000 + unit)] if meter.profile.identity else [])

    over(wire, certificate, story)


def test_integer_totals_are_what_was_metered_at_any_instant(certificate: tuple[Path, Path]) -> None:
    async def story(client: Client, meters: dict[int, SimulatedMeter], clock: SteppedClock) -> None:
        for _ in range(8):
            await clock.sleep(9_999_991)
            for unit, meter in meters.items():
                for request in plan(meter.profile).billing:
                    words = await read(client, unit, request)
                    for spec in request.registers:
                        metered = meter.counters.total_micro(spec.name, clock.now_ms())
                        scale = (meter.decimals,) if spec.scale_register else None
                        shown = decode(spec, request.words_of(spec, words), scale)
                        assert shown.count is not None
                        missing = Fraction(metered, 10**6) - Fraction(shown.count, 10**shown.decimals)
                        assert abs(missing) <= Fraction(1, 10**shown.decimals)
                        assert spec.type.is_float or missing >= 0

    over(Wire.RTU_OVER_TCP, certificate, story)
