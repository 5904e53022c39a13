"""A site as `site.toml` says it: for who has scanned a line, or simulates one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_collector.transport import Framing, Network, Transport


class UnitText(NamedTuple):
    """One `[[links.units]]`; `registers` empty: those that the profile bills."""

    device: str
    unit: int
    profile: str
    serial: str | None = None
    registers: Sequence[str] = ()
    telemetry: bool = True


def site_text(collector: str, interval_s: int, data: Path, links: Iterable[str]) -> str:
    """A whole file: a collector that publishes into a data directory, with links as `link_text` gives them."""
    head = (
        f"collector = {_quoted(collector)}\n"
        f"interval_s = {interval_s}\n\n"
        '[outbox]\npath = "outbox.db"\n\n'
        f'[publish]\nkind = "file-log"\ndata = {_quoted(str(data))}\n'
    )
    return "\n".join([head, *links])


def link_text(
    name: str,
    transport: Transport,
    units: Iterable[UnitText],
    timing_ms: tuple[int, int] | None = None,
) -> str:
    """One `[[links]]`; `timing_ms`: (timeout, quiet), null: as by default. TLS files are left out."""
    lines = ["[[links]]", f"name = {_quoted(name)}", *_transport(transport)]
    if timing_ms is not None:
        lines += [f"timeout_ms = {timing_ms[0]}", f"quiet_ms = {timing_ms[1]}"]
    for device, unit, profile, serial, registers, telemetry in units:
        lines += [
            "",
            "[[links.units]]",
            f"device = {_quoted(device)}",
            f"unit = {unit}",
            f"profile = {_quoted(profile)}",
        ]
        if registers:
            lines.append(f"registers = [{', '.join(map(_quoted, registers))}]")
        if not telemetry:
            lines.append("telemetry = false")
        if serial is not None:
            lines.append(f"serial = {_quoted(serial)}")
    return "\n".join(lines) + "\n"


def _transport(transport: Transport) -> list[str]:
    if isinstance(transport, Network):
        kind = "tls" if transport.tls else "rtu-over-tcp" if transport.framing is Framing.RTU else "tcp"
        return [f'transport = "{kind}"', f"host = {_quoted(transport.host)}", f"port = {transport.port}"]
    return [
        'transport = "serial"',
        f"device = {_quoted(transport.device)}",
        f"baud = {transport.baud}",
        f'parity = "{transport.parity}"',
        f"stopbits = {transport.stopbits}",
    ]


def _quoted(text: str) -> str:
    """A basic TOML string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
