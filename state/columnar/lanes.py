"""Lanes: where the intervals of each name go, and what compiled code must know of a channel's definition."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from state.calendar import Calendar
from state.channel import Channel
from state.codes import DAY_MS, HOUR_MS, QUANTITY_BOUND
from state.columnar.layout import CALENDAR, CLOCK, LANE, NO_LIMIT, REGISTER_SPAN, ROUTE, SPAN, Records, Rings, World
from state.columnar.rows import Vocabulary
from state.configuration import CHECK, INTERVALS, TOTALS, RegisterSpan
from state.fold import Fold
from state.grid import FixedGrid
from state.supply_point import SupplyPoint

Name = tuple[str, ...]
"""(supply point, device, register, unit) of a reading."""
_SCRATCH = 16_384


class Growing:
    """Records that are only added."""

    def __init__(self, kind: Any) -> None:
        self.rows: Records = np.zeros(64, kind)
        self.number = 0

    def add(self, rows: Sequence[Any]) -> int:
        """Append rows; returns the position of the first."""
        at = self.number
        while at + len(rows) > len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        for number, row in enumerate(rows):
            self.rows[at + number] = row
        self.number += len(rows)
        return at


class Lanes:
    """The lanes of a fold; everything here can be made again from the fold at any time."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._lanes, self._routes, self._spans = Growing(LANE), Growing(ROUTE), Growing(SPAN)
        self._registers = Growing(REGISTER_SPAN)
        self._calendars, self._clocks, self._holidays = Growing(CALENDAR), Growing(CLOCK), Growing(np.int64)
        self._calendar_numbers: dict[tuple[tuple[tuple[int, int], ...], tuple[int, ...]], int] = {}
        self._names: Sequence[Name] = ()
        self._of_point: dict[str, list[int]] = {}
        self._described: dict[str, tuple[int, int]] = {}
        self._scratch = np.zeros(_SCRATCH, np.int64)
        self.channels: list[tuple[str, str, str]] = []
        """(supply point, channel, unit) by the number of a channel."""
        self.vocabulary = Vocabulary()
        for point in fold.points.values():
            self._describe(point)

    def world(self) -> World:
        """The arrays as they are now."""
        tables = self._fold.tables
        return World(
            tables.channels, self._rings(), tables.streams, tables.reads, self._lanes.rows,
            self._routes.rows, self._registers.rows, self._spans.rows, self._calendars.rows, self._clocks.rows,
            self._holidays.rows, self._scratch,
        )  # fmt: skip

    def _rings(self) -> Rings:
        tables = self._fold.tables
        return Rings(tables.pages, tables.wide, tables.narrow, tables.cells_16, tables.odd, tables.pools)

    def learn(self, names: Sequence[Name]) -> None:
        """Make lanes for the names that are new; a name keeps its number for good."""
        self._names = names
        for number in range(self._lanes.number, len(names)):
            self._lanes.add([(0, 0, 0, -1, 0, 0)])
            self._of_point.setdefault(names[number][0], []).append(number)
            point = self._fold.points.get(names[number][0])
            if point is not None:
                self._make(point, number)

    def refresh(self, point_name: str) -> None:
        """Look again at a supply point that the scalar step may have changed."""
        point = self._fold.points.get(point_name)
        if point is None:
            return
        if self._describe(point):
            for number in self._of_point.get(point_name, ()):
                self._make(point, number)
        for channel in point.channels.values():
            self._note(point, channel)

    def is_compiled(self, channel: Channel) -> bool:
        """True if compiled code may raise a channel."""
        row = self._fold.tables.channels[channel.number]
        return bool(row["is_totals"] or (row["is_plain"] and not row["is_checked"]))

    def make_room(self, name: int) -> None:
        """Let the register of a name keep more reads."""
        point, device, register, _ = self._names[name]
        self._fold.points[point].streams[device, register].make_room()

    def _describe(self, point: SupplyPoint) -> bool:
        """Write down its channels' definitions, if they are not those written down before; True if so."""
        edition = (point.edition, len(point.streams))
        if self._described.get(point.name) == edition:
            return False
        self._described[point.name] = edition
        for channel in point.channels.values():
            self._describe_channel(point, channel)
            self._note(point, channel)
        return True

    def _describe_channel(self, point: SupplyPoint, channel: Channel) -> None:
        definition = channel.definition
        self.channels += [("", "", "")] * (channel.number + 1 - len(self.channels))
        self.channels[channel.number] = (point.name, definition.channel, definition.unit)
        row = self._fold.tables.channels[channel.number]
        native, windows, policy = definition.native, definition.windows, definition.policy
        is_fixed = isinstance(native, FixedGrid) and isinstance(windows, FixedGrid)
        feeding = {span.role for span in channel.feeding}
        watching = {
            span.role
            for stream in point.streams_of(channel)
            for span in stream.spans
            if span.channel == definition.channel
        }
        row["is_plain"] = is_fixed and definition.kind == INTERVALS and watching <= {CHECK}
        row["is_totals"] = is_fixed and definition.kind == TOTALS and feeding == {TOTALS} == watching
        row["is_checked"] = bool(watching)
        if not (isinstance(native, FixedGrid) and isinstance(windows, FixedGrid)):
            return
        spans = [
            (span.from_ms, span.to_ms, channel.device_number(span.device), _stream_number(point, span))
            for span in channel.feeding
        ]
        longest_s, zero_run_s = policy.interpolate_max_s, policy.zero_run_s
        for name, value in {
            "native_ms": native.nominal_ms, "anchor_ms": native.anchor_ms,
            "window_ms": windows.nominal_ms, "window_anchor_ms": windows.anchor_ms,
            "slots_per_window": windows.nominal_ms // native.nominal_ms, "slots_per_day": DAY_MS // native.nominal_ms,
            "allowance_ms": definition.allowance_s * 1000, "memory_ms": channel.memory_days * DAY_MS,
            "horizon_ms": definition.horizon_days * DAY_MS, "horizon_days": definition.horizon_days,
            "interpolate_slots": -1 if longest_s is None else longest_s * 1000 // native.nominal_ms,
            "interpolate_ms": (longest_s or 0) * 1000, "most_nano": (QUANTITY_BOUND - 1) // channel.most_slots,
            "like_days": policy.like_days or 0, "spike_factor": policy.spike_factor or 0,
            "zero_run": 0 if zero_run_s is None else max(zero_run_s * 1000 // native.nominal_ms, 1),
            "config_version": definition.config_version, "calendar": self._calendar(definition.calendar),
            "spans_at": self._spans.add(spans), "spans_number": len(spans), "signed": definition.signed,
        }.items():  # fmt: skip
            row[name] = value

    def _note(self, point: SupplyPoint, channel: Channel) -> None:
        """Write down what the scalar step may have changed of a channel besides its row."""
        complete_ms = point.complete_through_of(channel)
        row = self._fold.tables.channels[channel.number]
        row["complete_through_ms"] = NO_LIMIT if complete_ms is None else complete_ms
        row["has_brackets"] = bool(channel.open_brackets)

    def _calendar(self, calendar: Calendar) -> int:
        """The number of a calendar: one for all that say the same."""
        clock, holidays = tuple(calendar.clock()), tuple(calendar.holidays())
        number = self._calendar_numbers.get((clock, holidays))
        if number is None:
            row = (self._clocks.add(clock), len(clock), self._holidays.add(holidays), len(holidays))
            number = self._calendar_numbers[clock, holidays] = self._calendars.add([row])
        return number

    def _make(self, point: SupplyPoint, number: int) -> None:
        """The routes of one name, as its supply point is configured now."""
        _, device, register, unit = self._names[number]
        view = point.views.get(device)
        spans = [s for s in view.spans if s.register == register and s.role == INTERVALS] if view is not None else []
        routes = []
        for span in spans:
            channel = point.channels[span.channel]
            native_ms, per_hour = channel.definition.native.nominal_ms, span.max_nano_per_hour
            routes.append(
                (
                    span.from_ms, span.to_ms, channel.number, span.multiplier,
                    (QUANTITY_BOUND - 1) // channel.most_slots // span.multiplier,
                    NO_LIMIT if per_hour is None else min(per_hour * native_ms // HOUR_MS, NO_LIMIT - 1),
                    channel.device_number(device), channel.definition.unit == unit,
                )
            )  # fmt: skip
        stream = point.streams.get((device, register))
        registers = [self._register_span(point, span, unit) for span in stream.spans] if stream is not None else []
        self._lanes.rows[number] = (
            self._routes.add(routes), len(routes), bool(routes or registers), -1 if stream is None else stream.number,
            self._registers.add(registers), len(registers),
        )  # fmt: skip

    def _register_span(self, point: SupplyPoint, span: RegisterSpan, unit: str) -> tuple[int, ...]:
        channel, per_hour = point.channels[span.channel], span.max_nano_per_hour
        turn = None if span.digits is None else 10**span.digits
        return (
            span.from_ms, span.to_ms, channel.number, span.decimals, min(turn or QUANTITY_BOUND, QUANTITY_BOUND),
            turn if turn is not None and per_hour is not None else 0, span.nano_per_count,
            NO_LIMIT if per_hour is None else per_hour, span.role == TOTALS, channel.definition.unit == unit,
        )  # fmt: skip


def _stream_number(point: SupplyPoint, span: RegisterSpan) -> int:
    """The number of the register stream behind a span; -1: it delivers intervals."""
    stream = point.streams.get((span.device, span.register))
    return -1 if stream is None or span.role == INTERVALS else stream.number
