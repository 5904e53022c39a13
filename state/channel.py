"""One channel of a supply point: its definition, its watermark and what it remembers."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from state import ring_pages
from state.codes import AHEAD_MS, DAY_MS, HOUR_MS, NOTHING, QUANTITY_BOUND
from state.configuration import (
    FEEDING_ROLES,
    FOREVER,
    INTERVALS,
    SPANS,
    TOTALS,
    ChannelDefinition,
    RegisterSpan,
)
from state.grid import LOCAL_DAY
from state.ring_pages import RingPages
from state.rings import Slot, SlotRing, WindowRing
from state.span_book import SpanBook
from state.tables import Tables

NEVER: Final = -FOREVER


class Kept:
    """A number of a channel that is kept in its row of the fold's tables, where compiled code finds it too."""

    def __set_name__(self, owner: type["Channel"], name: str) -> None:
        self._name = name

    def __get__(self, channel: "Channel", owner: type["Channel"]) -> int:
        return int(channel._row[self._name])

    def __set__(self, channel: "Channel", value: int) -> None:
        channel._row[self._name] = value


class Channel:
    """Mutable state of one (supply point, channel).

    `watermark_ms` (W): everything expected before it has hardened. `base_ms`: nothing before it is remembered.
    `reference_ms`: estimates and checks look no further back; it is the base, but in a replay that remembers longer
    (`memory_days` above the definition's horizon). `latest_end_ms`: the latest accepted end, NEVER before the first.
    """

    __slots__ = (
        "_from_ms",
        "_quantity_spans",
        "_row",
        "_tables",
        "definition",
        "devices",
        "feeding",
        "memory_days",
        "most_slots",
        "number",
        "open_brackets",
        "slots",
        "span_book",
        "supply_point",
        "touched",
        "windows",
    )  # fmt: skip

    watermark_ms = Kept()
    base_ms = Kept()
    base_slot = Kept()
    reference_ms = Kept()
    reference_slot = Kept()
    latest_end_ms = Kept()
    hardened_any = Kept()

    def __init__(
        self,
        supply_point: str,
        definition: ChannelDefinition,
        tables: Tables,
        memory_days: int = 0,
        number: int | None = None,
    ) -> None:
        """New, or the one that stands in the tables under its number."""
        self.supply_point = supply_point
        self.definition = definition
        self.feeding: tuple[RegisterSpan, ...] = ()
        self._quantity_spans: list[RegisterSpan] = []
        self._from_ms: list[int] = []
        self.devices: list[str] = []
        self.memory_days = max(memory_days, definition.horizon_days)
        self.most_slots = max(_longest_window_ms(definition) // definition.native.nominal_ms, 1)
        self.span_book = SpanBook()
        self.open_brackets: list[tuple[int, int, int, int, str]] = []
        """Brackets not yet complete or reconciled: (start, end, total, nano per count, device), by start then end."""
        self.touched: dict[int, Slot] = {}
        """Within one unit: what each slot held before it was first changed."""
        self._tables = tables
        if number is None:
            self._begin()
            return
        self.number = number
        tables.watch("channels", self)
        self.look()
        row = self._row
        lengths, shift = (int(row["slots_length"]), int(row["windows_length"])), int(row["page_shift"])
        self._make_rings(lengths, shift, int(row["slots_at"]), int(row["windows_at"]))

    def _begin(self) -> None:
        """Take its place in the tables; it is not fed yet."""
        self.number = self._tables.take("channels", 1, self)
        self.look()
        lengths, row = _ring_lengths(self.definition, self.memory_days), self._row
        self._make_rings(lengths, ring_pages.PAGE_SHIFT, None, None)
        row["slots_length"], row["windows_length"] = lengths
        row["slots_at"], row["page_shift"] = self.slots.pages.at, ring_pages.PAGE_SHIFT
        row["windows_at"] = -1 if self.windows.pages is self.slots.pages else self.windows.pages.at
        self.watermark_ms = FOREVER
        self.latest_end_ms = NEVER

    def _make_rings(self, lengths: tuple[int, int], shift: int, slots_at: int | None, windows_at: int | None) -> None:
        """Slots and windows as they lie in the tables, or new."""
        is_own = self.definition.native is not self.definition.windows
        self.slots = SlotRing(self._tables, lengths[0], shift, slots_at)
        pages = RingPages(self._tables, lengths[1], shift, windows_at) if is_own else self.slots.pages
        self.windows = WindowRing(lengths[1], pages, is_own=is_own)

    def look(self) -> None:
        """Look at its row of the tables as they are now."""
        self._row = self._tables.channels[self.number]

    @property
    def key(self) -> tuple[str, str]:
        """(supply point, channel)."""
        return self.supply_point, self.definition.channel

    @property
    def is_spans(self) -> bool:
        """True for a channel of read-to-read spans, which has no grid."""
        return self.definition.kind == SPANS

    @property
    def has_books(self) -> bool:
        """True if raising its watermark may change what is not in the tables: its spans, or brackets still to be completed."""
        return self.is_spans or bool(self.open_brackets)

    # -- coverage ---------------------------------------------------------------------------------------------------

    def cover(self, spans: Iterable[RegisterSpan]) -> None:
        """Set the register spans that feed this channel, from all its devices."""
        self.feeding = tuple(sorted(spans, key=lambda span: (span.from_ms, span.device)))
        self._quantity_spans = [span for span in self.feeding if span.role in (INTERVALS, TOTALS)]
        self._from_ms = [span.from_ms for span in self._quantity_spans]
        for span in self.feeding:
            if span.role in FEEDING_ROLES and span.device not in self.devices:
                self.devices.append(span.device)

    def span_expecting(self, start_ms: int) -> RegisterSpan | None:
        """The span that expects the slot with this start, if any."""
        at = bisect_right(self._from_ms, start_ms) - 1
        if at >= 0 and start_ms < self._quantity_spans[at].to_ms:
            return self._quantity_spans[at]
        return None

    def expects(self, slot: int) -> bool:
        """True if the slot's start lies in a span of role intervals or totals."""
        return self.span_expecting(self.definition.native.start_ms(slot)) is not None

    def current_device(self) -> str | None:
        """The device of the latest-starting span that feeds the channel."""
        spans = [span for span in self.feeding if span.role in FEEDING_ROLES]
        return spans[-1].device if spans else None

    def earliest_ms(self) -> int | None:
        """The first instant the channel is fed from."""
        return min((span.from_ms for span in self.feeding if span.role in FEEDING_ROLES), default=None)

    def start_watermark(self) -> None:
        """Set W to the first expected instant, and follow it back while nothing has hardened and nothing is held."""
        earliest_ms = self.earliest_ms()
        pristine = not self.hardened_any and not self.slots.holds_evidence() and not self.span_book.current
        if earliest_ms is not None and pristine and earliest_ms < self.watermark_ms:
            self.set_watermark(self.floor_to_window(earliest_ms))

    @property
    def remembered(self) -> range:
        """The slots in [base, W + 7 days); none before the channel is fed."""
        if self.watermark_ms == FOREVER or self.is_spans:
            return range(0)
        native = self.definition.native
        return range(self.base_slot, native.slot_of(self.ahead_ms - 1) + 1)

    # -- time -------------------------------------------------------------------------------------------------------

    def floor_to_window(self, instant_ms: int) -> int:
        """The latest instant at or before this one at which W may stand."""
        if self.is_spans:
            return instant_ms
        windows = self.definition.windows
        return windows.start_ms(windows.slot_of(instant_ms))

    def end_of_window_at(self, instant_ms: int) -> int:
        """The end of the window that contains an instant."""
        windows = self.definition.windows
        return windows.start_ms(windows.slot_of(instant_ms) + 1)

    def set_watermark(self, instant_ms: int) -> None:
        """Move W and the base with it; what falls before the base is forgotten."""
        self.watermark_ms = instant_ms
        base_ms = self.floor_to_window(instant_ms - self.memory_days * DAY_MS)
        self.reference_ms = self.floor_to_window(instant_ms - self.definition.horizon_days * DAY_MS)
        if self.is_spans:
            self.base_ms = base_ms
            return
        native, windows = self.definition.native, self.definition.windows
        base_slot = native.slot_of(base_ms)
        self.reference_slot = native.slot_of(self.reference_ms)
        if base_slot > self.base_slot:
            self.slots.clear(self.base_slot, base_slot)
            self.windows.clear(windows.slot_of(self.base_ms), windows.slot_of(base_ms))
            if base_slot >> self.slots.pages.shift != self.base_slot >> self.slots.pages.shift:
                self.slots.tidy()
                self.windows.tidy()
        self.base_ms, self.base_slot = base_ms, base_slot

    @property
    def ahead_ms(self) -> int:
        """The first instant too far ahead of W to be remembered."""
        return self.watermark_ms + AHEAD_MS

    def slots_of(self, window: int) -> range:
        """The native slots that start in a window."""
        native, windows = self.definition.native, self.definition.windows
        if native is windows:
            return range(window, window + 1)
        return range(native.slot_of(windows.start_ms(window)), native.slot_of(windows.start_ms(window + 1)))

    def window_of(self, slot: int) -> int:
        """The window that a native slot starts in."""
        native, windows = self.definition.native, self.definition.windows
        return slot if native is windows else windows.slot_of(native.start_ms(slot))

    def is_hardened(self, slot: int) -> bool:
        """True if the slot's window ends at or before W."""
        return self.definition.native.start_ms(slot) < self.watermark_ms

    # -- slots ------------------------------------------------------------------------------------------------------

    def device_number(self, device: str) -> int:
        """The small number that stands for a device in the slots."""
        return self.devices.index(device)

    def fits(self, quantity_nano: int) -> bool:
        """True if a quantity keeps the bound that lets no window's sum reach 10¹⁸."""
        return abs(quantity_nano) * self.most_slots < QUANTITY_BOUND

    def holds(self, slot: int, better_than: int) -> bool:
        """True if the slot may be referred to and holds evidence of a quality better than the given one."""
        if slot < self.reference_slot or self.definition.native.start_ms(slot) >= self.ahead_ms:
            return False
        held = self.slots.get(slot)
        return held.evidence != 0 and held.quality > better_than

    def touch(self, slot: int) -> Slot:
        """Note what a slot holds before it changes in this unit; returns what it holds now."""
        now = self.slots.get(slot)
        self.touched.setdefault(slot, now)
        return now

    def withdraw(self, slot: int) -> None:
        """Take evidence away; a hardened slot must then be estimated."""
        self.touch(slot)
        self.slots.put(slot, 0, NOTHING, 0, evidence=0)


def _longest_window_ms(definition: ChannelDefinition) -> int:
    return 25 * HOUR_MS if definition.grid_s == LOCAL_DAY else int(definition.grid_s) * 1000


def _ring_lengths(definition: ChannelDefinition, memory_days: int) -> tuple[int, int]:
    """Slots and windows that [base, W + 7 days) can span, with room for the window that the base is floored to."""
    if definition.kind == SPANS:
        return 1, 1
    span_ms = memory_days * DAY_MS + AHEAD_MS + 3 * 25 * HOUR_MS
    return span_ms // definition.native.nominal_ms + 2, span_ms // definition.windows.nominal_ms + 2
