"""Time as a scenario writes it: the site's wall clock, `2026-01-05 00:30`; `Z` or `+02:00` after it where that is not enough."""

import re
from datetime import UTC, datetime, timedelta

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d(?::\d\d)?))?(Z|[+-]\d\d:\d\d)?")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "day": 86_400, "days": 86_400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_MS = 1000


class Clock:
    """The wall clock of a site. `offsets`: `+01:00` for the beginning, then `2026-03-29 01:00Z +02:00` for each change."""

    def __init__(self, offsets: list[str]) -> None:
        self.utc_offsets = [_change(text) for text in offsets]

    def offset_s(self, at_ms: int) -> int:
        """Seconds that the wall clock is ahead of UTC."""
        known = [offset for from_ms, offset in self.utc_offsets if from_ms <= at_ms]
        return known[-1] if known else self.utc_offsets[0][1]

    def instant(self, text: str) -> int:
        """Milliseconds since 1970 of a written time."""
        found = _INSTANT.fullmatch(text.strip())
        if not found:
            raise ValueError(f"not a time: {text!r}")
        date, time, zone = found.groups()
        wall_ms = _wall_ms(f"{date} {time or '00:00'}")
        if zone:
            return wall_ms - _offset_s(zone) * SECOND_MS
        candidates = self._instants_at(wall_ms)
        if len(candidates) != 1:
            raise ValueError(f"{text!r} happens {len(candidates)} times on this clock: say which, as in 02:30+02:00")
        return candidates[0]

    def text(self, at_ms: int) -> str:
        """The written time of an instant, its offset only where the wall clock shows it twice."""
        offset_s = self.offset_s(at_ms)
        wall_ms = at_ms + offset_s * SECOND_MS
        wall = _EPOCH + timedelta(milliseconds=wall_ms)
        shown = wall.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
        if len(self._instants_at(wall_ms)) == 1:
            return shown
        minutes = abs(offset_s) // 60
        return f"{shown}{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"

    def span(self, text: str) -> tuple[int, int | None]:
        """`2026-01-05 00:00 .. 2026-02-01 00:00`, the end left out when it is open."""
        start, _, end = text.partition("..")
        return self.instant(start), self.instant(end) if end.strip() else None

    def _instants_at(self, wall_ms: int) -> list[int]:
        offsets = sorted({offset for _, offset in self.utc_offsets}, reverse=True)
        return [
            at for at in (wall_ms - o * SECOND_MS for o in offsets) if at + self.offset_s(at) * SECOND_MS == wall_ms
        ]


def length_s(text: str) -> int | str:
    """`30 min` in seconds; `LOCAL_DAY` stays a word."""
    if text == "LOCAL_DAY":
        return text
    number, unit = text.split()
    return int(number) * _SECONDS[unit]


def seconds(text: str) -> int:
    """A length that cannot be a local day."""
    found = length_s(text)
    assert isinstance(found, int), text
    return found


def _wall_ms(text: str) -> int:
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1))


def _offset_s(text: str) -> int:
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _change(text: str) -> tuple[int, int]:
    *at, offset = text.split()
    return (Clock(["+00:00"]).instant(" ".join(at)) if at else 0, _offset_s(offset))
