"""Register streams: which reads are believed, and the segments between them.

A register total is an integer of the register's last digit; only differences become quantities. The chain of good
reads is a function of the stored reads and the configuration alone, so it may be worked out again at any time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from numpy.typing import NDArray

from state.codes import HOUR_MS, QUANTITY_BOUND
from state.configuration import RegisterSpan
from state.tables import Tables

REFUSED, GOOD, BACKWARD, IMPLAUSIBLE = range(4)
BAD_CHECK_IDS: Final = {BACKWARD: "register_backward", IMPLAUSIBLE: "register_implausible"}

_FIRST_READS: Final = 8


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
    """The reads of one register of one device, in time order, with the chain through them.

    `reads`: its part of the fold's tables, a READ a read.
    """

    __slots__ = ("_reads", "_row", "_seen", "_segments", "_spans", "_tables", "device", "number", "register")

    _reads: NDArray[Any]

    def __init__(self, device: str, register: str, tables: Tables, number: int | None = None) -> None:
        """New, or the one that stands in the tables under its number."""
        self.device = device
        self.register = register
        self._spans: tuple[RegisterSpan, ...] = ()
        self._segments: list[Segment] | None = None
        self._tables = tables
        if number is None:
            self._begin()
            return
        self.number = number
        tables.watch("streams", self)
        tables.watch("reads", self)
        self.look()

    def _begin(self) -> None:
        """Take its place in the tables, with room for a few reads."""
        self.number = self._tables.take("streams", 1, self)
        self._row = self._tables.streams[self.number]
        self._row["last_good"] = -1
        self._row["reads_at"] = self._tables.take("reads", _FIRST_READS, self)
        self._row["capacity"] = _FIRST_READS
        self.look()

    def look(self) -> None:
        """Look at the tables as they are now."""
        self._row = self._tables.streams[self.number]
        self._seen = int(self._row["changes"])
        first = int(self._row["reads_at"]) + int(self._row["first"])
        self._reads = self._tables.reads[first : first + int(self._row["size"])]

    @property
    def reads(self) -> NDArray[Any]:
        """The stored reads; compiled code may have changed them."""
        if self._seen != self._row["changes"]:
            self._segments = None
            self.look()
        return self._reads

    @property
    def spans(self) -> tuple[RegisterSpan, ...]:
        """The spans this register is interpreted by."""
        return self._spans

    # -- reads ------------------------------------------------------------------------------------------------------

    def read(self, index: int) -> RegisterRead:
        """The stored read at a position."""
        at_ms, total, version, decimals, quality, reset, refused, _ = self.reads[index].item()
        return RegisterRead(at_ms, total, decimals, version, quality, reset, refused)

    def state_of(self, at_ms: int) -> int:
        """What the chain makes of the stored read of an instant."""
        return int(self.reads[self.position(at_ms)[0]]["state"])

    def position(self, at_ms: int) -> tuple[int, bool]:
        """Where a read of this instant stands or would stand, and whether it does."""
        instants = self.reads["at_ms"]
        at = bisect_left(instants, at_ms)
        return at, at < len(instants) and int(instants[at]) == at_ms

    def put(self, read: RegisterRead) -> Change:
        """Store a read, replacing one of the same instant; returns how the segments changed."""
        at, exists = self.position(read.at_ms)
        if at == len(self.reads):
            self._insert(at)
            self._write(at, read)
            segment = self._judge(at)
            if segment is None:
                return NO_CHANGE
            if self._segments is not None:
                self._segments.append(segment)
            return Change((), (segment,))
        before = self.segments
        self._segments = None
        if not exists:
            self._insert(at)
        self._write(at, read)
        return self._evaluate(before)

    def refuse(self, at_ms: int) -> Change | None:
        """Take a read out of the chain by a person's word; None if there is no such read, or it is refused already."""
        at, exists = self.position(at_ms)
        if not exists or self.reads[at]["refused"]:
            return None
        before = self.segments
        self.reads[at]["refused"] = 1
        return self._evaluate(before)

    def forget_before(self, base_ms: int) -> None:
        """Drop the reads before the base, except the last good one: the anchor."""
        cut, _ = self.position(base_ms)
        reads, row = self.reads, self._row
        anchor = next((at for at in range(cut - 1, -1, -1) if reads[at]["state"] == GOOD), None)
        gone = cut
        if anchor is not None:
            gone = cut - 1
            reads[gone] = reads[anchor]
        if gone:
            row["first"] += gone
            row["size"] -= gone
            row["last_good"] = 0 if row["last_good"] == anchor else max(row["last_good"] - gone, -1)
            self.look()
            first_ms = int(self.reads[0]["at_ms"]) if len(self.reads) else 0
            if self._segments is not None:
                self._segments = [segment for segment in self._segments if segment.start_ms >= first_ms]

    def allocate(self, reads: int) -> None:
        """Make room for that many reads, to be filled in by who restores them; `configure` then walks the chain."""
        self._grow(reads)
        self._row["size"] = reads
        self.look()

    def _write(self, at: int, read: RegisterRead) -> None:
        self.reads[at] = (
            read.at_ms, read.total, read.version, read.decimals, read.quality, read.reset, read.refused, REFUSED
        )  # fmt: skip

    def make_room(self) -> None:
        """Have room for one more read at the end at least."""
        row, reads = self._row, self.reads
        size = len(reads)
        if row["first"] + size < row["capacity"]:
            return
        if row["first"] > size:
            reads_at = int(row["reads_at"])
            self._tables.reads[reads_at : reads_at + size] = reads.copy()
            row["first"] = 0
        else:
            self._grow(4 * size)
        self.look()

    def _insert(self, at: int) -> None:
        """Move what is from a position on by one."""
        self.make_room()
        self._row["size"] += 1
        self._row["last_good"] += at <= self._row["last_good"]
        self.look()
        self._reads[at + 1 :] = self._reads[at:-1].copy()

    def _grow(self, capacity: int) -> None:
        """Move to a larger part of the tables; what is left behind is lost to them, less than what is used."""
        capacity = max(capacity, _FIRST_READS)
        reads_at = self._tables.take("reads", capacity, None)
        row, reads = self._row, self.reads
        self._tables.reads[reads_at : reads_at + len(reads)] = reads
        row["reads_at"], row["first"], row["capacity"] = reads_at, 0, capacity

    # -- the chain --------------------------------------------------------------------------------------------------

    def configure(self, spans: Iterable[RegisterSpan]) -> Change:
        """Set the spans this register is interpreted by, and work the chain out again."""
        before = self.segments
        self._spans = tuple(spans)
        return self._evaluate(before)

    def resume(self, spans: Iterable[RegisterSpan]) -> None:
        """Set the spans that the chain of the reads was worked out by."""
        self._spans = tuple(spans)
        self._segments = None

    def feeds(self, channel: str) -> bool:
        """True if any span of this register belongs to the channel."""
        return any(span.channel == channel for span in self._spans)

    def span_judging(self, at_ms: int) -> RegisterSpan | None:
        """The span that a read at this instant is judged by: of two that touch there, the earlier."""
        return next((span for span in self._spans if span.touches(at_ms)), None)

    def _evaluate(self, before: list[Segment]) -> Change:
        """Walk the whole chain; returns how the segments changed."""
        self._row["last_good"], self._segments = -1, None
        for at in range(len(self.reads)):
            self._judge(at)
        after = self.segments
        old, new = set(before), set(after)
        if old == new:
            return NO_CHANGE
        return Change(
            tuple(segment for segment in before if segment not in new),
            tuple(segment for segment in after if segment not in old),
        )

    def _judge(self, at: int) -> Segment | None:
        """Decide on one read against the last good one before it; returns the segment between them."""
        read = self.read(at)
        if read.refused:
            self.reads[at]["state"] = REFUSED
            return None
        state, segment = GOOD, None
        last_good = int(self._row["last_good"])
        if last_good >= 0:
            state, segment = self._compare(self.read(last_good), read)
        self.reads[at]["state"] = state
        if state == GOOD:
            self._row["last_good"] = at
        return segment

    def _compare(self, good: RegisterRead, read: RegisterRead) -> tuple[int, Segment | None]:
        span = next((s for s in self._spans if s.from_ms <= good.at_ms and read.at_ms <= s.to_ms), None)
        if span is None or read.reset:
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

    @property
    def segments(self) -> list[Segment]:
        """The segments between consecutive good reads, in time order; not to be changed."""
        if self._seen != self._row["changes"] or self._segments is None:
            self._segments = list(self._segments_from(0))
        return self._segments

    def overlapping(self, start_ms: int, end_ms: int) -> Iterator[Segment]:
        """The segments that overlap [start_ms, end_ms), in time order."""
        at = self.position(start_ms + 1)[0] - 1
        while at > 0 and self.reads[at]["state"] != GOOD:
            at -= 1
        for segment in self._segments_from(max(at, 0)):
            if segment.start_ms >= end_ms:
                return
            if segment.end_ms > start_ms:
                yield segment

    def _segments_from(self, first: int) -> Iterator[Segment]:
        """The segments that begin at a position or later."""
        good: RegisterRead | None = None
        for at in range(first, len(self.reads)):
            if self.reads[at]["state"] != GOOD:
                continue
            read = self.read(at)
            if good is not None:
                segment = self._compare(good, read)[1]
                if segment is not None:
                    yield segment
            good = read


def scaled_count(read: RegisterRead, span: RegisterSpan) -> int:
    """The read's total in counts of the span's last digit."""
    return read.total * int(10 ** max(span.decimals - read.decimals, 0))


def _plausible(advance: int, elapsed_ms: int, span: RegisterSpan) -> bool:
    if advance * span.nano_per_count >= QUANTITY_BOUND:
        return False
    most = span.max_nano_per_hour
    return most is None or (advance - 1) * span.nano_per_count * HOUR_MS <= most * elapsed_ms
