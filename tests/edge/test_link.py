"""A link over every transport, through outages: what it reads, and how it comes back."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_collector.link import Link, Timing
from edge_collector.link_failures import LinkFailure, NoAnswer, Refused, Unreachable, WrongAnswer
from edge_collector.profile import Span
from edge_collector.profile_load import load_profile
from edge_collector.simulate.faults import Fault, FaultKind, Faults, TrueTime
from edge_collector.simulate.meter import SimulatedMeter
from edge_collector.simulate.server import Line, Served, Wire, serve
from edge_collector.simulate.tenants import Tenant
from edge_collector.simulate.wiring import loads_for
from edge_collector.system_clock import SystemClock
from edge_collector.transport import Framing, Network, SerialLine, TlsFiles, Transport

TIMING = Timing(timeout_ms=80, quiet_ms=10)
SERIAL = Span(3, 0xFC00, 2)
TOTALS = Span(4, 0x48, 4)
FOREVER = 10**15


@dataclass
class Bench:
    """A link to unit 1 of a line, and the line."""

    link: Link
    line: Line
    served: Served
    faults: Faults
    guarded: list[str]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PEM of a certificate of localhost that signs itself, and its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run([*request.split(), *names], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def transport_to(wire: Wire, served: Served, certificate: Path | None) -> Transport:
    if wire is Wire.SERIAL:
        return SerialLine(served.device, 115200)
    if wire is Wire.TLS:
        assert certificate is not None
        return Network("localhost", served.port, Framing.MBAP, TlsFiles(certificate))
    return Network("127.0.0.1", served.port, Framing.RTU if wire is Wire.RTU_OVER_TCP else Framing.MBAP)


def on(wire: Wire, story: Callable[[Bench], Awaitable[None]], certificate: Path | None = None) -> None:
    async def told() -> None:
        clock, faults, guarded = SystemClock(), Faults(), list[str]()
        profile = load_profile("eastron_sdm630")
        meter = SimulatedMeter(profile, "4711", loads_for(profile, Tenant.FLAT, 1), clock.now_ms())
        line = Line("line", wire, {1: meter}, TrueTime(clock), faults)
        tls = None
        if wire is Wire.TLS:
            assert certificate is not None
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(certificate)
        served = await serve(line, tls=tls)
        link = Link(transport_to(wire, served, certificate), TIMING, clock, on_guard=guarded.append)
        try:
            await asyncio.wait_for(story(Bench(link, line, served, faults, guarded)), 20)
        finally:
            await link.close()
            served.close()

    asyncio.run(told())


@pytest.mark.parametrize("wire", Wire)
def test_every_transport_reads_refuses_times_out_and_comes_back(wire: Wire, certificate: Path) -> None:
    async def story(bench: Bench) -> None:
        link = bench.link
        answer = await link.read(1, SERIAL)
        assert answer.words == (0, 4711)
        assert answer.sent_ms <= answer.received_ms
        assert 0 < answer.latency_ms < 80
        with pytest.raises(Refused) as refused:
            await link.read(1, Span(4, 0x48, 3))
        assert refused.value.code == 3
        assert refused.value.is_refusal
        assert bench.guarded == [], "a refusal in time is an answer"
        silent = Fault(FaultKind.DEAD_UNIT, 0, FOREVER)
        bench.faults.add(silent)
        with pytest.raises(NoAnswer):
            await link.read(1, TOTALS)
        bench.faults.clear()
        assert (await link.read(1, SERIAL)).words == (0, 4711)
        assert bench.guarded == ["no_answer"]
        assert link.guard.echoes_ids is (True if wire.has_mbap else None)

    on(wire, story, certificate)


def test_a_certificate_that_nobody_vouches_for_is_not_believed(certificate: Path, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=other"
        other = tmp_path / "other.pem"
        subprocess.run(
            [*request.split(), "-keyout", str(tmp_path / "key"), "-out", str(other)], check=True, capture_output=True
        )
        strange = Network("localhost", bench.served.port, Framing.MBAP, TlsFiles(other))
        with pytest.raises(Unreachable):
            await Link(strange, TIMING, SystemClock()).read(1, SERIAL)
        missing = Network("localhost", bench.served.port, Framing.MBAP, TlsFiles(tmp_path / "none.pem"))
        with pytest.raises(Unreachable, match=r"none|No such file"):
            await Link(missing, TIMING, SystemClock()).read(1, SERIAL)

    on(Wire.TLS, story, certificate)


def test_a_connection_that_the_other_side_closed_is_made_anew_without_a_failure() -> None:
    async def story(bench: Bench) -> None:
        await bench.link.read(1, SERIAL)
        port = bench.served.port
        bench.served.close()
        await asyncio.sleep(0.02)
        again = await serve(bench.line, port=port)
        try:
            assert (await bench.link.read(1, SERIAL)).words == (0, 4711)
            assert bench.guarded == []
        finally:
            again.close()

    on(Wire.TCP, story)


def test_requests_of_many_callers_go_one_after_the_other() -> None:
    async def story(bench: Bench) -> None:
        spans = [Span(4, 0, 2 * length) for length in range(1, 20)]
        answers = await asyncio.gather(*(bench.link.read(1, span) for span in spans))
        assert [len(answer.words) for answer in answers] == [span.count for span in spans]
        assert bench.guarded == []

    on(Wire.RTU_OVER_TCP, story)


def test_an_answer_to_nobody_closes_the_connection() -> None:
    async def story(bench: Bench) -> None:
        await bench.link.read(1, SERIAL)
        bench.line.connections[-1](bytes.fromhex("010404123456781234"))
        await asyncio.sleep(0.02)
        assert (await bench.link.read(1, SERIAL)).words == (0, 4711)
        assert bench.guarded == ["unasked"]

    on(Wire.RTU_OVER_TCP, story)


def test_a_glitch_of_the_line_driver_is_no_answer_to_nobody() -> None:
    async def story(bench: Bench) -> None:
        await bench.link.read(1, SERIAL)
        bench.line.connections[-1](b"\0\xff")
        await asyncio.sleep(0.02)
        assert (await bench.link.read(1, SERIAL)).words == (0, 4711)
        assert bench.guarded == []

    on(Wire.RTU_OVER_TCP, story)


def test_a_line_that_never_falls_silent_is_not_used() -> None:
    async def story(bench: Bench) -> None:
        async def babble() -> None:
            while True:
                for send in bench.line.connections:
                    send(b"\x55" * 8)
                await asyncio.sleep(0.003)

        babbling = asyncio.create_task(babble())
        patient = Link(
            transport_to(Wire.RTU_OVER_TCP, bench.served, None),
            Timing(80, 50),
            SystemClock(),
            on_guard=bench.guarded.append,
        )
        with pytest.raises(Unreachable, match="never falls silent"):
            await patient.read(1, SERIAL)
        babbling.cancel()
        assert set(bench.guarded) == {"flushed"}

    on(Wire.RTU_OVER_TCP, story)


def test_an_id_of_zero_is_not_believed_where_ids_were_echoed() -> None:
    async def story(bench: Bench) -> None:
        await bench.link.read(1, SERIAL)
        bench.faults.add(Fault(FaultKind.ZERO_TRANSACTION, 0, FOREVER))
        with pytest.raises(WrongAnswer, match="transaction id 0"):
            await bench.link.read(1, TOTALS)
        assert (await bench.link.read(1, SERIAL)).words == (0, 4711), (
            "a gateway that does not echo is known from now on"
        )
        assert bench.link.guard.echoes_ids is False

    on(Wire.TCP, story)


@pytest.mark.parametrize("kind", [FaultKind.GARBLED, FaultKind.HALF_OPEN])
def test_damage_on_the_wire_is_no_answer(kind: FaultKind) -> None:
    async def story(bench: Bench) -> None:
        bench.faults.add(Fault(kind, 0, FOREVER, every=2))
        came = 0
        for _ in range(6):
            try:
                answer = await bench.link.read(1, SERIAL, lambda: ((Span(3, 0xFC00, 4),), (Span(3, 0xFC00, 6),)))
                assert answer.words == (0, 4711)
                came += 1
            except LinkFailure:
                pass
        assert came == 3

    on(Wire.RTU_OVER_TCP, story)


def test_what_a_meter_does_not_have_around_a_block_is_asked_for_once() -> None:
    async def story(bench: Bench) -> None:
        others = (
            (Span(4, 0x48, 5),),
            (Span(4, 0x48, 6),),
        )  # this meter refuses what is odd; then what holds it is not tried
        bench.link.guard.sent(1, Span(4, 0, 4))  # the planned length was another address's: another way would be better
        for requests in (2, 3):
            assert len((await bench.link.read(1, TOTALS, lambda: others)).words) == 4
            assert bench.line.requests == requests
        assert bench.guarded == ["other_length"]

    on(Wire.RTU_OVER_TCP, story)
