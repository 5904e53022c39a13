"""The watermark: where it wants to be, and what happens as it rises (rules, sections 4 and 7)."""

from __future__ import annotations

from tests.simulation.oracle.brackets import complete
from tests.simulation.oracle.estimation import Estimator
from tests.simulation.oracle.model import RING_MS, Cause, Channel, Standing, SupplyPoint, is_firm
from tests.simulation.oracle.rows import Book, Unit
from tests.simulation.oracle.settle import Key, expected_slots, settle_one, summarise, window_of


def target_of(point: SupplyPoint, channel: Channel) -> int | None:
    """How far the channel may harden by what was read and what its current device vouches for."""
    if channel.latest_end is None:
        return None
    target = channel.latest_end - channel.definition.allowance_ms
    device = channel.current_device
    complete_through = point.device(device).complete_through if device is not None else None
    if complete_through is not None:
        target = min(target, complete_through)
    return channel.floor(target)


def advance(point: SupplyPoint, channel: Channel, cause: Cause, book: Book) -> None:
    """Harden up to the target, if it lies ahead."""
    target = target_of(point, channel)
    if target is not None:
        harden(point, channel, target, cause, book)


def note_end(channel: Channel, end: int) -> None:
    channel.latest_end = end if channel.latest_end is None else max(channel.latest_end, end)


def harden(point: SupplyPoint, channel: Channel, target: int, cause: Cause, book: Book) -> None:
    """Raise the watermark to the target, which lies on a window boundary (of spans: anywhere)."""
    if channel.watermark is None or target <= channel.watermark:
        return
    if channel.is_spans:
        _harden_spans(channel, target, cause, book)
        return
    holes: list[int] = []
    estimator = Estimator(point, channel, until=target)
    while channel.watermark < target:
        window = (channel.watermark, channel.windows.after(channel.watermark))
        holes += _harden_window(channel, window, estimator, cause, book)
    for start, end in stretches(channel, holes):
        book.finding("missing", "warn", cause.carrier, point.name, channel.name, "", (start, end))
    complete(point, channel, cause, book)


def _harden_window(channel: Channel, window: Key, estimator: Estimator, cause: Cause, book: Book) -> list[int]:
    """One window: its holes estimated, its determinant, the watermark at its end. Returns the holes."""
    slots = expected_slots(channel, window)
    holes = [slot for slot in slots if slot not in channel.values]
    estimates = {slot: estimator.estimate(slot) for slot in holes}
    channel.values.update(estimates)
    if slots:
        summary = summarise([channel.values[slot] for slot in slots])
        channel.standing[window] = Standing(0, summary)
        book.determinant(channel, window, summary, cause)
    move_watermark(channel, window[1])
    return holes


def _harden_spans(channel: Channel, target: int, cause: Cause, book: Book) -> None:
    assert channel.watermark is not None
    due = [key for key in channel.live if channel.watermark < key[1] <= target]
    for key in sorted(due, key=lambda key: (key[1], key[0])):
        settle_one(channel, key, summarise([channel.live[key]]), [], cause, book)
    move_watermark(channel, target)


def move_watermark(channel: Channel, watermark: int) -> None:
    """Set it, and the base with it."""
    channel.watermark = watermark
    raise_base(channel)


def raise_base(channel: Channel) -> None:
    """The base follows the watermark; what lies before it is forgotten."""
    assert channel.watermark is not None
    base = channel.floor(channel.watermark - channel.definition.horizon_days * 86_400_000)
    if channel.base is None:
        channel.base = base
    if base > channel.base:
        for slot in channel.slots.starts(channel.base, base):
            channel.values.pop(slot, None)
        channel.base = base


def stretches(channel: Channel, slots: list[int]) -> list[Key]:
    """Maximal stretches of consecutive slots, as half-open spans."""
    found: list[Key] = []
    for slot in slots:
        end = channel.slots.after(slot)
        if found and found[-1][1] == slot:
            found[-1] = (found[-1][0], end)
        else:
            found.append((slot, end))
    return found


def may_place(point: SupplyPoint, channel: Channel, unit: Unit, book: Book, *, moves: bool) -> bool:
    """Row 10: whether a unit ahead of the ring gets the watermark moved; if so it has been moved."""
    device = channel.current_device
    complete_through = point.device(device).complete_through if device is not None else None
    end = window_of(channel, unit.start - RING_MS)[1]
    if not moves or not is_firm(unit.quality) or (complete_through is not None and complete_through < end):
        return False
    harden(point, channel, end, unit.cause, book)
    return True
