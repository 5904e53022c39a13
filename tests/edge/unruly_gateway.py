"""A gateway that answers late, byte by byte: RTU framing ("rtu"), MBAP with transaction id 0 ("mbap") or with the request's ("ids").

Every word says which register it is and which request it answers, so that a word believed for another one's is recognised. What is late
is kept, and goes to whatever connection is open when its time has come, or is opened next.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pymodbus.framer.rtu import FramerRTU

SERIALS: Final = 64
"""A word is `address << 6 | request mod 64`."""

REQUEST_BYTES: Final = {"rtu": 8, "mbap": 12, "ids": 12}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an answer: `late_ms` null is at once. `copies` come, each one after another so much later."""

    late_ms: float | None = None
    copies: int = 1
    exception: int = 0


Fates = Callable[[int, random.Random], Fate]
"""The fate of the n-th request."""


@dataclass(eq=False)
class UnrulyGateway:
    """Holds any unit and any register below 1024. `asked` counts requests; `late` those that were answered late."""

    framing: str
    fates: Fates
    seed: int
    asked: int = 0
    late: int = 0
    _kept: list[bytes] = field(default_factory=list)
    _writer: asyncio.StreamWriter | None = None
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    async def __aenter__(self) -> int:
        """The port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        if self._writer is not None:
            self._writer.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            self._hand_out()
            while True:
                self._answer(await reader.readexactly(REQUEST_BYTES[self.framing]))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None

    def _answer(self, request: bytes) -> None:
        pdu = request[:6] if self.framing == "rtu" else request[6:12]
        fate = self.fates(self.asked, self._random)
        frame = self._framed(response_to(pdu, self.asked, fate.exception), request[:2])
        self.asked += 1
        if fate.late_ms is None:
            self._kept.append(frame)
            self._hand_out()
        else:
            self.late += 1
        for copy in range(fate.late_ms is None, fate.copies):
            task = asyncio.create_task(self._later(frame, (fate.late_ms or 0) + 10 * copy))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _later(self, frame: bytes, late_ms: float) -> None:
        await asyncio.sleep(late_ms / 1000)
        self._kept.append(frame)
        self._hand_out()

    def _hand_out(self) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(b"".join(self._kept))
            self._kept.clear()

    def _framed(self, pdu: bytes, transaction: bytes) -> bytes:
        if self.framing == "rtu":
            return pdu + FramerRTU.compute_CRC(pdu).to_bytes(2, "big")
        return (transaction if self.framing == "ids" else b"\0\0") + b"\0\0" + len(pdu).to_bytes(2, "big") + pdu


def response_to(request: bytes, serial: int, exception: int = 0) -> bytes:
    """Unit, function and data that answer the request of this number."""
    unit, function = request[0], request[1]
    address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    if exception:
        return bytes([unit, function | 0x80, exception])
    words = [(one & 1023) << 6 | serial % SERIALS for one in range(address, address + count)]
    return bytes([unit, function, 2 * count]) + b"".join(word.to_bytes(2, "big") for word in words)


def every(period: int, late_ms: float) -> Fates:
    """Each answer of so many is late by so much."""
    return lambda number, _: Fate(late_ms if number % period == period - 1 else None)


def at_times(least: int, most: int, least_ms: float, most_ms: float) -> Fates:
    """One in `least` to `most` is late, by a time of its own."""
    return lambda _, chance: Fate(
        chance.uniform(least_ms, most_ms) if chance.random() < 1 / chance.randint(least, most) else None
    )


def bursts(period: int, length: int, late_ms: float) -> Fates:
    """Several in a row are late, and come together."""
    return lambda number, _: Fate(late_ms - 15 * (number % period) if number % period < length else None)


def exceptions_too(period: int, late_ms: float) -> Fates:
    """Late answers, some of them exceptions; and exceptions in time."""

    def fate(number: int, chance: random.Random) -> Fate:
        exception = 6 if chance.random() < 0.2 else 0
        return Fate(late_ms if number % period == 0 else None, exception=exception)

    return fate


def twice(period: int) -> Fates:
    """Some answers come in time, and again 10, 20 and 30 ms later: what the guard assumes not to happen."""
    return lambda number, _: Fate(copies=4 if number % period == 0 else 1)
