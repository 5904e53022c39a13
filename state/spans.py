"""Read-to-read spans: a register read by hand yields one determinant from each good read to the next.

Spans have no grid. What has been emitted is kept by (start, end), so that a read put between two others takes the
wide span back to zero and hardens the two narrow ones.
"""

from collections.abc import Iterable
from typing import Any

from state.channel import Channel
from state.codes import ACTUAL, QUALITY_NAMES, SOURCE, methods_text
from state.registers import Segment
from state.rings import Slot
from state.settlement import WITHDRAWN, emit_adjustment, emit_determinant, reason_for
from state.span_book import Key, Standing
from state.unit import Unit


def revise(channel: Channel, segments: Iterable[Segment], hardened_by: str, unit: Unit) -> None:
    """Take the spans that the reads give now; adjust what stands, harden what is due."""
    book = channel.span_book
    book.current = {(s.start_ms, s.end_ms): (s.total_nano, s.quality) for s in segments}
    book.standing = {key: span for key, span in book.standing.items() if key[1] >= channel.base_ms}
    due = {key for key in book.current if channel.base_ms <= key[1] <= channel.watermark_ms}
    for key in sorted(due | set(book.standing)):
        if key in book.standing:
            _adjust(channel, key, unit)
        else:
            _harden(channel, key, hardened_by, unit)


def harden(channel: Channel, target_ms: int, hardened_by: str, unit: Unit) -> None:
    """Harden the spans that W reaches as it rises to the target."""
    book = channel.span_book
    for key in sorted(book.current, key=lambda span: (span[1], span[0])):
        if channel.base_ms <= key[1] <= target_ms and key not in book.standing:
            _harden(channel, key, hardened_by, unit)


def _harden(channel: Channel, key: Key, hardened_by: str, unit: Unit) -> None:
    quantity, quality = channel.span_book.current[key]
    channel.span_book.standing[key] = Standing(quantity, quality, 0)
    channel.hardened_any = True
    emit_determinant(channel, *key, quantity, _columns(quality), hardened_by, unit)


def _adjust(channel: Channel, key: Key, unit: Unit) -> None:
    book = channel.span_book
    before = book.standing[key]
    quantity, quality = book.current.get(key, (0, 0))
    if quantity == before.quantity_nano:
        book.standing[key] = before._replace(quality=quality)
        return
    book.standing[key] = Standing(quantity, quality, before.revision + 1)
    was = Slot(before.quantity_nano, before.quality, int(before.quality > 0), 0, 0)
    emit_adjustment(
        channel,
        (*key, before.revision + 1),
        (before.quantity_nano, quantity),
        _columns(quality) if quality else WITHDRAWN,
        reason_for([was], unit),
        unit,
    )


def _columns(quality: int) -> tuple[Any, ...]:
    """The standing columns of one span: a count of one in its quality."""
    counts = tuple(int(quality == rank) for rank in range(ACTUAL, 0, -1))
    return *counts, QUALITY_NAMES[quality], methods_text(1 << SOURCE if quality < ACTUAL else 0), ""
