"""What leaves a window: its determinant when it hardens, an adjustment for whatever changes afterwards."""

from typing import Any, NamedTuple

from state.channel import Channel
from state.codes import (
    ACTUAL,
    CALCULATED,
    ESTIMATED,
    MISSING,
    NOTHING,
    QUALITY_NAMES,
    REASON_NAMES,
    SUBSTITUTED,
    methods_text,
)
from state.rings import NO_DETERMINANT, Slot
from state.unit import CONFIGURATION, EDIT, Unit

_COUNTED = (ACTUAL, CALCULATED, SUBSTITUTED, ESTIMATED, MISSING)


class Content(NamedTuple):
    """What a window holds: its sum, and how much of each quality."""

    quantity_nano: int
    counts: tuple[int, ...]
    methods: int
    missing_reason: int

    @property
    def is_expected(self) -> bool:
        """False when no slot of the window holds anything."""
        return any(self.counts)

    def standing(self) -> tuple[Any, ...]:
        """The columns n_actual … missing_reason."""
        worst = next(quality for quality, count in zip(reversed(_COUNTED), reversed(self.counts), strict=True) if count)
        return *self.counts, QUALITY_NAMES[worst], methods_text(self.methods), REASON_NAMES[self.missing_reason]


WITHDRAWN = (0, 0, 0, 0, 0, "", (), "")
"""The standing columns of what no longer exists."""


def content_of(channel: Channel, window: int) -> Content:
    """Add up a window's slots."""
    total, methods, reason = 0, 0, 0
    counts = [0] * (ACTUAL + 1)
    for slot in channel.slots_of(window):
        held = channel.slots.addend(slot)
        if held.quality == NOTHING:
            continue
        counts[held.quality] += 1
        total += held.quantity_nano
        methods |= 1 << held.method
        reason = reason or held.reason
    return Content(total, tuple(counts[quality] for quality in _COUNTED), methods & ~1, reason)


def harden_window(channel: Channel, window: int, hardened_by: str, unit: Unit) -> bool:
    """Emit the determinant of a window, if it expects anything; its quantity stands from now on."""
    content = content_of(channel, window)
    if not content.is_expected:
        return False
    channel.windows.put(window, content.quantity_nano, 0)
    grid = channel.definition.windows
    emit_determinant(
        channel,
        grid.start_ms(window),
        grid.start_ms(window + 1),
        content.quantity_nano,
        content.standing(),
        hardened_by,
        unit,
    )
    return True


def settle(channel: Channel, unit: Unit) -> None:
    """Compare the hardened windows that this unit touched with what stands, and adjust them, in time order."""
    touched, channel.touched = channel.touched, {}
    by_window: dict[int, list[int]] = {}
    for slot in sorted(touched):
        if channel.base_slot <= slot and channel.is_hardened(slot):
            by_window.setdefault(channel.window_of(slot), []).append(slot)
    for window, slots in by_window.items():
        before = [touched[slot] for slot in slots if _changed(touched[slot], channel.slots.get(slot))]
        if before:
            _settle_window(channel, window, before, unit)


def _changed(before: Slot, now: Slot) -> bool:
    return (before.quantity_nano, before.quality) != (now.quantity_nano, now.quality)


def _settle_window(channel: Channel, window: int, before: list[Slot], unit: Unit) -> None:
    old, revision = channel.windows.get(window)
    if revision == NO_DETERMINANT:
        if harden_window(channel, window, unit.cause, unit):
            channel.hardened_any = True
        return
    content = content_of(channel, window)
    if content.quantity_nano == old:
        return
    channel.windows.put(window, content.quantity_nano, revision + 1)
    grid = channel.definition.windows
    emit_adjustment(
        channel,
        (grid.start_ms(window), grid.start_ms(window + 1), revision + 1),
        (old, content.quantity_nano),
        content.standing() if content.is_expected else WITHDRAWN,
        reason_for(before, unit),
        unit,
    )


def reason_for(before: list[Slot], unit: Unit) -> str:
    """The reason code of an adjustment, from its cause and from what the changed slots held before."""
    if unit.cause == CONFIGURATION:
        return unit.reason
    if unit.cause == EDIT:
        return "MANUAL_EDIT"
    if any(slot.evidence and slot.quality > ESTIMATED for slot in before):
        return "CORRECTED_READ"
    if any(slot.quality == ESTIMATED for slot in before):
        return "ESTIMATE_REPLACED"
    return "LATE_READ"


def emit_determinant(
    channel: Channel,
    start_ms: int,
    end_ms: int,
    quantity_nano: int,
    standing: tuple[Any, ...],
    hardened_by: str,
    unit: Unit,
) -> None:
    """One determinant row, revision 0."""
    unit.out.determinants.append(
        (
            *channel.key, start_ms, end_ms, channel.definition.unit, quantity_nano, *standing, hardened_by,
            *unit.coordinates, *unit.rules(channel.definition.config_version), *unit.place,
        )
    )  # fmt: skip


def emit_adjustment(
    channel: Channel,
    key: tuple[int, int, int],
    old_new: tuple[int, int],
    standing: tuple[Any, ...],
    reason: str,
    unit: Unit,
) -> None:
    """One adjustment row; `key` is (start, end, revision)."""
    old, new = old_new
    start_ms, end_ms, revision = key
    unit.out.adjustments.append(
        (
            *channel.key, start_ms, end_ms, revision, channel.definition.unit, old, new, new - old, *standing, reason,
            revision - 1, *unit.coordinates, *unit.rules(channel.definition.config_version), *unit.place,
        )
    )  # fmt: skip
