"""The intervals of a batch as columns: one position a unit, in the order of arrival within each channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from state.channel import Channel
from state.codes import ACTUAL, FUTURE_TOLERANCE_MS
from state.columnar.lanes import Lane, Program
from state.interval_list import spread_qualities
from state.supply_point import SupplyPoint
from state.unit import Step

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Steps:
    """What the units of one record have in common, a position a record."""

    steps: list[Step]
    lanes: list[Lane]
    lane: Ints
    """Of the record: position in `lanes`."""
    channels: list[tuple[SupplyPoint, Channel]]
    raw_partition: Ints
    raw_offset: Ints
    first_sub: Ints
    origin: Ints
    """(n, 3)."""
    received_ms: Ints
    known_at_ms: Ints
    curated_offset: Ints
    version: Ints
    curated_partition: int


@dataclass(slots=True)
class Units:
    """One position an interval, sorted by channel; `sound` says that rows 2 to 8 of the verdicts let it pass."""

    step: Ints
    at: Ints
    """Element of its record."""
    channel: Ints
    """Position in `Steps.channels`, ascending."""
    start_ms: Ints
    quantity: Ints
    version: Ints
    sound: Flags

    def __len__(self) -> int:
        return len(self.step)

    def take(self, positions: Ints) -> "Units":
        """The units at some positions."""
        return Units(
            self.step[positions], self.at[positions], self.channel[positions], self.start_ms[positions],
            self.quantity[positions], self.version[positions], self.sound[positions],
        )  # fmt: skip


def collect(program: Program, given: Sequence[tuple[Lane, Step]], curated_partition: int) -> tuple[Steps, Units]:
    """Records as columns; every lane is of the program."""
    lanes: dict[int, int] = {}
    channels: dict[int, int] = {}
    found: list[Lane] = []
    rows: list[tuple[int, ...]] = []
    flat: list[int | None] = []
    mixed: list[tuple[int, int, Step]] = []
    for lane, step in given:
        record = step.record
        number = lanes.setdefault(id(lane), len(lanes))
        if number == len(found):
            found.append(lane)
            channels.setdefault(id(lane.channel), len(channels))
        quantities = record["quantities_nano"]
        new = quantities[step.first_new :] if step.first_new else quantities
        raw, sub = record["raw"], record.get("sub") or 0
        origin = record.get("origin") or (raw[0], raw[1], sub)
        start_ms = record["start_ms"]
        fits = (
            record["unit"] == lane.channel.definition.unit
            and record["interval_s"] * 1000 == program.native_ms
            and (start_ms - program.anchor_ms) % program.native_ms == 0
        )
        if record.get("ranges"):
            mixed.append((len(flat), len(flat) + len(new), step))
        elif record["quality"] != "ACTUAL":
            fits = False
        rows.append(
            (number, start_ms, step.first_new, len(new), fits, raw[0], raw[1], sub, origin[0], origin[1], origin[2],
             record["received_ms"], step.known_at_ms, step.curated_offset, record["version"])
        )  # fmt: skip
        flat += new
    table = np.array(rows, np.int64).T
    number, start, first_new, length, fits_column = table[0], table[1], table[2], table[3], table[4] != 0
    steps = Steps(
        [step for _, step in given], found, number, _channels(found, channels), table[5], table[6], table[7],
        table[8:11].T, table[11], table[12], table[13], table[14], curated_partition,
    )  # fmt: skip
    delivered, is_number = _integers(flat)
    step_of = np.repeat(np.arange(len(rows)), length)
    at = np.arange(len(flat)) - np.repeat(np.cumsum(length) - length, length) + first_new[step_of]
    lane_of = number[step_of]
    start_ms = start[step_of] + at * program.native_ms
    end_ms = start_ms + program.native_ms
    lane_columns = np.array(
        [
            (channels[id(lane.channel)], lane.span.multiplier, lane.most_delivered, lane.span.from_ms, lane.span.to_ms)
            for lane in found
        ],
        np.int64,
    )
    channel, multiplier, most, from_ms, to_ms = lane_columns.T[:, lane_of]
    sound = fits_column[step_of] & is_number & (np.abs(delivered) <= most)
    sound &= (start_ms >= from_ms) & (end_ms <= to_ms)
    sound &= end_ms <= table[11][step_of] + FUTURE_TOLERANCE_MS
    for low, high, step in mixed:
        sound[low:high] &= np.array(spread_qualities(step.record)[step.first_new :]) == ACTUAL
    quantity = np.where(sound, delivered, 0) * multiplier
    units = Units(step_of, at, channel, start_ms, quantity, table[14][step_of], sound)
    order = np.argsort(channel, kind="stable")
    return steps, units if bool((np.diff(channel) >= 0).all()) else units.take(order)


def _channels(lanes: list[Lane], numbers: dict[int, int]) -> list[tuple[SupplyPoint, Channel]]:
    by_number = {numbers[id(lane.channel)]: (lane.point, lane.channel) for lane in lanes}
    return [by_number[number] for number in range(len(by_number))]


def _integers(values: list[Any]) -> tuple[Ints, Flags]:
    """Integers as an array, and where they are: null, and what no int64 holds, is 0 and False."""
    try:
        return np.array(values, np.int64), np.ones(len(values), bool)
    except (TypeError, OverflowError):
        fits = [value is not None and -(1 << 62) < value < 1 << 62 for value in values]
        return np.array([v if ok else 0 for v, ok in zip(values, fits, strict=True)], np.int64), np.array(fits, bool)
