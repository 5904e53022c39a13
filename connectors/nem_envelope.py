"""What NEM12 and NEM13 files share: a 100 header, the records of the format, a 900 end; and what refuses a file whole."""

from __future__ import annotations

from dataclasses import replace

from connectors.dead_letter import Problem, UnableToInterpret, payload_of
from connectors.nem12_records import RESEND, stamp_ms

NEM_OFFSET_S = 10 * 3600  # the market's clock: UTC+10:00 all year
_SAYS = {"NEM12": "intervals", "NEM13": "register reads"}


class WholeFile(Exception):
    """The file cannot be understood from here on, so none of it is loaded."""

    def __init__(self, reason: str, message: str, remedy: str = RESEND) -> None:
        super().__init__(message)
        self._problem = Problem("", 0, reason, message, remedy, refuses_file=True)

    def at(self, file: str, line: int, text: str) -> Problem:
        """The problem, in its place; an empty file has its problem on line 1."""
        return replace(self._problem, file=file, line=max(line, 1), payload=payload_of(text))


class Envelope:
    """Whether each record stands where it may: nothing before the one header, nothing after the one end.

    `format_name` is NEM12 or NEM13, `kinds` its record types. `created_ms` is the creation time in the header, None before it.
    """

    def __init__(self, format_name: str, kinds: tuple[str, ...], offset_ms: int) -> None:
        self.created_ms: int | None = None
        self._format = format_name
        self._kinds = kinds
        self._offset_ms = offset_ms
        self._end_line = 0

    def enter(self, line: int, fields: list[str]) -> str:
        """The type of the next record, its place checked, a header or an end remembered. Raises `WholeFile`."""
        kind = fields[0].strip()
        self._check_place(kind)
        if kind == "100":
            self._header(fields)
        elif kind == "900":
            self._end_line = line
        return kind

    def check_end(self, line: int) -> None:
        """Raises `WholeFile` if the file, of `line` lines, stops without its end record."""
        if self._end_line:
            return
        if self.created_ms is None:
            raise WholeFile("empty_file", "The file has only blank lines." if line else "The file is empty.")
        raise WholeFile("no_end", "The file stops here, without its 900 end record: the rest of it is missing.")

    def _check_place(self, kind: str) -> None:
        if self._end_line:
            raise WholeFile(
                "after_end",
                f"A '{kind[:20]}' record comes after the end of the file, the 900 record on line {self._end_line}.",
                "Are these two files joined into one? Split them after each 900.",
            )
        if self.created_ms is None and kind not in self._kinds:
            raise WholeFile(
                f"not_{self._format.lower()}",
                f"The file begins with '{kind[:20]}'; a {self._format} file begins with 100,{self._format},….",
                "Is it another format? Plain CSV files have imports of their own.",
            )
        if kind not in self._kinds:
            known = ", ".join(self._kinds)
            raise WholeFile("unknown_record", f"'{kind[:20]}' is not a {self._format} record type ({known}).")
        if kind != "100" and self.created_ms is None:
            raise WholeFile(
                "no_header",
                f"The file begins with a {kind} record; its header, 100,{self._format},… with the creation time, is missing.",
            )
        if kind == "100" and self.created_ms is not None:
            raise WholeFile(
                "two_headers",
                "A second 100 header.",
                "Are these two files joined into one? Split them before each 100.",
            )

    def _header(self, fields: list[str]) -> None:
        version, created = (field.strip() for field in (*fields[1:3], "", "")[:2])
        if version != self._format and version in _SAYS:
            raise WholeFile(
                version.lower(),
                f"This is a {version} file: {_SAYS[version]}, not {_SAYS[self._format]}.",
                f"Import it with `meterfold import {version.lower()}`.",
            )
        if version != self._format:
            raise WholeFile("no_header", f"The 100 header says '{version[:20]}' where {self._format} belongs.")
        try:
            self.created_ms = stamp_ms(created, self._offset_ms)
        except UnableToInterpret as why:
            raise WholeFile("bad_header", f"The creation time in the 100 header: {why.message}", why.remedy) from None
