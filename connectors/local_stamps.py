"""Stamps in a file as instants: ISO 8601, with an offset of its own or in a stated time zone, clock changes included.

Where clocks go back, a stamp without an offset names two instants. One alone cannot be told apart, and guessing would shift an hour of
energy; but the order of lines can decide: see `RepeatedHour`. Where clocks go forward, some stamps name none and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from connectors.dead_letter import Problem, UnableToInterpret

Instants = tuple[int, ...]  # ms since 1970, one, or (first pass, second pass) of a repeated hour

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_MS = 1000
_DAY_MS = 86_400_000
_NEAR_MS = 6 * 3_600_000  # stamps of one clock change lie closer than this, those of two do not
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_FRACTION = re.compile(r"[.,](\d+)", re.ASCII)
_WAITING = 200_000  # stamps held back at once; beyond it they are refused rather than held


def zone_of(text: str) -> tzinfo:
    """`UTC`, `Z`, a fixed offset such as `+10:00`, or a name of the time zone database such as `Europe/London`."""
    if text.upper() in ("UTC", "Z"):
        return UTC
    if offset := _OFFSET.fullmatch(text):
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (ValueError, KeyError, OSError):
        raise UnableToInterpret(
            "unknown_time_zone",
            f"'{text}' is not a time zone.",
            "Write UTC, an offset such as +10:00, or a name, as in --time-zone Europe/London.",
        ) from None


def instants_of(text: str, zone: tzinfo | None) -> Instants:
    """The instant of an ISO 8601 stamp (`2012-10-12 00:30:00`, `2012-10-12T00:30Z`, …+01:00), in whole ms since 1970.

    A stamp without offset is read in `zone`; two instants come back when the clock there showed it twice. Raises
    `UnableToInterpret` when the text is no stamp, when it has no offset and `zone` is None, when no clock showed it, and
    when it is finer than a millisecond.
    """
    stamp = _parsed(text)
    if stamp.tzinfo is not None:
        return (_ms(stamp),)
    if zone is None:
        raise UnableToInterpret(
            "no_time_zone",
            f"'{text}' has no UTC offset.",
            "State the time zone of the file's stamps, as in --time-zone Europe/Berlin.",
        )
    first = stamp.replace(tzinfo=zone)
    if not isinstance(zone, ZoneInfo):
        return (_ms(first),)
    second = first.replace(fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None and after is not None
    if before == after:
        return (_ms(first),)
    if before < after:
        raise UnableToInterpret(
            "no_such_local_time",
            f"'{text}' does not exist in {zone.key}: the clock went forward over it.",
            "Is this the right time zone? Stamps that never change their clock need a fixed offset such as +00:00.",
        )
    return (_ms(first), _ms(second))


def _parsed(text: str) -> datetime:
    # fromisoformat also reads week dates, compact forms and any separator, and cuts a long fraction without a word.
    plain = text[4:5] == "-" and text[7:8] == "-" and text[10:11] in ("", "T", " ") and text.isascii()
    fraction = _FRACTION.search(text, 19)  # after whole seconds
    try:
        stamp = datetime.fromisoformat(text) if plain else None
    except ValueError:
        stamp = None
    if stamp is None:
        raise UnableToInterpret(
            "not_a_stamp",
            f"'{text}' is not a date and time." if text else "The date and time is missing.",
            "Write it as ISO 8601, as in 2025-03-01T00:30:00+01:00.",
        )
    if fraction and fraction[1][3:].strip("0"):
        raise UnableToInterpret("too_fine", f"'{text}' is finer than a millisecond.", "Round it at the source.")
    return stamp


def _ms(stamp: datetime) -> int:
    try:
        past = stamp - _EPOCH
    except OverflowError:
        raise UnableToInterpret("out_of_range", f"'{stamp}' is out of range.", "Years run from 1 to 9999.") from None
    return past.days * _DAY_MS + past.seconds * _SECOND_MS + past.microseconds // 1000


class Reading(NamedTuple):
    """A line on its way: whose it is, the instants its stamp may mean, and what else it says (`body`)."""

    file: str
    line: int
    device: str
    register: str
    stamp: str
    instants: Instants
    body: Any

    @property
    def instant_ms(self) -> int:
        """The first instant; the only one once `RepeatedHour` has decided."""
        return self.instants[0]


class RepeatedHour:
    """Decides the stamps of a repeated hour by the order of lines.

    The rule, per device and register: the lines of the hour must rise, step back exactly once, and rise again, between lines that lie
    before and after the hour (or the ends of the file). Then those before the step are the first pass (the earlier instants) and those
    after it the second. Anything else (one pass only, equal stamps side by side, newest first) is a problem on each of these lines.

    Lines wait until the first line after their hour, at most 200 000 of all registers together; what is beyond that is refused.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[Reading]] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._held = 0

    def decide(self, readings: Iterable[Reading | Problem]) -> Iterator[Reading | Problem]:
        """The same readings, each with one instant, or problems for those that cannot be told apart."""
        for reading in readings:
            if isinstance(reading, Problem):
                yield reading
                continue
            register = (reading.device, reading.register)
            run = self._waiting.get(register)
            if run and not (len(reading.instants) == 2 and abs(reading.instant_ms - run[0].instant_ms) < _NEAR_MS):
                yield from self._release(register, reading.instant_ms)
            if len(reading.instants) == 1:
                self._last[register] = reading.instant_ms
                yield reading
                continue
            self._waiting.setdefault(register, []).append(reading)
            self._held += 1
            if self._held > _WAITING:
                yield from map(_undecided, self._waiting.pop(register))
                self._held = sum(map(len, self._waiting.values()))
        for register in list(self._waiting):
            yield from self._release(register, None)

    def _release(self, register: tuple[str, str], next_ms: int | None) -> Iterator[Reading | Problem]:
        run = self._waiting.pop(register)
        self._held -= len(run)
        steps = [i for i in range(1, len(run)) if run[i].instant_ms <= run[i - 1].instant_ms]
        last_ms = self._last.get(register)
        in_order = (last_ms is None or last_ms < run[0].instants[0]) and (
            next_ms is None or run[-1].instants[1] < next_ms
        )
        for i, reading in enumerate(run):
            if len(steps) == 1 and in_order:
                instant = reading.instants[i >= steps[0]]
                self._last[register] = instant
                yield reading._replace(instants=(instant,))
            else:
                yield _undecided(reading)


def _undecided(reading: Reading) -> Problem:
    earlier, later = (f"{_EPOCH + timedelta(milliseconds=ms):%H:%M}Z" for ms in reading.instants)
    return Problem(
        reading.file,
        reading.line,
        "ambiguous_stamp",
        f"'{reading.stamp}' is in an hour that the clock showed twice ({earlier} or {later}), and the order of lines does not "
        "decide which.",
        "Deliver stamps with an offset, or both passes of the hour, oldest line first.",
        payload=f"{reading.device},{reading.register},{reading.stamp}",
    )
