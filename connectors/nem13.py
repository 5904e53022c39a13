"""AEMO NEM13 accumulation files as `register` records, two for each 250 record, in time order.

A file is `100` (header), then `250`s (a register's previous and current read, and the quantity between them), `550`s
(business-to-business details, passed over), and `900` (end). Source: AEMO, Meter Data File Format Specification NEM12 & NEM13.

What a record says, beyond the contract:
- `device`, `unit` and the market's clock are as in NEM12; `register` is the NMI suffix (11, 41, 12 …), which tells the direction.
- `count` and `decimals` are those of the text: `00100.0` is 1000 at 1 decimal. How many digits the register has, and so whether a
  fall is a turn of it, is for the configuration and the fold to say.
- `version` is the update date-time of the 250 record in ms since 1970, or, when that is absent, the creation date-time of the file.
- A → ACTUAL, S and F → SUBSTITUTED, E → ESTIMATED; for the last three `flags` holds the quality method and the reason as delivered.
- `source.line` is the line of the 250 record.

Two 250s that follow each other state one instant twice: both reads are sent, and the fold's evidence order decides (the later update
wins; equal ones with other counts conflict). A forward estimate is a read like any other: the fold refuses it while its date is to
come, and lets no estimate move its watermark.

The quantity is not sent on. It is held against the reads, and a 250 in which they disagree, or in which a register runs backwards, is
a problem and gives no read. What it costs is that record: the 250s around it come in all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.csv_table import split_cells
from connectors.dead_letter import Problem, UnableToInterpret, payload_of
from connectors.nem12_records import RESEND
from connectors.nem13_records import Accumulation, RegisterRead, accumulation_of
from connectors.nem_envelope import NEM_OFFSET_S, Envelope, WholeFile
from connectors.source_lines import Member, Source, members_of
from connectors.time_order import BUDGET, Record, in_time_order

_KINDS = ("100", "250", "550", "900")


def read_nem13(
    source: Source,
    import_id: str,
    utc_offset_s: int = NEM_OFFSET_S,
    *,
    budget: int = BUDGET,
    folder: Path | None = None,
) -> Iterator[Record | Problem]:
    """Every problem first; then, the whole file being read and checked, its reads in time order.

    `source` may be plain, gzip or zip. A bad 250 record costs itself; a problem of the whole file (no header, no end, records out
    of place) refuses it, and with it the zip. Memory does not grow with the file: `budget` and `folder` are those of `in_time_order`.
    """
    yield from in_time_order(_found(source, import_id, utc_offset_s), keep_good=True, budget=budget, folder=folder)


def _found(source: Source, import_id: str, utc_offset_s: int) -> Iterator[Record | Problem]:
    for member in members_of(source):
        if isinstance(member, Problem):
            yield member
        else:
            yield from _Reader(member, import_id, utc_offset_s).read()


class _Reader:
    """One member, record by record. 250s stand for themselves, so all it remembers is where in the file it is."""

    def __init__(self, member: Member, import_id: str, utc_offset_s: int) -> None:
        self._member = member
        self._import_id = import_id
        self._offset_ms = utc_offset_s * 1000
        self._envelope = Envelope("NEM13", _KINDS, self._offset_ms)
        self._found = False  # a 250, good or bad

    def read(self) -> Iterator[Record | Problem]:
        line, text = 0, ""
        try:
            for item in self._member.lines:
                if isinstance(item, Problem):
                    yield item
                    if item.refuses_file:
                        return
                    self._found = True  # the line lost could be a 250
                    continue
                line, text = item[0], item[1].rstrip()
                if text:
                    yield from self._take(line, text)
            self._envelope.check_end(line)
        except WholeFile as why:
            yield why.at(self._member.name, line, text)

    def _take(self, line: int, text: str) -> Iterator[Record | Problem]:
        try:
            fields = split_cells(text)
            kind = self._envelope.enter(line, fields)
            if kind == "250":
                self._found = True
                assert self._envelope.created_ms is not None  # no 250 before the header
                yield from self._reads(line, text, accumulation_of(fields, self._offset_ms, self._envelope.created_ms))
        except UnableToInterpret as why:
            self._found = True  # what stands there could be a 250
            yield self._problem(line, text, why)
            return
        if kind == "550" and not self._found:
            raise WholeFile("no_channel", "A 550 record comes before the first 250, so it belongs to no read.")
        if kind == "900" and not self._found:
            raise WholeFile("no_reads", "The file has a header and an end but no 250 record: there is no read in it.")

    def _reads(self, line: int, text: str, found: Accumulation) -> Iterator[Record | Problem]:
        for which in found.missing:
            message = (
                f"The {which} read has quality N, so it says nothing; the record's other read, if it has one, is kept."
            )
            yield self._problem(line, text, UnableToInterpret("missing_read", message, RESEND))
        for read in found.reads:
            yield self._record(line, found, read)

    def _record(self, line: int, found: Accumulation, read: RegisterRead) -> Record:
        record: Record = {
            "v": 1,
            "type": "register",
            "device": found.device,
            "register": found.register,
            "unit": found.unit,
            "at_ms": read.at_ms,
            "count": read.count,
            "decimals": read.decimals,
            "quality": read.quality,
            "version": found.version,
            "source": {"file": self._member.name, "line": line, "import": self._import_id},
        }
        if read.flags:
            record["flags"] = read.flags
        return record

    def _problem(self, line: int, text: str, why: UnableToInterpret) -> Problem:
        return Problem(self._member.name, line, why.reason, why.message, why.remedy, payload=payload_of(text))
