"""Everything the fold remembers of one supply point."""

from collections.abc import Iterator
from typing import Any

from state.calendar import Calendar
from state.channel import NEVER, Channel
from state.configuration import INTERVALS, DeviceView, RegisterSpan
from state.hardening import rise
from state.registers import Stream
from state.tables import Tables
from state.unit import Unit


class SupplyPoint:
    """Devices, register streams and channels of one supply point.

    `complete_through`: per device the (sequence, instant) of its newest heartbeat. `restated`: per (channel, start, end)
    the (quantity, revision) that restatements beyond the horizon have left. `waiting`: per device
    the configuration record that overlaps another device's. `memory_days`: see `Channel`; 0 for the horizon.
    """

    __slots__ = (
        "channels",
        "complete_through",
        "edition",
        "memory_days",
        "name",
        "restated",
        "streams",
        "tables",
        "views",
        "waiting",
    )

    def __init__(self, name: str, tables: Tables, memory_days: int = 0) -> None:
        self.name = name
        self.tables = tables
        self.memory_days = memory_days
        self.edition = 0
        """Rises with every configuration that is put in force."""
        self.views: dict[str, DeviceView] = {}
        self.waiting: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, Channel] = {}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.complete_through: dict[str, tuple[int, int]] = {}
        self.restated: dict[tuple[str, int, int], tuple[int, int]] = {}

    @property
    def site(self) -> set[str]:
        """The sites that its channels name in their calendars."""
        return {channel.definition.calendar.site for channel in self.channels.values()}

    def all_spans(self) -> Iterator[RegisterSpan]:
        """The register spans of all devices."""
        for device in sorted(self.views):
            yield from self.views[device].spans

    def span_for(self, device: str, register: str, at_ms: int, roles: frozenset[str]) -> RegisterSpan | None:
        """The span of a device's register that contains an instant, in one of the roles."""
        view = self.views.get(device)
        if view is None:
            return None
        return next((s for s in view.spans if s.register == register and s.role in roles and s.covers(at_ms)), None)

    def calendar_of(self, device: str, register: str) -> Calendar | None:
        """The local days by which a list of LOCAL_DAY intervals goes on: those of the channel that the register feeds."""
        view = self.views.get(device)
        spans = [s for s in view.spans if s.register == register and s.role == INTERVALS] if view is not None else []
        return self.channels[spans[0].channel].definition.calendar if spans else None

    def stream(self, device: str, register: str) -> Stream:
        """The stream of a register, made at its first use."""
        key = (device, register)
        if key not in self.streams:
            self.streams[key] = Stream(device, register, self.tables)
        return self.streams[key]

    def streams_of(self, channel: Channel) -> list[Stream]:
        """The streams that feed or check a channel, by device and register."""
        name = channel.definition.channel
        return [self.streams[key] for key in sorted(self.streams) if self.streams[key].feeds(name)]

    def complete_through_of(self, channel: Channel) -> int | None:
        """What the channel's current device vouches for; None if it never sent a heartbeat."""
        heartbeat = self.complete_through.get(channel.current_device() or "")
        return None if heartbeat is None else heartbeat[1]

    def follow(self, channel: Channel, hardened_by: str, unit: Unit) -> None:
        """Raise W to its target: min(latest accepted end − allowance, complete-through of the current device)."""
        if channel.latest_end_ms == NEVER:
            return
        target_ms = channel.latest_end_ms - channel.definition.allowance_s * 1000
        complete_ms = self.complete_through_of(channel)
        if complete_ms is not None:
            target_ms = min(target_ms, complete_ms)
        if target_ms > channel.watermark_ms:
            rise(channel, target_ms, self.streams_of(channel), hardened_by, unit)

    def make_room(self, channel: Channel, start_ms: int, unit: Unit, *, may_move: bool) -> bool:
        """Move W so that an instant ahead of what is remembered fits; False if nothing allows that."""
        if start_ms < channel.ahead_ms:
            return True
        target_ms = channel.end_of_window_at(start_ms - (channel.ahead_ms - channel.watermark_ms))
        complete_ms = self.complete_through_of(channel)
        if not may_move or (complete_ms is not None and complete_ms < target_ms):
            return False
        rise(channel, target_ms, self.streams_of(channel), unit.cause, unit)
        return True
