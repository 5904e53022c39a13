"""A line as a person types it: `tcp://host:port`, `rtu://host:port`, or a serial port such as `/dev/ttyUSB0?baud=19200&parity=E`."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from edge_collector.transport import Framing, Network, SerialLine, Transport

MODBUS_PORT: Final = 502
FORMS: Final = (
    "tcp://HOST[:PORT], rtu://HOST:PORT (RTU over TCP), or a port such as /dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
)
_PARITIES: Final = ("N", "E", "O")


class UnableToAddress(ValueError):
    """The text is no line; the message says what is."""


def line_at(text: str) -> Transport:
    """The transport that an address names. Raises UnableToAddress."""
    parts = urlsplit(text)
    if parts.scheme in ("tcp", "rtu"):
        return _network(text)
    if parts.scheme or not parts.path:
        raise UnableToAddress(f"{text!r} is no line: give {FORMS}")
    return _serial(text)


def _network(text: str) -> Network:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise UnableToAddress(f"{text!r}: the port is a number up to 65535") from None
    framing = Framing.RTU if parts.scheme == "rtu" else Framing.MBAP
    if not parts.hostname or (port is None and framing is Framing.RTU):
        raise UnableToAddress(f"{text!r} lacks a {'port' if parts.hostname else 'host'}: give {FORMS}")
    return Network(parts.hostname, port or MODBUS_PORT, framing)


def _serial(text: str) -> SerialLine:
    parts = urlsplit(text)
    given = dict(parse_qsl(parts.query))
    unknown = given.keys() - {"baud", "parity", "stopbits"}
    baud, parity, stopbits = given.get("baud", "9600"), given.get("parity", "N"), given.get("stopbits", "1")
    if unknown or not baud.isdecimal() or parity not in _PARITIES or stopbits not in ("1", "2"):
        raise UnableToAddress(f"{text!r}: after the ? may stand baud=NUMBER, parity=N, E or O, and stopbits=1 or 2")
    return SerialLine(parts.path, int(baud), parity, int(stopbits))
