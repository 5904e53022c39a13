"""What a person decides: an interval replaced, a register read refused, a window beyond the horizon restated (section 9)."""

from __future__ import annotations

from typing import Any

from tests.simulation.oracle.hardening import advance
from tests.simulation.oracle.intervals import WON, Judgement, reject, report_value_checks, turn_away
from tests.simulation.oracle.model import (
    QUALITIES,
    RING_MS,
    Cause,
    Channel,
    Standing,
    Summary,
    SupplyPoint,
    Value,
)
from tests.simulation.oracle.registers import apply_difference, refuse, spans_of
from tests.simulation.oracle.rows import Book, Unit
from tests.simulation.oracle.settle import settle

Record = dict[str, Any]


def process_replacement(point: SupplyPoint, unit: Unit, record: Record, book: Book) -> str:
    """`replace`: a quantity that a person puts into a slot of an interval channel."""
    channel = point.channels.get(record["channel"])
    refused = _refuse_replacement(channel, unit, record)
    if refused:
        if refused[1] == "unconfigured":
            unit.channel = ""
        turn_away(unit, refused, book)
    else:
        assert channel is not None
        verdict = _replace(point, channel, unit, record, book)
    if channel is not None:
        advance(point, channel, unit.cause, book)
    return refused[0] if refused else verdict


def _refuse_replacement(channel: Channel | None, unit: Unit, record: Record) -> Judgement | None:
    if channel is None:
        return reject("unconfigured")
    if channel.definition.kind != "intervals":
        return reject("edit_refused")
    if not channel.expects(unit.start):
        return reject("unconfigured")
    if not channel.slots.is_point(unit.start):
        return reject("misaligned")
    if not channel.definition.is_within(record["quantity_nano"]):
        return reject("out_of_range")
    unit.quantity = record["quantity_nano"]
    assert channel.base is not None and channel.watermark is not None
    if unit.start < channel.base:
        return ("BEYOND_HORIZON", "beyond_horizon")
    if unit.start >= channel.watermark + RING_MS:
        return reject("ahead_of_ring")  # an edit never moves the watermark, and the ring ends there
    return None if record["replaces_version"] == version_in_force(channel, unit.start) else reject("edit_stale")


def version_in_force(channel: Channel, slot: int) -> int:
    """The version of a slot's evidence; -1 if it holds none."""
    evidence = channel.evidence(slot)
    return -1 if evidence is None else evidence.version


def _replace(point: SupplyPoint, channel: Channel, unit: Unit, record: Record, book: Book) -> str:
    span = channel.covering(unit.start)
    verdict = "ACCEPTED" if channel.evidence(unit.start) is None else "CORRECTED"
    assert unit.quantity is not None and verdict in WON
    version = record["replaces_version"] + 1
    value = Value(unit.quantity, "SUBSTITUTED", "MANUAL_EDIT", True, version, span.device, span.register)
    channel.put(unit.start, value)
    settle(point, channel, unit.cause, book)
    report_value_checks(channel, span, unit, verdict, book)
    return verdict


def process_refusal(point: SupplyPoint, unit: Unit, book: Book) -> str:
    """`refuse_read`: a stored read is taken out of its chain."""
    stream = point.streams.get((unit.device, unit.register))
    read = stream.reads.get(unit.start) if stream is not None else None
    if stream is None or read is None or read.is_refused:
        verdict = turn_away(unit, reject("edit_stale"), book)
    else:
        verdict = "CORRECTED"
        difference = refuse(stream, unit.start, spans_of(point, unit.device, unit.register))
        apply_difference(point, difference, unit.cause, book)
        book.evidence(unit, verdict, [], [])
    if unit.channel:
        advance(point, point.channels[unit.channel], unit.cause, book)
    return verdict


def restate(point: SupplyPoint, record: Record, cause: Cause, book: Book) -> None:
    """What replay found beyond the horizon, row by row."""
    channel = point.channels.get(record["channel"])
    for row in record["rows"]:
        if channel is None or not _is_restatable(channel, row) or abs(row["new_nano"]) >= 10**18:
            span = (row["start_ms"], row["end_ms"])
            names = (point.name, record["channel"], record["device"])
            book.finding("restatement_refused", "error", cause.carrier, *names, span)
        elif row["old_nano"] != row["new_nano"]:
            _restate_row(channel, row, cause, book)


def _is_restatable(channel: Channel, row: Record) -> bool:
    if channel.base is None or row["end_ms"] > channel.base:
        return False
    said = (row["old_nano"], row["revision"])
    return channel.restated.get(row["start_ms"], said) == said


def _restate_row(channel: Channel, row: Record, cause: Cause, book: Book) -> None:
    key = (row["start_ms"], row["end_ms"])
    new = _single(row["new_nano"], row["quality"])
    old = Standing(row["revision"], _single(row["old_nano"], row["quality"]))
    book.adjustment(channel, key, old, new, "CORRECTED_READ", cause.carrier)
    channel.restated[key[0]] = (row["new_nano"], row["revision"] + 1)
    channel.standing[key] = Standing(row["revision"] + 1, new)


def _single(quantity: int, quality: str) -> Summary:
    """A window that says one thing: counts as stated by its quality."""
    return Summary(quantity, tuple(int(quality == other) for other in QUALITIES), quality, (), "")
