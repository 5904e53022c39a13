"""What the single records of a NEM12 file mean: a channel, a quality, a range, a date. `nem12` puts them in sequence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from connectors.csv_readings import QUALITIES
from connectors.dead_letter import UnableToInterpret
from connectors.quantity_text import canonical_unit
from connectors.time_order import Record

RESEND = "Ask the sender for the file again."

_DAY_MINUTES = 1440
_EPOCH = datetime(1970, 1, 1)
_MS = timedelta(milliseconds=1)
_QUALITY_OF = {"A": "ACTUAL", "S": "SUBSTITUTED", "F": "SUBSTITUTED", "E": "ESTIMATED", "N": "MISSING"}
_METHOD = re.compile(r"[ANV]|[SFE](?:\d\d)?", re.ASCII)
_LOOKS_LIKE_QUALITY = re.compile(r"[A-Za-z]\d*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Channel:
    """A 200 record: what its days have in common. `values` is how many a day has."""

    line: int
    device: str
    register: str
    unit: str
    interval_minutes: int
    values: int


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows the values of a 300 record; an empty `updated` is absent."""

    quality: str
    reason: str
    updated: str


def channel_of(line: int, fields: list[str]) -> Channel:
    """A 200 record's channel. Raises `UnableToInterpret` without NMI or suffix, or with an interval length that does not divide a day."""
    nmi, _, _, suffix, _, serial, unit, length = _padded(fields[1:9], 8)
    if not nmi or not suffix:
        raise UnableToInterpret("no_channel_name", f"The 200 record has no {'NMI suffix' if nmi else 'NMI'}.", RESEND)
    minutes = int(length) if _digits(length) and len(length) <= 2 else 0
    if not 1 <= minutes <= 60 or _DAY_MINUTES % minutes:
        raise UnableToInterpret(
            "bad_interval",
            f"The 200 record's interval length is '{length}', not 1 to 60 minutes that divide a day.",
            RESEND,
        )
    device = f"{nmi}/{serial}" if serial else nmi
    return Channel(line, device, suffix, canonical_unit(unit), minutes, _DAY_MINUTES // minutes)


def tail_of(fields: list[str], channel: Channel) -> Tail:
    """Quality, reason and update time, which stand after exactly as many values as the channel's day has; else `UnableToInterpret`."""
    quality, reason, _, updated = _padded(fields[2 + channel.values : 6 + channel.values], 4)
    if _METHOD.fullmatch(quality):
        return Tail(quality, reason, updated)
    flags = (i for i, field in enumerate(fields[2:]) if _LOOKS_LIKE_QUALITY.fullmatch(field.strip()))
    count = next(flags, None)
    if count is None:
        raise UnableToInterpret(
            "cut_line", f"The 300 record has {len(fields) - 2} values and no quality: the line is cut off.", RESEND
        )
    if count == channel.values:
        raise UnableToInterpret(
            "unknown_quality", f"'{quality}' is not a NEM12 quality: A, N, V, or E, F, S with its method.", RESEND
        )
    raise UnableToInterpret(
        "value_count",
        f"The 300 record has {count} values, but the 200 record on line {channel.line} says "
        f"{channel.interval_minutes}-minute intervals, which are {channel.values} a day.",
        "Ask the sender for a file in which the two agree.",
    )


def range_of(fields: list[str], before: list[dict[str, Any]], n: int) -> dict[str, Any]:
    """A 400 record as one of the contract's `ranges`, positions from 0, of a day of `n` values.

    Raises `UnableToInterpret` when it does not begin where the last of `before` ended, or goes past the day.
    """
    first, last, quality, reason = _padded(fields[1:5], 4)
    if not all(_digits(text) and len(text) <= 4 for text in (first, last)):
        raise UnableToInterpret(
            "bad_range", f"The 400 record's range is '{first}' to '{last}', not two interval numbers.", RESEND
        )
    expected = before[-1]["last"] + 2 if before else 1
    if int(first) != expected or not expected <= int(last) <= n:
        raise UnableToInterpret(
            "bad_range",
            f"The 400 record covers intervals {first} to {last}, but the next range must begin at {expected} and the day "
            f"ends at {n}.",
            RESEND,
        )
    if quality == "V" or not _METHOD.fullmatch(quality):
        raise UnableToInterpret(
            "unknown_quality", f"'{quality}' is not the quality of a range: A, N, or E, F, S with its method.", RESEND
        )
    return {"first": int(first) - 1, "last": int(last) - 1, **meaning_of(quality, reason)}


def check_covered(record: Record) -> None:
    """Raises `UnableToInterpret` unless the ranges of a V day reach its end."""
    covered = record["ranges"][-1]["last"] + 1 if record["ranges"] else 0
    n = len(record["quantities_nano"])
    if covered != n:
        said = f"its 400 records cover only intervals 1 to {covered} of {n}" if covered else "no 400 record follows it"
        raise UnableToInterpret("uncovered_range", f"The day's quality is V, but {said}.", RESEND)


def resolve_ranges(record: Record) -> None:
    """Gives a V day the worst quality that a value of it has, and takes the values of its N ranges away, in place."""
    worst = -1
    for span in record["ranges"]:
        if span["quality"] == "MISSING":
            first, end = span["first"], span["last"] + 1
            record["quantities_nano"][first:end] = [None] * (end - first)
        else:
            worst = max(worst, QUALITIES.index(span["quality"]))
    record["quality"] = "MISSING" if worst < 0 else QUALITIES[worst]


def meaning_of(quality: str, reason: str) -> dict[str, str]:
    """The contract's quality, method and reason of a NEM12 quality-method other than V."""
    meaning = {"quality": _QUALITY_OF[quality[0]]}
    if quality[0] not in "AN":
        meaning["method"] = quality
    if reason:
        meaning["reason"] = reason
    return meaning


@lru_cache(maxsize=1024)  # the same days and update times come back channel by channel
def date_ms(text: str, offset_ms: int) -> int:
    """yyyymmdd → the instant of its midnight, ms since 1970, on a clock `offset_ms` ahead of UTC."""
    if _digits(text) and len(text) == 8:
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            pass
        else:
            return (day - _EPOCH.date()) // _MS - offset_ms
    raise UnableToInterpret("bad_date", f"'{text[:20]}' is not a date yyyymmdd.", RESEND)


@lru_cache(maxsize=1024)
def stamp_ms(text: str, offset_ms: int) -> int:
    """yyyymmddHHMMSS, or yyyymmddHHMM as Western Power writes it → instant, ms since 1970."""
    if _digits(text) and len(text) in (12, 14):
        try:
            month, day, hour, minute, second = (int(text[i : i + 2] or 0) for i in range(4, 14, 2))
            stamp = datetime(int(text[:4]), month, day, hour, minute, second)
        except ValueError:
            pass
        else:
            return (stamp - _EPOCH) // _MS - offset_ms
    raise UnableToInterpret(
        "bad_stamp",
        f"'{text[:20]}' is not a date-time yyyymmddHHMMSS.",
        f"Was the file saved by a spreadsheet? {RESEND}",
    )


def _padded(fields: list[str], n: int) -> list[str]:
    """Exactly n fields, stripped; trailing ones may be absent from a line."""
    return [field.strip() for field in fields] + [""] * (n - len(fields))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
