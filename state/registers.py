"""Register streams: which reads are believed, and the segments between them.

A register total is an integer of the register's last digit; only differences become quantities. The chain of good
reads is a function of the stored reads and the configuration alone, so it may be worked out again at any time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from state.codes import HOUR_MS, QUANTITY_BOUND
from state.configuration import RegisterSpan

REFUSED, GOOD, BACKWARD, IMPLAUSIBLE = range(4)
BAD_CHECK_IDS: Final = {BACKWARD: "register_backward", IMPLAUSIBLE: "register_implausible"}

READ_ARRAYS: Final[dict[str, type[np.generic]]] = {
    "at_ms": np.int64,
    "total": np.int64,
    "version": np.int64,
    "decimals": np.uint8,
    "quality": np.uint8,
    "reset": np.uint8,
    "refused": np.uint8,
}


class RegisterRead(NamedTuple):
    """A total at an instant, counted in the last of `decimals` digits after the point."""

    at_ms: int
    total: int
    decimals: int
    version: int
    quality: int
    reset: int = 0
    refused: int = 0


class Segment(NamedTuple):
    """What was metered between two consecutive good reads: [start_ms, end_ms) and its exact total."""

    start_ms: int
    end_ms: int
    total_nano: int
    quality: int
    """The worse of its two reads'."""
    rollover: bool
    span: RegisterSpan

    def cumulative(self, instant_ms: int) -> int:
        """The part of the total metered before an instant inside the segment, by floor."""
        return self.total_nano * (instant_ms - self.start_ms) // (self.end_ms - self.start_ms)


class Change(NamedTuple):
    """How the segments of a stream changed."""

    removed: tuple[Segment, ...]
    added: tuple[Segment, ...]


NO_CHANGE: Final = Change((), ())


class Stream:
    """The reads of one register of one device, in time order, with the chain through them."""

    __slots__ = (*READ_ARRAYS, "_last_good", "_size", "_spans", "device", "register", "segments", "state")

    at_ms: NDArray[np.int64]
    total: NDArray[np.int64]
    version: NDArray[np.int64]
    decimals: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    reset: NDArray[np.uint8]
    refused: NDArray[np.uint8]

    def __init__(self, device: str, register: str) -> None:
        self.device = device
        self.register = register
        self._spans: tuple[RegisterSpan, ...] = ()
        self._size = 0
        for name, kind in READ_ARRAYS.items():
            setattr(self, name, np.zeros(8, kind))
        self.state: list[int] = []
        self.segments: list[Segment] = []
        self._last_good = -1

    def __len__(self) -> int:
        return self._size

    # -- reads ------------------------------------------------------------------------------------------------------

    def read(self, index: int) -> RegisterRead:
        """The stored read at a position."""
        return RegisterRead(
            int(self.at_ms[index]),
            int(self.total[index]),
            int(self.decimals[index]),
            int(self.version[index]),
            int(self.quality[index]),
            int(self.reset[index]),
            int(self.refused[index]),
        )

    def position(self, at_ms: int) -> tuple[int, bool]:
        """Where a read of this instant stands or would stand, and whether it does."""
        at = int(np.searchsorted(self.at_ms[: self._size], at_ms))
        return at, at < self._size and int(self.at_ms[at]) == at_ms

    def put(self, read: RegisterRead) -> Change:
        """Store a read, replacing one of the same instant; returns how the segments changed."""
        at, exists = self.position(read.at_ms)
        if not exists:
            self._make_room(at)
        self._write(at, read)
        if at == self._size - 1 and not exists:
            return self._extend(at)
        return self.evaluate()

    def refuse(self, at_ms: int) -> Change | None:
        """Take a read out of the chain by a person's word; None if there is no such read, or it is refused already."""
        at, exists = self.position(at_ms)
        if not exists or self.refused[at]:
            return None
        self.refused[at] = 1
        return self.evaluate()

    def forget_before(self, base_ms: int) -> None:
        """Drop the reads before the base, except the last good one: the anchor."""
        cut = int(np.searchsorted(self.at_ms[: self._size], base_ms))
        if not cut:
            return
        anchor = next((at for at in range(cut - 1, -1, -1) if self.state[at] == GOOD), None)
        keep = [*([anchor] if anchor is not None else []), *range(cut, self._size)]
        if len(keep) == self._size:
            return
        self._keep(keep)

    def allocate(self, reads: int) -> None:
        """Make room for that many reads, to be filled in by who restores them; `configure` then walks the chain."""
        for name, kind in READ_ARRAYS.items():
            setattr(self, name, np.zeros(max(reads, 8), kind))
        self._size = reads
        self.state = [REFUSED] * reads

    def _keep(self, positions: list[int]) -> None:
        for name in READ_ARRAYS:
            array = getattr(self, name)
            array[: len(positions)] = array[positions]
        self._size = len(positions)
        self.state = [self.state[at] for at in positions]
        first_ms = int(self.at_ms[0]) if positions else 0
        self.segments = [segment for segment in self.segments if segment.start_ms >= first_ms]
        self._last_good = max((at for at, state in enumerate(self.state) if state == GOOD), default=-1)

    def _make_room(self, at: int) -> None:
        if self._size == len(self.at_ms):
            for name in READ_ARRAYS:
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        for name in READ_ARRAYS:
            array = getattr(self, name)
            array[at + 1 : self._size + 1] = array[at : self._size]
        self._size += 1
        self.state.insert(at, REFUSED)

    def _write(self, at: int, read: RegisterRead) -> None:
        for name in READ_ARRAYS:
            getattr(self, name)[at] = getattr(read, name)

    # -- the chain --------------------------------------------------------------------------------------------------

    def configure(self, spans: Iterable[RegisterSpan]) -> Change:
        """Set the spans this register is interpreted by, and work the chain out again."""
        self._spans = tuple(spans)
        return self.evaluate()

    def feeds(self, channel: str) -> bool:
        """True if any span of this register belongs to the channel."""
        return any(span.channel == channel for span in self._spans)

    def span_judging(self, at_ms: int) -> RegisterSpan | None:
        """The span that a read at this instant is judged by: of two that touch there, the earlier."""
        return next((span for span in self._spans if span.touches(at_ms)), None)

    def evaluate(self) -> Change:
        """Walk the whole chain; returns how the segments changed."""
        before = self.segments
        self.segments, self._last_good = [], -1
        for at in range(self._size):
            self._judge(at)
        old, new = set(before), set(self.segments)
        if old == new:
            return NO_CHANGE
        return Change(
            tuple(segment for segment in before if segment not in new),
            tuple(segment for segment in self.segments if segment not in old),
        )

    def _extend(self, at: int) -> Change:
        known = len(self.segments)
        self._judge(at)
        return Change((), tuple(self.segments[known:]))

    def _judge(self, at: int) -> None:
        """Decide on one read against the last good one before it, and add the segment between them."""
        if self.refused[at]:
            self.state[at] = REFUSED
            return
        read = self.read(at)
        state, segment = GOOD, None
        if self._last_good >= 0 and not read.reset:
            state, segment = self._compare(self.read(self._last_good), read)
        self.state[at] = state
        if state == GOOD:
            self._last_good = at
            if segment is not None:
                self.segments.append(segment)

    def _compare(self, good: RegisterRead, read: RegisterRead) -> tuple[int, Segment | None]:
        span = next((s for s in self._spans if s.from_ms <= good.at_ms and read.at_ms <= s.to_ms), None)
        if span is None:
            return GOOD, None
        advance = scaled_count(read, span) - scaled_count(good, span)
        rollover = False
        if advance < 0:
            if span.digits is None or span.max_nano_per_hour is None:
                return BACKWARD, None
            advance += 10**span.digits
            rollover = True
        if advance < 0 or not _plausible(advance, read.at_ms - good.at_ms, span):
            return BACKWARD if rollover else IMPLAUSIBLE, None
        quality = min(good.quality, read.quality)
        return GOOD, Segment(good.at_ms, read.at_ms, advance * span.nano_per_count, quality, rollover, span)

    # -- looking at segments ----------------------------------------------------------------------------------------

    def overlapping(self, start_ms: int, end_ms: int) -> Iterator[Segment]:
        """The segments that overlap [start_ms, end_ms), in time order."""
        at = bisect_left(self.segments, start_ms, key=lambda segment: segment.end_ms)
        for segment in self.segments[at:]:
            if segment.start_ms >= end_ms:
                return
            if segment.end_ms > start_ms:
                yield segment


def scaled_count(read: RegisterRead, span: RegisterSpan) -> int:
    """The read's total in counts of the span's last digit."""
    return read.total * int(10 ** max(span.decimals - read.decimals, 0))


def _plausible(advance: int, elapsed_ms: int, span: RegisterSpan) -> bool:
    if advance * span.nano_per_count >= QUANTITY_BOUND:
        return False
    most = span.max_nano_per_hour
    return most is None or (advance - 1) * span.nano_per_count * HOUR_MS <= most * elapsed_ms
