"""First look at a Green Button feed: whose readings each entry holds, of what type, and how new; the readings themselves are passed over.

Entries point at each other by Atom links, in any order, and an entry's update time stands after its readings. So a file is read twice: here
for what it has in common, kept in a few words an entry, and then for its readings (`green_button_blocks`).
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from datetime import UTC

from connectors.dead_letter import UnableToInterpret
from connectors.green_button_types import FIELDS, ReadingType, reading_type_of
from connectors.local_stamps import instants_of
from connectors.xml_stream import UnableToParse, XmlReader

ATOM = "http://www.w3.org/2005/Atom "
ESPI = "http://naesb.org/espi "
FEED, ENTRY, CONTENT, BLOCK = ATOM + "feed", ATOM + "entry", ATOM + "content", ESPI + "IntervalBlock"

MAX_CHANNELS = 10_000  # usage points, meter readings, types, and links between them
MAX_ENTRIES = 1_000_000
MAX_HREF = 2_000
_SPLIT = "Ask the data custodian for smaller files, or split it."
_AGAIN = "Ask the data custodian for the file again."
NO_ENTRY = -1
_ABSENT, _BAD = -(2**63), -(2**63) + 1  # instead of an update time
_NOT_A_BLOCK = -1
_OWNED = re.compile(r"/(?:RetailCustomer|Subscription)/([^/]+)/UsagePoint/([^/]+)$")
_FINER = re.compile(r"(\.\d{3})\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Channel:
    """Whose the readings of a MeterReading are, and what they are."""

    device: str
    register: str
    type: ReadingType


@dataclass(slots=True)
class _Entry:
    """One entry while it is open."""

    kind: str = ""
    href: str = ""
    up: str = ""
    related: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    updated: int = _ABSENT


class Feed:
    """Told of every element once; afterwards it says what the n-th entry is, from 0.

    `entries` counts the whole ones: of a file that breaks off, the last may be none.
    """

    def __init__(self, reader: XmlReader) -> None:
        self.entries = 0
        self.updated_ms = _ABSENT
        self._reader = reader
        self._entry = _Entry()
        self._points: dict[str, str] = {}  # href of a usage point, or of its meter readings → its own href
        self._readings: dict[
            str, tuple[str, str, list[str]]
        ] = {}  # href → (own href, up, related); also under each related
        self._types: dict[str, dict[str, str]] = {}
        self._parents: dict[str, int] = {}  # href of a channel's blocks → its number
        self._parent_hrefs: list[str] = []
        self._links = 0
        self._parent_of = array("q")  # by entry: number of its parent; _NOT_A_BLOCK
        self._updated_of = array("q")
        self._channels: dict[int, Channel | UnableToInterpret] = {}

    def opened(self, parent: str, name: str, attributes: dict[str, str]) -> None:
        """Part of `xml_stream.Handler`. Raises `UnableToParse` for another kind of file, and for one beyond the limits."""
        if not parent and name != FEED:
            space, _, local = name.rpartition(" ")
            raise UnableToParse(
                "not_green_button",
                f"The file is <{local[:40]}> of namespace '{space[:80]}', not an Atom <feed> of namespace '{ATOM.strip()}'.",
                "Is it another format? Other meter files have imports of their own.",
            )
        if name == ENTRY and parent == FEED:
            self._entry = _Entry()
        elif parent == CONTENT and name.startswith(ESPI) and not self._entry.kind:
            self._entry.kind = name.removeprefix(ESPI)
        elif name == ATOM + "link" and parent == ENTRY:
            self._link(attributes.get("rel", ""), attributes.get("href", "").rstrip("/"))

    def closed(self, parent: str, name: str, text: str) -> None:
        """Part of `xml_stream.Handler`."""
        if parent == ESPI + "ReadingType":
            local = name.removeprefix(ESPI)
            if local in FIELDS:
                self._entry.fields[local] = text
        elif name == ATOM + "updated" and parent == ENTRY:
            self._entry.updated = _instant(text)
        elif name == ATOM + "updated" and parent == FEED:
            self.updated_ms = _instant(text)
        elif name == ENTRY and parent == FEED:
            self._file(self._entry)

    def channel(self, number: int) -> Channel:
        """Whose the readings of an entry (or `NO_ENTRY`) are. Raises `UnableToInterpret` when its links, or its type, do not say."""
        parent = _NOT_A_BLOCK if number == NO_ENTRY else self._parent_of[number]
        if parent == _NOT_A_BLOCK:
            raise UnableToInterpret("no_meter_reading", "The block is not what an entry of the feed holds.", _AGAIN)
        if parent not in self._channels:
            try:
                self._channels[parent] = self._resolved(self._parent_hrefs[parent])
            except UnableToInterpret as why:
                self._channels[parent] = why
        found = self._channels[parent]
        if isinstance(found, UnableToInterpret):
            raise found
        return found

    def version(self, number: int) -> int:
        """When an entry was updated, or else the feed, ms since 1970. Raises `UnableToInterpret` when neither says."""
        updated = self._updated_of[number]
        if updated == _ABSENT:
            updated = self.updated_ms
        if updated in (_ABSENT, _BAD):
            said = (
                "says when it was updated as no date and time"
                if updated == _BAD
                else "does not say when it was updated"
            )
            raise UnableToInterpret("no_version", f"The entry {said}, so nobody knows which of two is newer.", _AGAIN)
        return updated

    def parent_href(self, number: int) -> str:
        """Where the blocks of an entry say that they belong."""
        parent = _NOT_A_BLOCK if number == NO_ENTRY else self._parent_of[number]
        return "" if parent == _NOT_A_BLOCK else self._parent_hrefs[parent]

    def _link(self, rel: str, href: str) -> None:
        if len(href) > MAX_HREF:
            raise UnableToParse("link_too_long", f"A link is longer than {MAX_HREF:,} characters.", _AGAIN)
        if not href:
            return
        if rel == "self":
            self._entry.href = href
        elif rel == "up":
            self._entry.up = href
        elif rel == "related":
            self._entry.related.append(href)
            if len(self._entry.related) > MAX_CHANNELS:
                raise _too_many("links in an entry", MAX_CHANNELS)

    def _file(self, entry: _Entry) -> None:
        if self.entries == MAX_ENTRIES:
            raise _too_many("entries", MAX_ENTRIES)
        self.entries += 1
        parent = _NOT_A_BLOCK
        if entry.kind == "IntervalBlock":
            parent = self._parent(entry.up or entry.href.rpartition("/")[0])
        elif not entry.href:
            pass  # nothing can point at it
        elif entry.kind == "UsagePoint":
            self._points.update(dict.fromkeys([entry.href, *entry.related], entry.href))
        elif entry.kind == "MeterReading":
            self._readings.update(dict.fromkeys([entry.href, *entry.related], (entry.href, entry.up, entry.related)))
        elif entry.kind == "ReadingType":
            self._types[entry.href] = entry.fields
        self._parent_of.append(parent)
        self._updated_of.append(entry.updated)
        if entry.kind in ("UsagePoint", "MeterReading", "ReadingType"):
            self._links += 1 + len(entry.related)
        if self._links + len(self._parents) > MAX_CHANNELS:
            raise _too_many("channels and links between them", MAX_CHANNELS)

    def _parent(self, href: str) -> int:
        if href not in self._parents:
            self._parents[href] = len(self._parent_hrefs)
            self._parent_hrefs.append(href)
        return self._parents[href]

    def _resolved(self, href: str) -> Channel:
        """The channel of blocks whose parent is `href`: the collection of a meter reading's blocks."""
        reading = self._readings.get(href) or self._readings.get(href.rpartition("/")[0])
        if reading is None:
            raise UnableToInterpret("no_meter_reading", "The block belongs to no MeterReading of the feed.", _AGAIN)
        own, up, related = reading
        fields = next((self._types[link] for link in related if link in self._types), None)
        if fields is None:
            raise UnableToInterpret(
                "no_reading_type", "The MeterReading of the block names no ReadingType that is in the feed.", _AGAIN
            )
        point = self._points.get(up) or self._points.get(up.rpartition("/")[0])
        if point is None:
            raise UnableToInterpret(
                "no_usage_point", "The MeterReading of the block is of no UsagePoint in the feed.", _AGAIN
            )
        kind = reading_type_of(fields)
        register = own.rpartition("/")[2]
        return Channel(_device(point), f"{register}/{kind.direction}" if kind.direction else register, kind)


def _device(point: str) -> str:
    """`customer/point`, the ids in a usage point's href (many customers have a usage point 1), or the point's alone."""
    found = _OWNED.search(point)
    return f"{found[1]}/{found[2]}" if found else point.rpartition("/")[2]


def _instant(text: str) -> int:
    """ms since 1970, finer parts cut off; `_ABSENT` or `_BAD`. A stamp without offset is UTC."""
    if not text:
        return _ABSENT
    try:
        return instants_of(_FINER.sub(r"\1", text), UTC)[0]
    except UnableToInterpret:
        return _BAD


def _too_many(what: str, limit: int) -> UnableToParse:
    return UnableToParse("too_many_channels", f"The feed has more than {limit:,} {what}.", _SPLIT)
