"""Which register feeds which channel when: one at a time, and one channel at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

from meterfold.portfolio.calendar import iso_utc
from meterfold.portfolio.model import Device
from meterfold.portfolio.problem import Fault
from meterfold.portfolio.sections import Written
from meterfold.portfolio.spans import Span, closed, common

FEEDING: Final = frozenset({"intervals", "totals", "spans"})
"""Roles whose reads become a channel's quantity; a check register only watches."""


class Feed(NamedTuple):
    """One register that feeds one channel for a while."""

    supply_point: str
    channel: str
    device: str
    register: str
    span: Span


def feeds_of(devices: Iterable[Device]) -> list[Feed]:
    """Every span of a feeding role."""
    return [
        Feed(item.supply_point, item.channel, device.id, item.register, closed(item.from_ms, item.to_ms))
        for device in devices
        for item in device.registers
        if item.role in FEEDING
    ]


def feeds_of_body(device: str, body: Mapping[str, Any]) -> list[Feed]:
    """As `feeds_of`, from a device's body in the billing log."""
    return [
        Feed(row["supply_point"], row["channel"], device, row["register"], closed(row["from_ms"], row["to_ms"]))
        for row in body["registers"]
        if row["role"] in FEEDING
    ]


def clashes(feeds: Iterable[Feed]) -> list[tuple[Feed, Feed, Span]]:
    """Pairs that feed one channel at the same time, and when."""
    channels: dict[tuple[str, str], list[Feed]] = defaultdict(list)
    for feed in sorted(feeds):
        channels[feed[:2]].append(feed)
    pairs = (pair for listed in channels.values() for pair in combinations(listed, 2))
    return [(one, other, both) for one, other in pairs if (both := common(one.span, other.span))]


def check_feeds(written: Written, devices: dict[str, Device]) -> None:
    """No register twice at a time, no channel fed twice at a time."""
    for one, other, both in clashes(feeds_of(devices.values())):
        if (one.device, one.register) != (other.device, other.register):
            wrong = f"{one.device}/{one.register} feeds {one.supply_point}/{one.channel} too, from {iso_utc(both[0])}"
            do = "end one span where the other begins, or give the second a channel or the role check"
            written.add(
                (*written.path("devices", other.device), "registers", other.register), Fault("two_feeds", wrong, do)
            )
    for device in devices.values():
        for first, second in combinations(device.registers, 2):
            both_at = common(closed(first.from_ms, first.to_ms), closed(second.from_ms, second.to_ms))
            if first.register == second.register and both_at:
                path = (*written.path("devices", device.id), "registers", second.register)
                wrong = f"two spans of register {second.register} overlap from {iso_utc(both_at[0])}"
                written.add(path, Fault("register_overlap", wrong, "end one where the next begins"))
