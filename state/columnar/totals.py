"""state/totals.py: register totals become intervals, each slot what the segments over it metered."""

from state.codes import ACTUAL, CALCULATED, ESTIMATED, INTERPOLATED, NONE, REGISTER_BRACKETED, SOURCE
from state.columnar.channel import put, slot_at
from state.columnar.exact import part
from state.columnar.grid import start_ms
from state.columnar.layout import Held, Row, World
from state.columnar.registers import ODD_PAIR, position, read_at, total_between
from state.compiling import compiled_inside
from state.registers import GOOD

COVERED, NOT_COVERED, UNCLEAR = range(3)
"""Whether the segments cover a slot without a hole; UNCLEAR: that is for the scalar step to say."""

_VALUES_AT = 8_192
"""Where derived values lie in the scratch: quantity, quality and method (0: none) of each slot."""
MOST_SLOTS = 1_000
"""As many slots as one read may change here."""
TOUCHED_AT = _VALUES_AT + 3 * MOST_SLOTS
"""Where the slots lie that were touched: slot, and the quantity, quality and evidence that it held before."""


@compiled_inside
def derive(world: World, lane: Row, channel: Row, number: int, slot: int) -> tuple[int, int, int, int]:
    """(COVERED or not, quantity, quality, method) that the lane's stream gives a slot of channel `number`."""
    stream = world.streams[lane.stream]
    begin_ms, end_ms = start_ms(channel, slot), start_ms(channel, slot + 1)
    at = position(world, stream, begin_ms + 1) - 1
    while at >= 0 and read_at(world, stream, at).state != GOOD:
        at -= 1
    if at < 0:
        return NOT_COVERED, 0, 0, 0
    total, geometry, method, reads = 0, ACTUAL, NONE, ACTUAL
    good = read_at(world, stream, at)
    while good.at_ms < end_ms:
        at += 1
        while at < stream.size and read_at(world, stream, at).state != GOOD:
            at += 1
        if at == stream.size:
            return NOT_COVERED, 0, 0, 0
        read = read_at(world, stream, at)
        total_nano, span = total_between(world, lane, good, read)
        if total_nano == ODD_PAIR:
            return UNCLEAR, 0, 0, 0
        if span < 0 or world.registers[span].is_totals == 0 or world.registers[span].channel != number:
            return NOT_COVERED, 0, 0, 0
        duration_ms = read.at_ms - good.at_ms
        low_ms, high_ms = max(begin_ms, good.at_ms), min(end_ms, read.at_ms)
        total += part(total_nano, high_ms - good.at_ms, duration_ms) - part(
            total_nano, low_ms - good.at_ms, duration_ms
        )
        if abs(total) > channel.most_nano:
            return UNCLEAR, 0, 0, 0
        reads = min(reads, min(good.quality, read.quality))
        if not (begin_ms <= good.at_ms and read.at_ms <= end_ms):
            if duration_ms > channel.interpolate_ms:
                geometry, method = ESTIMATED, REGISTER_BRACKETED
            elif geometry == ACTUAL:
                geometry, method = CALCULATED, INTERPOLATED
        good = read
    if reads < geometry:
        return COVERED, total, reads, SOURCE
    return COVERED, total, geometry, method


@compiled_inside
def derive_slots(world: World, lane: Row, number: int, first: int, end: int) -> bool:
    """Work out what the stream says of the slots [first, end), at most MOST_SLOTS; False: the scalar step must."""
    channel = world.channels[number]
    for slot in range(first, end):
        coverage, quantity_nano, quality, method = derive(world, lane, channel, number, slot)
        if coverage == UNCLEAR:
            return False
        if coverage == NOT_COVERED or _device_expecting(world, channel, slot) < 0:
            quality = 0
            if slot_at(world, channel, slot).evidence != 0:
                return False
        at = _VALUES_AT + 3 * (slot - first)
        world.scratch[at] = quantity_nano
        world.scratch[at + 1] = quality
        world.scratch[at + 2] = method
    return True


@compiled_inside
def place_slots(world: World, number: int, first: int, end: int) -> int:
    """Bring the slots to what was worked out; returns how many were touched."""
    channel = world.channels[number]
    touched = 0
    for slot in range(first, end):
        at = _VALUES_AT + 3 * (slot - first)
        quantity_nano, quality, method = world.scratch[at], world.scratch[at + 1], world.scratch[at + 2]
        if quality == 0:
            continue
        held = slot_at(world, channel, slot)
        if held.evidence != 1 or held.quantity_nano != quantity_nano or held.quality != quality:
            to = TOUCHED_AT + 4 * touched
            world.scratch[to] = slot
            world.scratch[to + 1] = held.quantity_nano
            world.scratch[to + 2] = held.quality
            world.scratch[to + 3] = held.evidence
            touched += 1
        device = _device_expecting(world, channel, slot)
        put(world, channel, slot, Held(quantity_nano, 0, device, quality, method, 0, 1))
    return touched


@compiled_inside
def _device_expecting(world: World, channel: Row, slot: int) -> int:
    """The number of the device that is expected to fill a slot; -1: none."""
    begin_ms = start_ms(channel, slot)
    for at in range(channel.spans_at, channel.spans_at + channel.spans_number):
        if world.spans[at].from_ms <= begin_ms < world.spans[at].to_ms:
            return world.spans[at].device
    return -1
