"""A delivered file as streams of bytes or as numbered lines: plain, gzip, or the members of a zip, told apart by their first bytes.

Lines stream; a line longer than `LINE_LIMIT`, bytes that are not UTF-8 and archives that break off are problems with a line number.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from connectors.dead_letter import Problem

LINE_LIMIT = 1 << 18  # bytes; a NEM12 day of 1440 long values is a tenth of it
Source = str | Path | IO[Any]  # a path, or an open file of bytes or of text; zip needs one that can seek
Line = tuple[int, str]

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ZIP_EMPTY = b"PK\x05\x06"
BROKEN = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file to read: its name as `source.file` says it (`archive.zip/member.csv` within a zip) and its lines, once."""

    name: str
    lines: Iterator[Line | Problem]


@dataclass(frozen=True, slots=True)
class Stream:
    """One file to read as bytes (as text, if the caller opened it so). `packed`: the bytes that it takes in its gzip or zip, if known."""

    name: str
    file: Any
    packed: int | None = None


def members_of(source: Source) -> Iterator[Member | Problem]:
    """The file itself, or each member of a zip that is not a directory. Read one member to its end before asking for the next."""
    for item in streams_of(source):
        yield item if isinstance(item, Problem) else Member(item.name, _lines(item.name, item.file))


def streams_of(source: Source) -> Iterator[Stream | Problem]:
    """The same members as bytes, already unpacked. Each is closed when the next is asked for."""
    name = name_of(source)
    packed = None
    with ExitStack() as open_files:
        try:
            stream: Any = (
                open_files.enter_context(Path(source).open("rb")) if isinstance(source, str | Path) else source
            )
            if isinstance(stream, io.TextIOBase):
                head = b""
            else:
                if not hasattr(stream, "peek"):
                    stream = io.BufferedReader(stream)
                    open_files.callback(stream.detach)  # the caller's file stays open
                head = stream.peek(4)[:4]
            if head in (_ZIP, _ZIP_EMPTY):
                yield from _zip_members(name, open_files.enter_context(zipfile.ZipFile(stream)))
                return
            if head[:2] == _GZIP:
                packed = _size_of(stream)
                stream = open_files.enter_context(gzip.GzipFile(fileobj=stream))
        except BROKEN as why:
            yield cannot_read(name, 0, why)
            return
        yield Stream(name, stream, packed)


def name_of(source: Source) -> str:
    """The base name of the file, never its folder."""
    path = source if isinstance(source, str | Path) else getattr(source, "name", "")
    return Path(path).name if isinstance(path, str | Path) and str(path) else "<stream>"


def _size_of(stream: Any) -> int | None:
    """Bytes from where the stream stands to its end; None when it cannot seek."""
    try:
        at = int(stream.tell())
        end = int(stream.seek(0, io.SEEK_END))
        stream.seek(at)
    except OSError:
        return None
    return end - at


def _zip_members(name: str, archive: zipfile.ZipFile) -> Iterator[Stream | Problem]:
    # __MACOSX/ holds resource forks that macOS adds to every zip it makes: never data.
    inside = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    if not inside:
        yield Problem(
            name, 0, "empty_archive", "The zip holds no file.", "Ask the sender for it again.", refuses_file=True
        )
    for info in inside:
        member = f"{name}/{info.filename}"
        try:
            with archive.open(info) as stream:
                yield Stream(member, stream, info.compress_size)
        except BROKEN as why:
            yield cannot_read(member, 0, why)


def _lines(name: str, stream: Any) -> Iterator[Line | Problem]:
    number = 0
    while True:
        try:
            raw = stream.readline(LINE_LIMIT)
        except BROKEN as why:
            yield cannot_read(name, number + 1, why)
            return
        if not raw:
            return
        number += 1
        newline = "\n" if isinstance(raw, str) else b"\n"
        if len(raw) == LINE_LIMIT and not raw.endswith(newline):
            while raw and not raw.endswith(newline):
                raw = stream.readline(LINE_LIMIT)
            yield Problem(
                name,
                number,
                "line_too_long",
                f"The line is longer than {LINE_LIMIT:,} bytes.",
                "Is this the right kind of file?",
            )
            continue
        try:
            yield number, raw if isinstance(raw, str) else raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as why:
            yield Problem(
                name,
                number,
                "not_utf8",
                f"The line is not UTF-8 text (byte {why.start + 1} of it).",
                "Save the file as UTF-8.",
                payload=repr(raw[:60]),
            )


def cannot_read(name: str, line: int, why: Exception) -> Problem:
    """What broke while the file was read, as a problem that refuses it."""
    said = getattr(why, "strerror", None) or str(why) or type(why).__name__
    return Problem(
        name,
        line,
        "cannot_read",
        f"The file cannot be read: {said}.",
        "Check that it is whole and readable.",
        refuses_file=True,
    )
