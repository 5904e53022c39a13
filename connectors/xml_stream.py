"""XML from anywhere as a stream of elements: nothing is expanded, nothing fetched, and nothing grows with the file.

A document type is refused where it begins, and with it every entity of its own and every reference to other files. Depth, the text of an
element, the length of a tag and how far an archive may unpack are bounded; a file beyond a bound is refused, by name, line and bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NoReturn, Protocol
from xml.parsers import expat

from connectors.dead_letter import Problem, UnableToInterpret, payload_of
from connectors.source_lines import BROKEN, Stream, cannot_read

CHUNK: Final = 1 << 16
MAX_DEPTH: Final = 32  # elements within elements; Green Button has eight
MAX_TEXT: Final = 1 << 16  # characters of one element
MAX_TAG: Final = 1 << 20  # bytes of one tag or comment
MAX_NAMES: Final = 2_000  # different names of elements and attributes, or prefixes: a parser keeps each to the end
MAX_RATIO: Final = 300  # times its packed size; a year of equal readings packs to a fortieth
FREE_BYTES: Final = 1 << 24  # unpacked before the ratio counts

_ENCODINGS = frozenset("utf-8 utf-16 utf-16le utf-16be us-ascii iso-8859-1 windows-1252".split())
_HOSTILE = "Do not open it elsewhere; ask the sender what it is."


class Handler(Protocol):
    """What is told of each element, by its name and its parent's (`namespace name`; "" above the root)."""

    def opened(self, parent: str, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def closed(self, parent: str, name: str, text: str) -> None:
        """An element ends; `text` is what stands after its last child."""


class UnableToParse(UnableToInterpret):
    """Reading stops here. `refuses_file`: nothing of the file may be loaded."""

    def __init__(self, reason: str, message: str, remedy: str, *, refuses_file: bool = True) -> None:
        super().__init__(reason, message, remedy)
        self.refuses_file = refuses_file


class XmlReader:
    """One file, read once from where it stands; `line` and `position` are those of the element that the handler is told of."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._handler: Handler | None = None
        self._parser: Any = None
        self._names: list[str] = [""]
        self._text: list[str] = []
        self._length = 0
        self._fed = 0
        self._prefixes: set[str | None] = set()

    @property
    def line(self) -> int:
        """From 1."""
        return int(self._parser.CurrentLineNumber)

    @property
    def position(self) -> int:
        """Place within the line, from 1: files without line breaks have nothing else to tell their elements apart."""
        return int(self._parser.CurrentColumnNumber) + 1

    def read(self, handler: Handler) -> Iterator[Problem | None]:
        """Tells the handler of every element; yields None after each piece of the file, or the problem that ends it.

        `UnableToParse` that the handler raises ends it too. XML that breaks off or contradicts itself does not refuse the file: what was
        told before is whole.
        """
        self._handler = handler
        try:
            while piece := self._stream.file.read(CHUNK):
                self._feed(piece)
                yield None
            self._finish()
            yield None
        except BROKEN as why:
            yield cannot_read(self._stream.name, max(1, self.line if self._parser else 1), why)
        except UnableToParse as why:
            place = (self.line, self.position) if self._parser else (1, 1)
            yield problem_at(self._stream.name, *place, why, refuses_file=why.refuses_file)
        except expat.ExpatError as error:
            broken = UnableToInterpret(
                "broken_xml",
                f"The XML is broken here ({expat.ErrorString(error.code)}): what comes after cannot be read.",
                "Ask the sender for the whole file.",
            )
            yield problem_at(self._stream.name, error.lineno, error.offset + 1, broken)

    def _feed(self, piece: Any) -> None:
        if self._parser is None:
            self._parser = self._made("utf-8" if isinstance(piece, str) else None)
        data = piece.encode() if isinstance(piece, str) else piece
        self._fed += len(data)
        self._check_ratio()
        self._parser.Parse(data, False)
        if max(len(self._parser.intern), len(self._prefixes)) > MAX_NAMES:
            raise UnableToParse("too_many_names", f"There are more than {MAX_NAMES:,} different names in it.", _HOSTILE)
        if self._fed - self._parser.CurrentByteIndex > MAX_TAG:
            raise UnableToParse("tag_too_long", f"A tag or comment is longer than {MAX_TAG:,} bytes.", _HOSTILE)

    def _finish(self) -> None:
        if self._parser is None:
            raise UnableToParse("empty_file", "The file is empty.", "Ask the sender for the file again.")
        self._parser.Parse(b"", True)

    def _check_ratio(self) -> None:
        packed = self._stream.packed
        if packed is not None and self._fed > FREE_BYTES and self._fed > packed * MAX_RATIO:
            raise UnableToParse(
                "unpacks_too_far",
                f"The {packed:,} bytes packed have become {self._fed:,}, more than {MAX_RATIO} times as many, and go on.",
                f"{_HOSTILE} If it is sound, unpack it and import it so.",
            )

    def _made(self, encoding: str | None) -> Any:
        parser = expat.ParserCreate(encoding, namespace_separator=" ")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.XmlDeclHandler = self._check_encoding
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        parser.ExternalEntityRefHandler = self._refuse_doctype
        parser.StartNamespaceDeclHandler = lambda prefix, _: self._prefixes.add(prefix)
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._take_text
        return parser

    def _check_encoding(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise UnableToParse(
                "unknown_encoding",
                f"The file says that its encoding is '{encoding[:40]}', which is not read here.",
                f"Save it as one of {', '.join(sorted(_ENCODINGS))}.",
            )

    def _refuse_doctype(self, *_: object) -> NoReturn:
        raise UnableToParse(
            "doctype",
            "The file has a document type declaration (<!DOCTYPE …>), by which XML can expand without end or reach for other files.",
            "Meter data needs none: ask the sender for the file without it.",
        )

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._names) > MAX_DEPTH:
            raise UnableToParse("too_deep", f"Elements are more than {MAX_DEPTH} deep within each other.", _HOSTILE)
        self._text.clear()
        self._length = 0
        assert self._handler is not None
        self._handler.opened(self._names[-1], name, attributes)
        self._names.append(name)

    def _close(self, name: str) -> None:
        self._names.pop()
        assert self._handler is not None
        self._handler.closed(self._names[-1], name, "".join(self._text).strip())
        self._text.clear()
        self._length = 0

    def _take_text(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise UnableToParse("text_too_long", f"An element's text is longer than {MAX_TEXT:,} characters.", _HOSTILE)
        self._text.append(text)


def problem_at(
    file: str, line: int, position: int, why: UnableToInterpret, payload: str = "", *, refuses_file: bool = False
) -> Problem:
    """A problem with its place in an XML file, whose column counts characters from 1."""
    return Problem(file, line, why.reason, why.message, why.remedy, str(position), payload_of(payload), refuses_file)
