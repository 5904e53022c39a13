"""A line with meters on it, reachable by Modbus TCP, TLS, RTU over TCP or a serial port: real bytes, and what can go wrong with them.

pymodbus's server was not used: its registers are memory that somebody must keep written, while these meters are functions of time; and
late, half or foreign answers are made below the frames. The framing is pymodbus's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import ssl
import struct
import tty
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, Protocol

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.framer.base import FramerBase
from pymodbus.pdu import DecodePDU

from edge_collector.profile import Blocks, Span
from edge_collector.simulate.faults import FaultKind, Faults, TrueTime
from edge_collector.simulate.meter import ExceptionCode, Glitch, Refused, SimulatedMeter, Unpowered

Send = Callable[[bytes], None]


class Wire(StrEnum):
    """How a line is reached."""

    TCP = "tcp"
    TLS = "tls"
    RTU_OVER_TCP = "rtu_over_tcp"
    SERIAL = "serial"

    @property
    def has_mbap(self) -> bool:
        return self in (Wire.TCP, Wire.TLS)


_GLITCHES: Final = {FaultKind.TRANSIENT_ZERO: Glitch.ZERO, FaultKind.ALL_FF: Glitch.ALL_ONES}
_SILENT: Final = frozenset({FaultKind.DEAD_UNIT, FaultKind.HALF_OPEN})


class Unit(Protocol):
    """What answers at a unit address: a meter, or a gateway with several."""

    def answer(self, span: Span, at_ms: int, glitch: Glitch | None = None) -> tuple[int, ...]: ...


class Line:
    """Units that share a wire. `connections` are those open now, the newest last; `requests` counts what was asked."""

    def __init__(
        self, name: str, wire: Wire, units: Mapping[int, Unit], time: TrueTime, faults: Faults | None = None
    ) -> None:
        self.name = name
        self.wire = wire
        self.units = dict(units)
        self.requests = 0
        self.connections: list[Send] = []
        self._time = time
        self._faults = faults or Faults()
        decoder = DecodePDU(True)
        self._framer: FramerBase = FramerSocket(decoder) if wire.has_mbap else FramerRTU(decoder)

    def receive(self, buffer: bytearray, send: Send) -> None:
        """Answer the whole requests in a connection's buffer, and take them out of it."""
        while buffer:
            used, unit, transaction, request = self._framer.decode(bytes(buffer))
            if not used:
                return
            del buffer[:used]
            if request:
                self._answer(unit, transaction, request, send)

    def _answer(self, unit: int, transaction: int, request: bytes, send: Send) -> None:
        self.requests += 1
        at_ms = self._time.now_ms()
        hit = self._faults.hit(self.name, unit, at_ms)
        answer = self._pdu(unit, request, at_ms, set(hit))
        if answer is None:
            return
        frame = self._framer.encode(answer, unit, 0 if FaultKind.ZERO_TRANSACTION in hit else transaction)
        if FaultKind.GARBLED in hit:
            frame = frame[:-1] + bytes([frame[-1] ^ 0x55])
        if FaultKind.LATE_ANSWER in hit:
            late_s = hit[FaultKind.LATE_ANSWER].late_s
            asyncio.get_running_loop().call_later(late_s, self._send_late, frame, send)
        else:
            send(frame)

    def _send_late(self, frame: bytes, asker: Send) -> None:
        """A serial line behind a gateway does not know who asked: the answer goes to whoever is there."""
        if not self.wire.has_mbap and self.connections:
            self.connections[-1](frame)
        elif asker in self.connections:
            asker(frame)

    def _pdu(self, unit: int, request: bytes, at_ms: int, hit: set[FaultKind]) -> bytes | None:
        """The answer without its frame; null: none."""
        if hit & _SILENT:
            return None
        function = request[0]
        try:
            if FaultKind.BUSY in hit:
                raise Refused(ExceptionCode.BUSY)
            words = self._words(unit, request, at_ms, hit)
        except Unpowered:
            return None
        except Refused as refusal:
            if refusal.code is ExceptionCode.NOBODY_THERE and not self.wire.has_mbap:
                return None
            return bytes([function | 0x80, refusal.code])
        return struct.pack(f">BB{len(words)}H", function, 2 * len(words), *words)

    def _words(self, unit: int, request: bytes, at_ms: int, hit: set[FaultKind]) -> tuple[int, ...]:
        if unit not in self.units:
            raise Refused(ExceptionCode.NOBODY_THERE)
        if request[0] not in (3, 4) or len(request) != 5:
            raise Refused(ExceptionCode.ILLEGAL_FUNCTION)
        span = Span(request[0], *struct.unpack(">HH", request[1:]))
        glitch = next((_GLITCHES[kind] for kind in hit if kind in _GLITCHES), None)
        return self.units[unit].answer(span, at_ms, glitch)


class Gateway:
    """Meters behind one unit address, each in its own block of registers; by index."""

    def __init__(self, blocks: Blocks, meters: Mapping[int, SimulatedMeter]) -> None:
        self._blocks = blocks
        self._meters = meters

    def answer(self, span: Span, at_ms: int, glitch: Glitch | None = None) -> tuple[int, ...]:
        first, last = ((at - self._blocks.base) // self._blocks.stride for at in (span.address, span.end - 1))
        if first != last or first not in self._meters:
            raise Refused(ExceptionCode.ILLEGAL_ADDRESS)
        return self._meters[first].answer(span, at_ms, glitch)


class Served:
    """A line that is being served at `port`, or at the serial port `device`."""

    def __init__(self, port: int, device: str, stop: Callable[[], None]) -> None:
        self.port = port
        self.device = device
        self._stop = stop

    def close(self) -> None:
        """Stop listening, and drop who is connected."""
        self._stop()


async def serve(line: Line, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Served:
    """Serve a line; port 0 is any that is free. A serial line gets a pseudo terminal. `tls` is wanted for `Wire.TLS`."""
    if line.wire is Wire.SERIAL:
        return _serve_serial(line)
    if (line.wire is Wire.TLS) != (tls is not None):
        raise ValueError("a TLS line needs a TLS context, and no other does")
    connections: list[_Connection] = []

    def connect() -> _Connection:
        connections.append(_Connection(line))
        return connections[-1]

    def stop() -> None:
        server.close()
        for connection in connections:
            connection.close()

    server = await asyncio.get_running_loop().create_server(connect, host, port, ssl=tls)
    return Served(server.sockets[0].getsockname()[1], "", stop)


def _serve_serial(line: Line) -> Served:
    """Our end of a pseudo terminal; the other end stays open here too, so that a client may come and go."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    loop, buffer = asyncio.get_running_loop(), bytearray()

    def send(frame: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: bytes on a wire without a listener are gone
            os.write(ours, frame)

    def read() -> None:
        buffer.extend(os.read(ours, 4096))
        line.receive(buffer, send)

    def stop() -> None:
        loop.remove_reader(ours)
        line.connections.remove(send)
        os.close(ours)
        os.close(theirs)

    loop.add_reader(ours, read)
    line.connections.append(send)
    return Served(0, os.ttyname(theirs), stop)


class _Connection(asyncio.Protocol):
    """One client of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._line.connections.append(self._send)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._line.receive(self._buffer, self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        self._line.connections.remove(self._send)

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    def _send(self, frame: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(frame)
