"""The transport of a link in `site.toml`: which keys go with which kind."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from edge_collector.site_table import SiteTable
from edge_collector.transport import Framing, Network, SerialLine, TlsFiles, Transport


class TransportKind(StrEnum):
    """What `transport` may be."""

    TCP = "tcp"
    TLS = "tls"
    RTU_OVER_TCP = "rtu-over-tcp"
    SERIAL = "serial"


class Parity(StrEnum):
    """What `parity` may be."""

    NONE = "N"
    EVEN = "E"
    ODD = "O"


_NETWORK: Final = ("host", "port")
_TLS: Final = ("authority", "certificate", "key", "check_name")
_SERIAL: Final = ("device", "baud", "parity", "stopbits")
_KEYS: Final = {
    TransportKind.TCP: _NETWORK,
    TransportKind.TLS: (*_NETWORK, *_TLS),
    TransportKind.RTU_OVER_TCP: _NETWORK,
    TransportKind.SERIAL: _SERIAL,
}
TRANSPORT_KEYS: Final = ("transport", *_NETWORK, *_TLS, *_SERIAL)

_PORTS: Final = {TransportKind.TCP: 502, TransportKind.TLS: 802}
"""As registered for Modbus. RTU over TCP has none, so a site must give it."""


def transport_of(table: SiteTable, directory: Path) -> Transport | None:
    """Null when a fault was noted."""
    kind = table.choice("transport", TransportKind)
    if kind is None:
        return None
    for key in TRANSPORT_KEYS[1:]:
        if table.has(key) and key not in _KEYS[kind]:
            table.fault(key, f"does not go with transport {kind}", "take it out")
    return _serial(table) if kind is TransportKind.SERIAL else _network(table, kind, directory)


def _serial(table: SiteTable) -> SerialLine | None:
    device, baud = table.text("device"), table.number("baud", 300, 1_000_000, 9600)
    parity = table.choice("parity", Parity, default=Parity.NONE)
    stopbits = table.number("stopbits", 1, 2, 1)
    return SerialLine(device, baud, parity, stopbits) if device and parity else None


def _network(table: SiteTable, kind: TransportKind, directory: Path) -> Network | None:
    host = table.text("host")
    port = table.integer("port", 1, 65535, _PORTS[kind]) if kind in _PORTS else table.integer("port", 1, 65535)
    tls = _tls(table, directory) if kind is TransportKind.TLS else None
    if host is None or port is None or (kind is TransportKind.TLS and tls is None):
        return None
    return Network(host, port, Framing.RTU if kind is TransportKind.RTU_OVER_TCP else Framing.MBAP, tls)


def _tls(table: SiteTable, directory: Path) -> TlsFiles | None:
    authority, certificate, key = (_file(table, name, directory) for name in ("authority", "certificate", "key"))
    if not table.has("authority"):
        table.fault("authority", "is missing", "name the PEM file of whoever signed the gateway's certificate")
    if (certificate is None) != (key is None):
        table.fault("certificate", "and key go together", "give both or neither")
    return TlsFiles(authority, certificate, key, table.switch("check_name", True)) if authority else None


def _file(table: SiteTable, key: str, directory: Path) -> Path | None:
    name = table.name(key)
    if name is None:
        return None
    path = directory / name
    if not path.is_file():
        table.fault(key, f"{path} is no file", "correct the path; a relative one starts at the site file's directory")
    return path
