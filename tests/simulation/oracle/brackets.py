"""Known totals of check registers, once a watermark has reached their end: estimates are made to add up to them, and
the sum of the intervals is reconciled with them (rules, section 6)."""

from __future__ import annotations

from tests.simulation.oracle.estimation import Estimator, brackets_of, rest_of
from tests.simulation.oracle.model import Cause, Channel, Segment, Stream, SupplyPoint, Value
from tests.simulation.oracle.rows import Book
from tests.simulation.oracle.settle import fill_holes, settle

Due = list[tuple[Stream, Segment]]


def newly_complete(point: SupplyPoint, channel: Channel) -> Due:
    """Brackets that lie before the watermark for the first time, in time order. They are noted as complete."""
    watermark = channel.watermark
    due = [
        (stream, bracket)
        for stream, bracket in brackets_of(point, channel)
        if watermark is not None and bracket.end <= watermark and bracket.key not in stream.completed
    ]
    for stream, bracket in due:
        stream.completed.add(bracket.key)
    return sorted(due, key=lambda pair: (pair[1].start, pair[1].end))


def complete(point: SupplyPoint, channel: Channel, cause: Cause, book: Book) -> None:
    """After the watermark rose or a check register's chain changed."""
    if not channel.is_spans:
        fill_holes(point, channel, cause)
    due = newly_complete(point, channel)
    for _, bracket in due:
        estimate_again(point, channel, bracket)
    settle(point, channel, cause, book)
    reconcile(channel, due, cause, book)


def estimate_again(point: SupplyPoint, channel: Channel, bracket: Segment) -> None:
    """Every slot without evidence gets its share, unless what stands in them adds up to the rest already."""
    if not _is_remembered(channel, bracket):
        return
    slots = channel.slots.starts(bracket.start, bracket.end)
    empty = [slot for slot in slots if channel.evidence(slot) is None]
    standing = [channel.values.get(slot) for slot in empty]
    is_whole = all(value is not None and value.quality != "MISSING" for value in standing)
    if is_whole and sum(value.quantity for value in standing if value) == rest_of(channel, bracket):
        return
    assert channel.watermark is not None
    shares = Estimator(point, channel, channel.watermark).shares_of(bracket) or {}
    for slot, share in shares.items():
        channel.put(slot, Value(share, "ESTIMATED", "REGISTER_BRACKETED", is_evidence=False))


def _is_remembered(channel: Channel, bracket: Segment) -> bool:
    """All its slots are expected and not before base."""
    if channel.base is None or bracket.start < channel.base:
        return False
    return all(channel.expects(slot) for slot in channel.slots.starts(bracket.start, bracket.end))


def reconcile(channel: Channel, due: Due, cause: Cause, book: Book) -> None:
    """Compare each bracket, once, with the sum of what stands in its slots."""
    for stream, bracket in due:
        if bracket.key in stream.reconciled:
            continue
        stream.reconciled.add(bracket.key)
        severity = _compare(channel, bracket)
        if severity:
            names = (channel.supply_point, channel.name, bracket.span.device)
            book.finding("sum_register", severity, cause.carrier, *names, (bracket.start, bracket.end))


def _compare(channel: Channel, bracket: Segment) -> str:
    """The severity of `sum_register`; empty if the sum agrees."""
    values = [channel.values.get(slot) for slot in channel.slots.starts(bracket.start, bracket.end)]
    if not _is_remembered(channel, bracket) or any(value is None or value.quality == "MISSING" for value in values):
        return "not_run"
    difference = sum(value.quantity for value in values if value) - bracket.total
    return "warn" if abs(difference) >= bracket.span.nano_per_count else ""
