"""In which order devices are restated, so that nobody sees a state on the way that never was.

Two things can go wrong between the old state and the new. The fold refuses a configuration whole when its spans overlap those of another
device: so a device comes after those that make room for it. And ingest reads a changed assignment with the configuration it still has: so a
device that moves to another supply point first gives up what it does not keep, in a version of its own. That step also undoes the knot of
two meters that were mixed up, each restated onto the other's channel.

Steps come in waves. Raw partitions have no order among each other but the flush: a wave must be flushed before the next is appended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from meterfold.portfolio.feeds import Feed, feeds_of_body
from meterfold.portfolio.records import Body
from meterfold.portfolio.spans import Span, closed, common, open_end, shared

_SAME_ROW: Final = ("supply_point", "register", "channel", "role")


@dataclass(frozen=True, slots=True)
class Step:
    """A device goes from one body (None: unknown, or it is new) to the next, as a version of its raw records."""

    device: str
    version: int
    before: Body | None
    after: Body


def sequence(old: Mapping[str, Body], new: Mapping[str, Body], versions: Mapping[str, int]) -> list[list[Step]]:
    """Waves of steps from `old` (every device in force) to `new` (those added or changed).

    `versions` are the last ones used. Ties are broken by id, so the result is a function of its arguments.
    """
    current, last = dict(old), dict(versions)
    feeding = _Feeding(feed for device, body in old.items() for feed in feeds_of_body(device, body))
    pending = sorted(new)
    waves: list[list[Step]] = []
    while pending:
        ready = [
            item for item in pending if not _moves(current.get(item), new[item]) and not feeding.blocks(item, new[item])
        ]
        to = {item: new[item] for item in ready} or _closings(current, {item: new[item] for item in pending})
        wave = []
        for device, body in to.items():
            last[device] = last.get(device, 0) + 1
            wave.append(Step(device, last[device], current.get(device), body))
        for step in wave:
            current[step.device] = step.after
            feeding.replace(step.device, step.after)
        pending = [item for item in pending if item not in ready]
        waves.append(wave)
    return waves


def _moves(old: Body | None, new: Body) -> bool:
    """Whether a register that fed one supply point would, for a moment, be seen by another."""
    return old is not None and any(
        row["supply_point"] != item["supply_point"] and common(_span(row), _span(item))
        for row in old["registers"]
        for item in new["assignments"]
    )


def _closings(current: Mapping[str, Body], pending: Mapping[str, Body]) -> dict[str, Body]:
    """What is to be given up first: by every device that moves; if none does, by the first that can give anything up."""
    closings = {
        device: _kept(current[device], body) for device, body in pending.items() if _moves(current.get(device), body)
    }
    for device, body in pending.items():
        if closings:
            break
        if device in current and (kept := _kept(current[device], body)) != current[device]:
            closings[device] = kept
    assert closings, "two devices of the new state feed one channel at the same time"
    return closings


class _Feeding:
    """Who feeds each channel when, at one point of the sequence."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._spans: dict[tuple[str, str], dict[str, list[Span]]] = defaultdict(dict)
        self._channels: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._add(feeds)

    def _add(self, feeds: Iterable[Feed]) -> None:
        for feed in feeds:
            self._spans[feed[:2]].setdefault(feed.device, []).append(feed.span)
            self._channels[feed.device].add(feed[:2])

    def blocks(self, device: str, body: Body) -> bool:
        """Whether another device feeds one of the body's channels at the same time."""
        return any(
            common(feed.span, span)
            for feed in feeds_of_body(device, body)
            for other, spans in self._spans[feed[:2]].items()
            if other != device
            for span in spans
        )

    def replace(self, device: str, body: Body) -> None:
        """The device now feeds what its body says and nothing else."""
        for channel in self._channels.pop(device, ()):
            self._spans[channel].pop(device, None)
        self._add(feeds_of_body(device, body))


def _kept(old: Body, new: Body) -> Body:
    """The old body cut to what the new one has too."""
    assignments = [
        {**row, "from_ms": start, "to_ms": open_end(end)}
        for row in old["assignments"]
        for start, end in _in_both(row, new["assignments"], ("supply_point",))
    ]
    registers = [
        {**row, "from_ms": start, "to_ms": open_end(end)}
        for row in old["registers"]
        for start, end in _in_both(row, new["registers"], _SAME_ROW)
    ]
    return {
        **old,
        "assignments": assignments,
        "registers": registers,
        "channels": fed_channels(old["channels"], registers),
    }


def _in_both(row: Mapping[str, Any], others: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> list[Span]:
    return shared([_span(row)], (_span(other) for other in others if all(other[key] == row[key] for key in keys)))


def _span(row: Mapping[str, Any]) -> Span:
    return closed(row["from_ms"], row["to_ms"])


def fed_channels(channels: list[Body], registers: list[Body]) -> list[Body]:
    """The channels that at least one register row feeds."""
    fed = {(row["supply_point"], row["channel"]) for row in registers}
    return [item for item in channels if (item["supply_point"], item["channel"]) in fed]


def exchanged(old: Mapping[str, Body], new: Mapping[str, Body]) -> set[str]:
    """Devices of a meter exchange: in this change one stops feeding a channel, and another begins to feed it at that instant or later."""
    ends_before, ends_after = _last_ends(old), _last_ends(new)
    begun = _beginnings(new) - _beginnings(old)
    devices: set[str] = set()
    for (device, channel), end in ends_after.items():
        if end < ends_before.get((device, channel), end):
            followers = {
                other for other, there, start in begun if there == channel and start >= end and other != device
            }
            devices |= {device, *followers} if followers else set()
    return devices


def _last_ends(bodies: Mapping[str, Body]) -> dict[tuple[str, tuple[str, str]], int]:
    """The end of the last feed, by (device, (supply point, channel))."""
    ends: dict[tuple[str, tuple[str, str]], int] = {}
    for device, body in bodies.items():
        for feed in feeds_of_body(device, body):
            key = (device, (feed.supply_point, feed.channel))
            ends[key] = max(ends.get(key, feed.span[1]), feed.span[1])
    return ends


def _beginnings(bodies: Mapping[str, Body]) -> set[tuple[str, tuple[str, str], int]]:
    """(device, (supply point, channel), start) of every feed."""
    return {
        (device, (feed.supply_point, feed.channel), feed.span[0])
        for device, body in bodies.items()
        for feed in feeds_of_body(device, body)
    }
