"""Lanes: where the intervals of one register go, and what makes them fit for array code."""

from typing import Final, NamedTuple

from state.channel import Channel
from state.codes import DAY_MS, HOUR_MS, QUANTITY_BOUND
from state.configuration import INTERVALS, RegisterSpan
from state.grid import FixedGrid
from state.rings import RingTable
from state.supply_point import SupplyPoint

NO_LIMIT: Final = 1 << 62


class Program(NamedTuple):
    """What channels that are judged together have in common: where their rings lie, their grids and their policy.

    Lengths and anchors are in ms; `zero_run` is a number of slots; None switches a check off.
    """

    slots: RingTable
    windows: RingTable
    native_ms: int
    anchor_ms: int
    window_ms: int
    window_anchor_ms: int
    memory_ms: int
    horizon_ms: int
    signed: bool
    spike_factor: int | None
    zero_run: int | None


class Lane(NamedTuple):
    """One register of one device feeding one channel.

    `most_delivered`: the bound of |delivered| that keeps the window's sum in its bound. `capacity_nano`: the most that a
    slot can plausibly hold, NO_LIMIT when unknown.
    """

    point: SupplyPoint
    channel: Channel
    span: RegisterSpan
    device_number: int
    most_delivered: int
    capacity_nano: int
    program: Program


def make_lane(point: SupplyPoint, device: str, register: str) -> Lane | None:
    """The lane of a register; None where its intervals are for the scalar step."""
    view = point.views.get(device)
    spans = [s for s in view.spans if s.register == register and s.role == INTERVALS] if view is not None else []
    if len(spans) != 1:
        return None
    (span,) = spans
    channel = point.channels[span.channel]
    definition = channel.definition
    native, windows, policy = definition.native, definition.windows, definition.policy
    factor = policy.spike_factor
    if not (isinstance(native, FixedGrid) and isinstance(windows, FixedGrid)) or (factor is not None and factor < 1):
        return None
    zero_run = None if policy.zero_run_s is None else max(policy.zero_run_s * 1000 // native.nominal_ms, 1)
    program = Program(
        slots=channel.slots.table, windows=channel.windows.table, native_ms=native.nominal_ms,
        anchor_ms=native.anchor_ms, window_ms=windows.nominal_ms, window_anchor_ms=windows.anchor_ms,
        memory_ms=channel.memory_days * DAY_MS, horizon_ms=definition.horizon_days * DAY_MS, signed=definition.signed,
        spike_factor=factor, zero_run=zero_run,
    )  # fmt: skip
    most, per_hour = (QUANTITY_BOUND - 1) // channel.most_slots // span.multiplier, span.max_nano_per_hour
    capacity = NO_LIMIT if per_hour is None else min(per_hour * native.nominal_ms // HOUR_MS, NO_LIMIT - 1)
    return Lane(point, channel, span, channel.device_number(device), most, capacity, program)


def is_clear(lane: Lane) -> bool:
    """True while no register stream feeds or checks the channel: those are for the scalar step."""
    streams = lane.point.streams
    return not streams or not (lane.channel.open_brackets or lane.point.streams_of(lane.channel))
