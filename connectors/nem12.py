"""AEMO NEM12 interval files as `day` records, one per channel and day, in time order.

A file is `100` (header), then per channel a `200` (whose, unit, interval length) with its `300`s (a day of values and
their quality; when that is V, `400`s give it per range), `500`s (business-to-business details, passed over), and `900`
(end). Source: AEMO, Meter Data File Format Specification NEM12 & NEM13. The format has no quotes; they are understood.

What a record says, beyond the contract:
- `device` is `NMI/serial`, or the NMI when the 200 record has no serial; `register` is the NMI suffix (E1, B1, Q1 …).
- `unit` has one spelling: KWH is kWh, KVARH and kVArh are kvarh; an empty one is `unspecified`.
- `start_ms` is midnight of the market's clock: UTC+10:00 all year (`utc_offset_s`; Western Power's is +08:00).
- `version` is the 300 record's update date-time in ms since 1970, or, when that is absent, the creation date-time of the
  file in its 100 record. Both are of the market's clock.
- `method` is the quality as delivered when it is not A or N (`F52`, `S14`); `reason` the reason code as delivered.
- A → ACTUAL, S and F → SUBSTITUTED, E → ESTIMATED, N → MISSING with null quantities. For a V day every interval has its
  range in `ranges`, and `quality` is the worst of those that carry values.
- `source.line` is the line of the 300 record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from connectors.csv_table import split_cells
from connectors.dead_letter import Problem, UnableToInterpret, payload_of
from connectors.nem12_records import (
    RESEND,
    Channel,
    channel_of,
    check_covered,
    date_ms,
    meaning_of,
    range_of,
    resolve_ranges,
    stamp_ms,
    tail_of,
)
from connectors.nem_envelope import NEM_OFFSET_S, Envelope, WholeFile
from connectors.quantity_text import NanoByText
from connectors.source_lines import Member, Source, members_of
from connectors.time_order import BUDGET, Record, in_time_order

_KINDS = ("100", "200", "300", "400", "500", "900")


def read_nem12(
    source: Source,
    import_id: str,
    utc_offset_s: int = NEM_OFFSET_S,
    *,
    keep_good: bool = False,
    budget: int = BUDGET,
    folder: Path | None = None,
) -> Iterator[Record | Problem]:
    """Every problem first; then, the whole file being read and checked, its days in time order.

    `source` may be plain, gzip or zip. All or nothing: a file (or zip) with any problem yields no day. With `keep_good` a
    problem within one 200 or 300 block costs that block only; one of the whole file (no header, no end, records out of
    place) still refuses it. Memory does not grow with the file: `budget` and `folder` are those of `in_time_order`.
    """
    found = _found(source, import_id, utc_offset_s)
    yield from in_time_order(found, keep_good=keep_good, budget=budget, folder=folder)


def check_nem12(source: Source, utc_offset_s: int = NEM_OFFSET_S, limit: int = 1000) -> list[Problem]:
    """The first `limit` problems of a file, in its order; empty for one that `read_nem12` loads whole."""
    problems = (item for item in _found(source, "", utc_offset_s) if isinstance(item, Problem))
    return list(islice(problems, limit))


def _found(source: Source, import_id: str, utc_offset_s: int) -> Iterator[Record | Problem]:
    for member in members_of(source):
        if isinstance(member, Problem):
            yield member
        else:
            yield from _Reader(member, import_id, utc_offset_s).read()


@dataclass(slots=True)
class _OpenDay:
    """A 300 record until the record after its last 400. `why`, once set, spoils it; then line and text are the culprit's."""

    line: int
    text: str
    quality: str
    record: Record
    why: UnableToInterpret | None = None


class _Reader:
    """One member, record by record. The only state is what has been opened: the file, a channel, a day."""

    def __init__(self, member: Member, import_id: str, utc_offset_s: int) -> None:
        self._member = member
        self._import_id = import_id
        self._offset_ms = utc_offset_s * 1000
        self._nano = NanoByText()
        self._envelope = Envelope("NEM12", _KINDS, self._offset_ms)
        self._channel: Channel | None = None  # None: no 200 yet, or a bad one
        self._channel_line = 0  # of the last 200, good or bad
        self._day: _OpenDay | None = None
        self._days = 0  # 300 records, good or bad

    def read(self) -> Iterator[Record | Problem]:
        line, text = 0, ""
        try:
            for item in self._member.lines:
                if isinstance(item, Problem):
                    # The line lost could be a 200, and the days after it would go to the wrong meter.
                    yield replace(item, refuses_file=True)
                    return
                line, text = item[0], item[1].rstrip()
                if text:
                    yield from self._take(line, text)
            self._envelope.check_end(line)
        except WholeFile as why:
            yield why.at(self._member.name, line, text)

    def _take(self, line: int, text: str) -> Iterator[Record | Problem]:
        try:
            fields = split_cells(text)
        except UnableToInterpret as why:
            raise WholeFile(why.reason, why.message, why.remedy) from None
        kind = self._envelope.enter(line, fields)
        self._check_place(kind)
        if kind == "400":
            self._range(line, text, fields)
            return
        yield from self._close_day()
        try:
            if kind == "200":
                self._channel_line, self._channel = line, None
                self._channel = channel_of(line, fields)
            elif kind == "300":
                self._days += 1
                self._day = self._open_day(line, text, fields)
        except UnableToInterpret as why:
            yield self._problem(line, text, why)

    def _check_place(self, kind: str) -> None:
        if kind in ("300", "500") and not self._channel_line:
            raise WholeFile("no_channel", f"A {kind} record comes before the first 200, so it belongs to no meter.")
        if kind == "400" and not self._days:
            raise WholeFile("no_day", "A 400 record comes before the first 300, so it belongs to no day.")
        if kind == "900" and not self._days:
            raise WholeFile("no_days", "The file has a header and an end but no 300 record: there is no reading in it.")

    def _open_day(self, line: int, text: str, fields: list[str]) -> _OpenDay:
        channel = self._channel
        if channel is None:
            raise UnableToInterpret(
                "channel_refused",
                f"The day belongs to the 200 record on line {self._channel_line}, which is refused.",
                RESEND,
            )
        start_ms = date_ms(fields[1].strip() if len(fields) > 1 else "", self._offset_ms)
        tail = tail_of(fields, channel)
        record: Record = {
            "v": 1,
            "type": "day",
            "device": channel.device,
            "register": channel.register,
            "unit": channel.unit,
            "start_ms": start_ms,
            "interval_s": channel.interval_minutes * 60,
            "quantities_nano": self._quantities(fields[2 : 2 + channel.values]),
            "version": stamp_ms(tail.updated, self._offset_ms) if tail.updated else self._envelope.created_ms,
            "source": {"file": self._member.name, "line": line, "import": self._import_id},
        }
        if tail.quality == "N":
            record["quantities_nano"] = [None] * channel.values
        if tail.quality == "V":
            record["ranges"] = []
        else:
            record |= meaning_of(tail.quality, tail.reason)
        return _OpenDay(line, text, tail.quality, record)

    def _quantities(self, values: list[str]) -> list[int | None]:
        self._nano.trim()
        try:
            return list(map(self._nano.__getitem__, values))
        except UnableToInterpret as why:
            # Those before the culprit are known by now, it is not.
            position = next(i for i, text in enumerate(values, 1) if text not in self._nano)
            why.message = f"Value {position} of {len(values)}: {why.message}"
            raise

    def _range(self, line: int, text: str, fields: list[str]) -> None:
        """Adds a 400 record to the open day, or spoils the day. The 400s of a refused 300 go with it."""
        day = self._day
        if day is None or day.why is not None:
            return
        try:
            if day.quality != "V":
                raise UnableToInterpret(
                    "range_without_v",
                    f"A 400 record belongs to a day of quality V; that of the 300 record on line {day.line} is {day.quality}.",
                    RESEND,
                )
            day.record["ranges"].append(range_of(fields, day.record["ranges"], len(day.record["quantities_nano"])))
        except UnableToInterpret as why:
            day.line, day.text, day.why = line, text, why

    def _close_day(self) -> Iterator[Record | Problem]:
        day, self._day = self._day, None
        if day is None:
            return
        try:
            if day.why is not None:
                raise day.why
            if day.quality == "V":
                check_covered(day.record)
                resolve_ranges(day.record)
        except UnableToInterpret as why:
            yield self._problem(day.line, day.text, why)
        else:
            yield day.record

    def _problem(self, line: int, text: str, why: UnableToInterpret) -> Problem:
        return Problem(self._member.name, line, why.reason, why.message, why.remedy, payload=payload_of(text))
