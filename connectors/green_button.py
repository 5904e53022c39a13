"""Green Button (NAESB ESPI) XML feeds as `window` records, in time order.

A feed is Atom entries that point at each other: UsagePoint (the meter's place) ← MeterReading → ReadingType (unit, direction, power of
ten), and MeterReading ← IntervalBlocks, which hold readings: a start, a duration, a whole number. Source: NAESB REQ.21, as published by
the Green Button Alliance.

What a record says, beyond the contract:
- `device` is `customer/usage point`, `register` `meter reading/direction`, by the last ids in their links; direction is import
  (flowDirection 1), export (19), net (4), `flowN`, or left out when it is 0.
- `unit` is that of the uom code (72 Wh, 71 VAh, 73 varh, 31 J, 42 m3, 119 ft3, 128 gal, 134 L), without the multiplier; quantities are
  value × 10^powerOfTenMultiplier, exactly.
- A record holds up to 1,440 consecutive readings of one length; a gap, another length or a repeated start begins the next. Readings of
  23 to 25 hours are a `LOCAL_DAY` each.
- `version` is the entry's `updated` in ms since 1970, or, when that is absent, the feed's.
- `quality`: see docs/formats.md; `method` is the QualityOfReading code as delivered, when it is not ACTUAL.
- `source.line` is the line of the record's first IntervalReading.

`tou`, `cost`, `cpp` and `consumptionTier` of a reading are passed over: prices are the tariff's. So are the `interval` of a block, time
zones (every start is UTC), summaries and customer data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.dead_letter import Problem
from connectors.green_button_blocks import Blocks
from connectors.green_button_feed import Feed
from connectors.source_lines import BROKEN, Source, Stream, cannot_read, streams_of
from connectors.time_order import BUDGET, Record, in_time_order
from connectors.xml_stream import XmlReader

MAX_PROBLEMS = 10_000  # said one by one; further ones are counted


def read_green_button(
    source: Source, import_id: str, *, budget: int = BUDGET, folder: Path | None = None
) -> Iterator[Record | Problem]:
    """Problems in the order of the file, then raw records in time order. `source` may be plain, gzip or zip, and must be able to seek.

    A bad reading or block costs itself, and XML that breaks off what comes after it. What is no feed, unpacks or nests beyond all measure,
    or has a document type is refused whole, and with it the zip. Memory does not grow with the file, but for a few bytes an entry.
    """
    yield from in_time_order(_few(_found(source, import_id)), keep_good=True, budget=budget, folder=folder)


def _found(source: Source, import_id: str) -> Iterator[Record | Problem]:
    for stream in streams_of(source):
        if isinstance(stream, Problem):
            yield stream
        else:
            yield from _read(stream, import_id)


def _read(stream: Stream, import_id: str) -> Iterator[Record | Problem]:
    """One feed, read twice: for what its entries are, then for their readings."""
    try:
        begin = stream.file.tell()
        reader = XmlReader(stream)
        feed = Feed(reader)
        refused = False
        for problem in reader.read(feed):
            if problem is not None:
                refused = refused or problem.refuses_file
                yield problem
        if refused:
            return
        stream.file.seek(begin)
    except BROKEN as why:
        yield cannot_read(stream.name, 0, why)
        return
    yield from _readings(stream, import_id, feed)


def _readings(stream: Stream, import_id: str, feed: Feed) -> Iterator[Record | Problem]:
    reader = XmlReader(stream)
    blocks = Blocks(stream.name, import_id, reader, feed)
    any_found = False
    for problem in reader.read(blocks):
        if problem is not None and problem.refuses_file:  # a disk that fails; what breaks the XML off has been said
            yield problem
            return
        for item in blocks.drain():
            any_found = True
            yield item
    if not any_found:
        yield Problem(
            stream.name,
            0,
            "no_readings",
            "The feed holds no IntervalReading of namespace http://naesb.org/espi in an entry that is whole.",
            "Is it the whole file? Customer and billing data come in feeds of their own, without readings.",
            refuses_file=True,
        )


def _few(items: Iterable[Record | Problem]) -> Iterator[Record | Problem]:
    """The same, but of the problems beyond `MAX_PROBLEMS` only their number: nobody reads them, and they would fill memory."""
    said = left_out = 0
    last: Problem | None = None
    for item in items:
        if isinstance(item, Problem) and not item.refuses_file:
            said += 1
            if said > MAX_PROBLEMS:
                left_out, last = left_out + 1, item
                continue
        yield item
    if last is not None:
        yield Problem(
            last.file,
            last.line,
            "more_problems",
            f"{left_out:,} more readings or blocks are lost, the last of them here: {last.message}",
            last.remedy,
        )
