"""state/grid.py, and the time of state/channel.py: slots and windows in and out of milliseconds."""

from state.columnar.layout import Row
from state.compiling import compiled_inside


@compiled_inside
def slot_of(channel: Row, instant_ms: int) -> int:
    """The native slot that contains an instant."""
    return (instant_ms - channel.anchor_ms) // channel.native_ms


@compiled_inside
def start_ms(channel: Row, slot: int) -> int:
    """A native slot's first instant."""
    return slot * channel.native_ms + channel.anchor_ms


@compiled_inside
def window_at(channel: Row, instant_ms: int) -> int:
    """The window that contains an instant."""
    return (instant_ms - channel.window_anchor_ms) // channel.window_ms


@compiled_inside
def window_start_ms(channel: Row, window: int) -> int:
    """A window's first instant."""
    return window * channel.window_ms + channel.window_anchor_ms


@compiled_inside
def floor_to_window(channel: Row, instant_ms: int) -> int:
    """The latest instant at or before this one at which W may stand."""
    return window_start_ms(channel, window_at(channel, instant_ms))
