"""Who may be told complete through when.

A read taken at boundary B closes the interval that ended there. Before it is delivered, the device is complete only through the
boundary before B: else the fold would close an interval whose read is on its way. When nothing waits, it is complete through the last
boundary at which it was asked, answered or not: whatever was not read then will never come.

The name of an exchanged meter stays complete through what was asked of it before: what the new one meters goes by another name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

AHEAD_MS: Final = 300_000
"""A stamp further ahead of the clock than this was made by a clock that was wrong. The fold refuses such heartbeats, too."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What is known of a device. `polled_ms`: its last boundary; `sent_ms`: through when it was said to be complete, with number `beat`."""

    device: str
    polled_ms: int | None = None
    sent_ms: int | None = None
    beat: int = 0
    is_exchanged: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A device's "complete through this instant, sequence N"."""

    device: str
    complete_through_ms: int
    sequence: int


def polled(state: DeviceState, boundary_ms: int, now_ms: int, was_exchanged: bool, was_read: bool) -> DeviceState:
    """After a cycle that asked the device. `was_read`: it answered under this name; `was_exchanged`: another meter did.

    A boundary never falls, unless the one before was of a clock that ran ahead.
    """
    is_exchanged = was_exchanged or (state.is_exchanged and not was_read)
    if is_exchanged:
        return replace(state, is_exchanged=True)
    is_later = state.polled_ms is None or boundary_ms > state.polled_ms or state.polled_ms > now_ms + AHEAD_MS
    return replace(state, polled_ms=boundary_ms if is_later else state.polled_ms, is_exchanged=False)


def complete_through(state: DeviceState, oldest_waiting_ms: int | None) -> int | None:
    """`oldest_waiting_ms`: the start of the oldest interval whose read, or whose gap, is not delivered. None: nothing can be said."""
    if state.polled_ms is None or oldest_waiting_ms is None:
        return state.polled_ms
    return min(state.polled_ms, oldest_waiting_ms)


def due(
    states: Iterable[DeviceState], oldest_waiting_ms: Mapping[str, int], floor: int, now_ms: int
) -> list[Heartbeat]:
    """What is to be said now: only what rises. `floor` is the least sequence number (it leaps when a file was lost)."""
    found = []
    for state in states:
        through_ms = complete_through(state, oldest_waiting_ms.get(state.device))
        if through_ms is None or through_ms > now_ms + AHEAD_MS:
            continue
        was_ahead = state.sent_ms is not None and state.sent_ms > now_ms + AHEAD_MS
        if state.sent_ms is None or through_ms > state.sent_ms or was_ahead:
            found.append(Heartbeat(state.device, through_ms, max(state.beat + 1, floor)))
    return found


def sent(state: DeviceState, heartbeat: Heartbeat) -> DeviceState:
    """After the heartbeat stands in the log."""
    return replace(state, sent_ms=heartbeat.complete_through_ms, beat=heartbeat.sequence)
