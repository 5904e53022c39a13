"""One connection to a line, from its opening to its closing. It is never reopened.

pymodbus frames and sends; it neither retries nor reconnects here. It drops what it did not ask for, so its hooks note that: what came
while nobody asked is how a line that owes an answer gives itself away (`link.py`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge_collector.profile import Span
from edge_collector.transport import Client, Framing, Transport, client_for, framing_of, name_of

SHORTEST_CONNECT_MS: Final = 2000
"""A connection may take so long even where answers come sooner: a gateway greets slowly, and TLS shakes hands."""

SHORTEST_FRAME_BYTES: Final = 5
"""An exception in RTU framing. Fewer bytes are a glitch of the line driver, not an answer."""


class UnableToConnect(Exception):
    """The other side cannot be reached: refused, silent, no such port or device, or TLS failed."""


class UnableToExchange(Exception):
    """The connection broke, or what came is no Modbus frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An answer as framed. `exception` is 0 for none; `transaction` is 0 where the framing has none; `surplus_bytes` came with it."""

    unit: int
    function: int
    exception: int
    transaction: int
    words: tuple[int, ...]
    surplus_bytes: int = 0


class Connection:
    """Ask, and hear what comes unasked. One exchange at a time; the caller holds the lock.

    `strays` are whole frames that nobody asked for, `stray_bytes` all such bytes. Transaction ids go on from `last_transaction`, so that
    two connections of one link do not repeat them: pymodbus would begin anew at 1, and believe a late answer to an older 1.
    """

    def __init__(self, transport: Transport, timeout_ms: float, last_transaction: int) -> None:
        self.strays: list[Frame] = []
        self.stray_bytes = 0
        self._timeout_s = timeout_ms / 1000
        self._framing = framing_of(transport)
        self._is_asking = False
        self._buffer_bytes = 0
        self._first_transaction = last_transaction
        self._transport = transport
        self._client: Client | None = None

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.connected

    @property
    def last_transaction(self) -> int:
        return self._client.ctx.next_tid if self._client else self._first_transaction

    async def open(self) -> None:
        """Raises `UnableToConnect`."""
        try:
            connect_s = max(self._timeout_s, SHORTEST_CONNECT_MS / 1000)
            self._client = client_for(self._transport, connect_s, self._note_bytes, self._note_frame)
            is_open = await self._client.connect()
        except (OSError, RuntimeError, ValueError) as why:  # a certificate file, or a port that pyserial does not like
            raise UnableToConnect(f"{name_of(self._transport)}: {why}") from why
        if not is_open:
            raise UnableToConnect(f"{name_of(self._transport)}: refused or silent")
        self._client.ctx.next_tid = self._first_transaction

    def close(self) -> None:
        if self._client:
            with suppress(OSError):  # a serial adapter that was pulled out
                self._client.close()

    async def exchange(self, unit: int, span: Span) -> Frame:
        """One request and the first frame that pymodbus takes for its answer. Raises `TimeoutError` and `UnableToExchange`."""
        assert self._client is not None, "open first"
        read = {3: self._client.read_holding_registers, 4: self._client.read_input_registers}[span.function]
        self._is_asking = True
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await read(span.address, count=span.count, device_id=unit)
        except (ModbusException, OSError) as why:
            if isinstance(why, TimeoutError):
                raise
            raise UnableToExchange(str(why)) from why
        finally:
            self._is_asking = False
        return self._frame_of(answer, self._buffer_bytes)

    def _frame_of(self, answer: ModbusPDU, buffer_bytes: int = 0) -> Frame:
        words = tuple(answer.registers)
        overhead = 5 if self._framing is Framing.RTU else 9
        size = overhead + (0 if answer.isError() else 2 * len(words))
        return Frame(
            answer.dev_id,
            answer.function_code & 0x7F,
            answer.exception_code if answer.isError() else 0,
            answer.transaction_id,
            words,
            max(buffer_bytes - size, 0),
        )

    def _note_bytes(self, is_sending: bool, data: bytes) -> bytes:
        """`data` is all that pymodbus has not yet cut into frames."""
        if is_sending:
            return data
        if self._is_asking:
            self._buffer_bytes = len(data)
        else:
            self.stray_bytes += len(data)
        return data

    def _note_frame(self, is_sending: bool, answer: ModbusPDU) -> ModbusPDU:
        if is_sending:
            return answer
        if self._is_asking:
            self._is_asking = False  # here, not when the task wakes: what comes in between is no part of the answer
        else:
            self.strays.append(self._frame_of(answer))
        return answer
