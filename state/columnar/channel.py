"""state/channel.py: what a channel expects, and its watermark."""

from state.codes import AHEAD_MS
from state.columnar.grid import floor_to_window, slot_of, start_ms, window_at
from state.columnar.layout import Held, Records, Ring, Row, World
from state.columnar.ring_pages import contents, forget, standing, tidy
from state.columnar.ring_pages import put as put_contents
from state.columnar.ring_pages import stand as stand_at
from state.compiling import compiled_in_place, compiled_inside


@compiled_in_place
def is_expected_at(spans: Records, channel: Row, instant_ms: int) -> bool:
    """True if a span of the channel contains an instant."""
    for at in range(channel.spans_at, channel.spans_at + channel.spans_number):
        if spans[at].from_ms <= instant_ms < spans[at].to_ms:
            return True
    return False


@compiled_in_place
def expects(spans: Records, channel: Row, slot: int) -> bool:
    """True if the slot's start lies in a span."""
    return is_expected_at(spans, channel, start_ms(channel, slot))


@compiled_in_place
def slots_of(channel: Row) -> Ring:
    """The channel's ring of slots."""
    return Ring(channel.slots_at, channel.slots_length, channel.page_shift)


@compiled_in_place
def windows_of(channel: Row) -> Ring:
    """The channel's ring of windows, where they are not the slots."""
    return Ring(channel.windows_at, channel.windows_length, channel.page_shift)


@compiled_in_place
def slot_at(world: World, channel: Row, slot: int) -> Held:
    """A remembered slot."""
    return contents(world.rings, slots_of(channel), slot % channel.slots_length)


@compiled_in_place
def put(world: World, channel: Row, slot: int, written: Held) -> None:
    """Write a slot."""
    put_contents(world.rings, slots_of(channel), slot % channel.slots_length, written)


@compiled_in_place
def standing_of(world: World, channel: Row, window: int) -> tuple[int, int]:
    """(quantity last emitted, how often) of a remembered window."""
    position = window % channel.windows_length
    if channel.windows_at < 0:
        return standing(world.rings, slots_of(channel), position)
    as_slot = contents(world.rings, windows_of(channel), position)
    return as_slot.quantity_nano, as_slot.version


@compiled_in_place
def stand(world: World, channel: Row, window: int, standing_nano: int, emitted: int) -> None:
    """Note what has been emitted."""
    position = window % channel.windows_length
    if channel.windows_at < 0:
        stand_at(world.rings, slots_of(channel), position, standing_nano, emitted)
    else:
        put_contents(world.rings, windows_of(channel), position, Held(standing_nano, emitted, 0, 0, 0, 0, 0))


@compiled_inside
def holds(world: World, channel: Row, slot: int, better_than: int) -> bool:
    """True if the slot may be referred to and holds evidence of a quality better than the given one."""
    if slot < channel.reference_slot or start_ms(channel, slot) >= channel.watermark_ms + AHEAD_MS:
        return False
    held = slot_at(world, channel, slot)
    return held.evidence != 0 and held.quality > better_than


@compiled_in_place
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
        forget(world.rings, slots_of(channel), channel.base_slot, base_slot)
        if channel.windows_at >= 0:
            first, end = window_at(channel, channel.base_ms), window_at(channel, base_ms)
            forget(world.rings, windows_of(channel), first, end)
        if base_slot >> channel.page_shift != channel.base_slot >> channel.page_shift:
            _tidy(world, channel)
    channel.base_ms = base_ms
    channel.base_slot = base_slot


@compiled_inside
def _tidy(world: World, channel: Row) -> None:
    """Have no page take more memory than it needs to."""
    tidy(world.rings, slots_of(channel))
    if channel.windows_at >= 0:
        tidy(world.rings, windows_of(channel))
