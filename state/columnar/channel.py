"""state/channel.py: what a channel expects, and its watermark."""

from state.codes import AHEAD_MS
from state.columnar.grid import floor_to_window, slot_of, start_ms, window_at
from state.columnar.layout import Records, Row, World
from state.compiling import compiled


@compiled
def is_expected_at(spans: Records, channel: Row, instant_ms: int) -> bool:
    """True if a span of the channel contains an instant."""
    for at in range(channel.spans_at, channel.spans_at + channel.spans_number):
        if spans[at].from_ms <= instant_ms < spans[at].to_ms:
            return True
    return False


@compiled
def expects(spans: Records, channel: Row, slot: int) -> bool:
    """True if the slot's start lies in a span."""
    return is_expected_at(spans, channel, start_ms(channel, slot))


@compiled
def slot_at(slots: Records, channel: Row, slot: int) -> Row:
    """A remembered slot."""
    return slots[channel.slots_at + slot % channel.slots_length]


@compiled
def holds(slots: Records, channel: Row, slot: int, better_than: int) -> bool:
    """True if the slot may be referred to and holds evidence of a quality better than the given one."""
    if slot < channel.reference_slot or start_ms(channel, slot) >= channel.watermark_ms + AHEAD_MS:
        return False
    held = slot_at(slots, channel, slot)
    return held.evidence != 0 and held.quality > better_than


@compiled
def put(
    held: Row, quantity_nano: int, quality: int, method: int, reason: int, evidence: int, version: int, device: int
) -> None:
    """Write a slot."""
    held.quantity_nano = quantity_nano
    held.version = version
    held.device = device
    held.quality = quality
    held.method = method
    held.reason = reason
    held.evidence = evidence


@compiled
def set_watermark(world: World, channel: Row, instant_ms: int) -> None:
    """Move W and the base with it; what falls before the base is forgotten."""
    if instant_ms == channel.watermark_ms + channel.window_ms:
        base_ms = channel.base_ms + channel.window_ms
        base_slot = channel.base_slot + channel.slots_per_window
        channel.reference_ms += channel.window_ms
        channel.reference_slot += channel.slots_per_window
    else:
        base_ms = floor_to_window(channel, instant_ms - channel.memory_ms)
        base_slot = slot_of(channel, base_ms)
        channel.reference_ms = floor_to_window(channel, instant_ms - channel.horizon_ms)
        channel.reference_slot = slot_of(channel, channel.reference_ms)
    channel.watermark_ms = instant_ms
    if base_slot > channel.base_slot:
        _forget_slots(world.slots, channel, base_slot)
        _forget_windows(world.windows, channel, base_ms)
    channel.base_ms = base_ms
    channel.base_slot = base_slot


@compiled
def _forget_slots(slots: Records, channel: Row, base_slot: int) -> None:
    for slot in range(max(channel.base_slot, base_slot - channel.slots_length), base_slot):
        put(slot_at(slots, channel, slot), 0, 0, 0, 0, 0, 0, 0)


@compiled
def _forget_windows(windows: Records, channel: Row, base_ms: int) -> None:
    end = window_at(channel, base_ms)
    for window in range(max(window_at(channel, channel.base_ms), end - channel.windows_length), end):
        forgotten = windows[channel.windows_at + window % channel.windows_length]
        forgotten.standing_nano = 0
        forgotten.emitted = 0
