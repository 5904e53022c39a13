"""Reads at the very edges: of the horizon, of the ring ahead, of receipt, and of what a register can have advanced."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation import people
from tests.simulation.interval_meters import IntervalMeter
from tests.simulation.oracle.model import RING_MS, TOLERANCE_MS
from tests.simulation.portfolio import HOUR_MS
from tests.simulation.register_meters import RegisterMeter
from tests.simulation.script import Log

Action = Callable[[Log, int], None]


def probe_intervals(meter: IntervalMeter) -> None:
    """Some reads whose end is as far ahead of receipt as it may be, or 1 ms more; and the edges of what is remembered."""
    script = meter.script
    for _ in range(3):
        slot = script.rng.choice(meter.slots)
        end = meter.channel.grid.after(slot)
        meter.send(slot, [meter.readings[slot][0]], end - TOLERANCE_MS - script.rng.randrange(2))
    for at in range(script.start + 12 * HOUR_MS, script.end, 12 * HOUR_MS):
        script.do(at, meter.device.partition, _edge_interval(meter))


def _edge_interval(meter: IntervalMeter) -> Action:
    rng = meter.script.rng

    def action(log: Log, received: int) -> None:
        channel = people.known_channel(log.oracle, meter.channel)
        if channel is None or channel.base is None or channel.watermark is None:
            return
        ahead = channel.slots.ceiling(channel.watermark + RING_MS)
        slot = channel.slots.after(channel.base, rng.choice([-1, 0]))
        if channel.slots.after(ahead) <= received:
            slot = channel.slots.after(ahead, rng.choice([-1, 0]))
        elif rng.random() < 0.8:
            return
        quality, version = rng.choice(["ACTUAL", "ESTIMATED"]), rng.choice([1, 2])
        body = meter.body(slot, [meter.channel.scale // 2], quality=quality, version=version)
        log.append(meter.device.partition, body, received)

    return action


def probe_register(meter: RegisterMeter, worth: int, most: int | None) -> None:
    """The same for a register; and advances that are just plausible, or just not, until a person refuses them."""
    script, rng = meter.script, meter.script.rng
    for _ in range(3):
        at = rng.choice(meter.instants)
        meter.send(at, meter.counts[at], at - TOLERANCE_MS - rng.randrange(2))
    for _ in range(4 if most is not None else 0):
        earlier, elapsed = rng.choice(meter.instants), 61_001
        limit = (most or 0) * elapsed // (worth * HOUR_MS) + 1
        count = meter.shown(meter.counts[earlier] + limit + rng.randrange(2))
        meter.send(earlier + elapsed, count, earlier + HOUR_MS // 2)
        refused = earlier + rng.randrange(HOUR_MS, 9 * HOUR_MS)
        people.refuse_read(script, meter.device, meter.channel, meter.register, earlier + elapsed, refused)
    for at in range(script.start + 12 * HOUR_MS, script.end, 12 * HOUR_MS):
        script.do(at, meter.device.partition, _edge_read(meter))


def _edge_read(meter: RegisterMeter) -> Action:
    rng = meter.script.rng

    def action(log: Log, received: int) -> None:
        channel = people.known_channel(log.oracle, meter.channel)
        if channel is None or channel.base is None or channel.watermark is None:
            return
        at = channel.base - rng.choice([0, 1])
        if channel.watermark + RING_MS + 1 <= received and not channel.is_spans:
            at = channel.watermark + RING_MS + rng.choice([0, 1])
        elif rng.random() < 0.8:
            return
        before = [instant for instant in meter.instants if instant <= at]
        count = meter.counts[before[-1]] if before else 0
        body = meter.body(at, count, quality=rng.choice(["ACTUAL", "ESTIMATED"]))
        log.append(meter.device.partition, body, received)

    return action
