"""Second look at a Green Button feed: its readings, as `window` records of consecutive ones that are of one length.

One reading is in memory at a time, besides the record that is being filled. What is wrong with a reading costs that reading, and what is
wrong with a block's channel that block.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.csv_readings import QUALITIES
from connectors.dead_letter import Problem, UnableToInterpret
from connectors.green_button_feed import BLOCK, CONTENT, ENTRY, ESPI, FEED, NO_ENTRY, Channel, Feed
from connectors.green_button_types import nano_of_count, quality_of, whole_of
from connectors.time_order import Record
from connectors.xml_stream import XmlReader, problem_at

MOST = 1_440  # readings a record: a day of minutes
MOST_CODES = 14  # of quality, that there are
CODE_LENGTH = 4  # characters kept of one: more than any has
_READING, _PERIOD, _QUALITY = ESPI + "IntervalReading", ESPI + "timePeriod", ESPI + "ReadingQuality"
_START, _DURATION, _VALUE, _CODE = ESPI + "start", ESPI + "duration", ESPI + "value", ESPI + "quality"
_LAST_START = 253_402_300_800  # the year 10000, in seconds since 1970
_LOCAL_DAYS = range(82_800, 90_001)  # seconds: a day of 23 to 25 hours
_AGAIN = "Ask the data custodian for the file again."


class _Window:
    """A record being filled: consecutive readings of one length. Qualities that differ become `ranges`."""

    def __init__(self, head: Record, end_ms: int) -> None:
        self.end_ms = end_ms
        self._record = head
        self._quantities: list[int] = head["quantities_nano"]
        self._qualities: list[tuple[int, Record]] = []  # (first reading, what it and those after it have)

    def takes(self, start_ms: int, interval_s: int | str) -> bool:
        """Whether a reading continues it. Local days stand alone: the next may begin where no clock of ours says."""
        same = interval_s == self._record["interval_s"] != "LOCAL_DAY"
        return same and start_ms == self.end_ms and len(self._quantities) < MOST

    def add(self, nano: int, quality: Record, end_ms: int) -> None:
        """The next reading; `quality` holds the contract's quality and, if there is one, the method."""
        if not self._qualities or self._qualities[-1][1] != quality:
            self._qualities.append((len(self._quantities), quality))
        self._quantities.append(nano)
        self.end_ms = end_ms

    def done(self) -> Record:
        """The record; its quality is the worst that a reading of it has."""
        if len(self._qualities) == 1:
            return self._record | self._qualities[0][1]
        ends = [first for first, _ in self._qualities[1:]] + [len(self._quantities)]
        spans = [
            {"first": first, "last": end - 1, **quality}
            for (first, quality), end in zip(self._qualities, ends, strict=True)
        ]
        worst = max((span["quality"] for span in spans), key=QUALITIES.index)
        return self._record | {"quality": worst, "ranges": spans}


class Blocks:
    """Told of every element of a feed that `Feed` has seen; `drain` gives what came of them since the last time."""

    def __init__(self, file: str, import_id: str, reader: XmlReader, feed: Feed) -> None:
        self._file = file
        self._import_id = import_id
        self._reader = reader
        self._feed = feed
        self._out: list[Record | Problem] = []
        self._entry = -1
        self._inside = False  # an entry
        self._channel: Channel | None = None  # None: not in a block, or in one that is refused
        self._version = 0
        self._window: _Window | None = None
        self._before = (0, 0)  # start and end of the last good reading of the block, ms
        self._start = self._duration = self._value = ""
        self._codes: dict[str, None] = {}  # in order, each once
        self._line = self._position = 0

    def drain(self) -> Iterator[Record | Problem]:
        """What was found, in the order of the file, once."""
        found, self._out = self._out, []
        yield from found

    def opened(self, parent: str, name: str, attributes: dict[str, str]) -> None:
        """Part of `xml_stream.Handler`."""
        if name == _READING and parent == BLOCK:
            self._line, self._position = self._reader.line, self._reader.position
            self._start = self._duration = self._value = ""
            self._codes.clear()
        elif name == BLOCK:
            self._open_block(self._entry if self._inside and parent == CONTENT else NO_ENTRY)
        elif name == ENTRY and parent == FEED:
            self._inside = True
            self._entry += 1

    def closed(self, parent: str, name: str, text: str) -> None:
        """Part of `xml_stream.Handler`."""
        if name == _START and parent == _PERIOD:
            self._start = text
        elif name == _DURATION and parent == _PERIOD:
            self._duration = text
        elif name == _VALUE and parent == _READING:
            self._value = text
        elif name == _CODE and parent == _QUALITY:
            if len(self._codes) <= MOST_CODES:  # one more than there are: it is refused
                self._codes[text[:CODE_LENGTH]] = None
        elif name == _READING and parent == BLOCK:
            self._close_reading()
        elif name == BLOCK:
            self._flush()
            self._channel = None
        elif name == ENTRY and parent == FEED:
            self._inside = False

    def _open_block(self, entry: int) -> None:
        self._before = (0, 0)
        if entry >= self._feed.entries:
            return  # the file breaks off within this entry, and that has been said
        try:
            channel = self._feed.channel(entry)
            self._version = self._feed.version(entry)
            self._channel = channel
        except UnableToInterpret as why:
            self._problem(self._reader.line, self._reader.position, why, self._feed.parent_href(entry))

    def _close_reading(self) -> None:
        if self._channel is None:
            return
        try:
            self._take(self._channel)
        except UnableToInterpret as why:
            said = (
                f"start {self._start}, duration {self._duration}, value {self._value}, quality {' '.join(self._codes)}"
            )
            self._problem(self._line, self._position, why, said)

    def _take(self, channel: Channel) -> None:
        start_ms, end_ms, interval_s = self._period(channel)
        nano = nano_of_count(whole_of("value of the reading", self._value), channel.type.power)
        code = " ".join(self._codes) or channel.type.quality
        quality: Record = {"quality": quality_of(code)}
        if quality["quality"] != "ACTUAL":
            quality["method"] = code
        if start_ms < self._before[1] and end_ms > self._before[0] and (start_ms, end_ms) != self._before:
            raise UnableToInterpret(
                "overlapping_readings",
                f"The reading runs over the one before it, which ends at {self._before[1] // 1000}: only that one is kept.",
                "Ask the data custodian which of the two is right.",
            )
        self._before = (start_ms, end_ms)
        if self._window is None or not self._window.takes(start_ms, interval_s):
            self._flush()
            self._window = _Window(self._head(channel, start_ms, interval_s), end_ms)
        self._window.add(nano, quality, end_ms)

    def _period(self, channel: Channel) -> tuple[int, int, int | str]:
        """Start and end of the reading in ms since 1970, and its length as the contract has it."""
        start_s = whole_of("start of the reading", self._start)
        if not 0 <= start_s < _LAST_START:
            raise UnableToInterpret(
                "bad_start", f"The reading starts at {start_s}, not in the years 1970 to 9999.", _AGAIN
            )
        stated = channel.type.interval_s
        length = (
            stated if not self._duration and stated is not None else whole_of("duration of the reading", self._duration)
        )
        if not 0 < length < _LOCAL_DAYS.stop:
            raise UnableToInterpret(
                "bad_duration",
                f"The reading lasts {length:,} seconds; an interval is longer than nothing and no longer than a local day.",
                "Ask the data custodian for interval data.",
            )
        return start_s * 1000, (start_s + length) * 1000, "LOCAL_DAY" if length in _LOCAL_DAYS else length

    def _head(self, channel: Channel, start_ms: int, interval_s: int | str) -> Record:
        return {
            "v": 1,
            "type": "window",
            "device": channel.device,
            "register": channel.register,
            "unit": channel.type.unit,
            "start_ms": start_ms,
            "interval_s": interval_s,
            "quantities_nano": [],
            "version": self._version,
            "source": {"file": self._file, "line": self._line, "import": self._import_id},
        }

    def _flush(self) -> None:
        if self._window is not None:
            self._out.append(self._window.done())
            self._window = None

    def _problem(self, line: int, position: int, why: UnableToInterpret, payload: str) -> None:
        self._out.append(problem_at(self._file, line, position, why, payload))
