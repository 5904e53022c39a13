"""How a line of meters is reached, by TCP, TLS, RTU over TCP or serial; and the pymodbus client for it: no retries, no reconnecting."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.framer import FramerType
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import ModbusPDU

# Each failure is told by an exception of ours; pymodbus would say it again on standard error.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class Framing(StrEnum):
    """How frames are told apart: by a header with a transaction id, or by silence and checksum only."""

    MBAP = "mbap"
    RTU = "rtu"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. `authority` signs the gateway's certificate; `certificate` and `key` are ours where it wants to know us."""

    authority: Path
    certificate: Path | None = None
    key: Path | None = None
    check_name: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """A gateway or meter by address."""

    host: str
    port: int
    framing: Framing = Framing.MBAP
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A serial port of this machine, 8 data bits. `parity` is N, E or O."""

    device: str
    baud: int = 9600
    parity: str = "N"
    stopbits: int = 1


Transport = Network | SerialLine


def framing_of(transport: Transport) -> Framing:
    return transport.framing if isinstance(transport, Network) else Framing.RTU


Client = AsyncModbusTcpClient | AsyncModbusSerialClient

OnBytes = Callable[[bool, bytes], bytes]
"""Hears (is it sent?, bytes) and gives the bytes back."""

OnFrame = Callable[[bool, ModbusPDU], ModbusPDU]
"""Likewise, of frames."""


def client_for(transport: Transport, connect_s: float, on_bytes: OnBytes, on_frame: OnFrame) -> Client:
    """`connect_s` bounds the connecting; an answer's time is ours to bound, so pymodbus's own must not be shorter."""
    if isinstance(transport, SerialLine):
        return AsyncModbusSerialClient(
            transport.device,
            baudrate=transport.baud,
            parity=transport.parity,
            stopbits=transport.stopbits,
            timeout=connect_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=on_bytes,
            trace_pdu=on_frame,
        )
    if transport.tls:
        client = AsyncModbusTlsClient(
            transport.host,
            port=transport.port,
            sslctx=_context_of(transport.tls),
            timeout=connect_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=on_bytes,
            trace_pdu=on_frame,
        )
        # pymodbus's TLS framer takes any eight bytes for a whole frame; the header says how long it is, as on plain TCP.
        client.ctx.framer = FramerSocket(client.ctx.framer.decoder)
        return client
    return AsyncModbusTcpClient(
        transport.host,
        port=transport.port,
        framer=FramerType.RTU if transport.framing is Framing.RTU else FramerType.SOCKET,
        timeout=connect_s,
        retries=0,
        reconnect_delay=0,
        trace_packet=on_bytes,
        trace_pdu=on_frame,
    )


def _context_of(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=files.authority)
    context.check_hostname = files.check_name
    if files.certificate:
        context.load_cert_chain(files.certificate, files.key)
    return context


def name_of(transport: Transport) -> str:
    return f"{transport.host}:{transport.port}" if isinstance(transport, Network) else transport.device
