"""Price series: a price for every step of time, from the file itself or from a CSV beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Final, NamedTuple

from pydantic_core import PydanticCustomError

from meterfold.portfolio.calendar import Moment
from meterfold.portfolio.model import LegalEntity
from meterfold.portfolio.model_tariffs import Series
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import SeriesShape
from meterfold.portfolio.written import read_moment, read_rate

MOST_PRICES: Final = 400_000
"""Of one series: more than twenty years of half-hours. Bounds the size of its record."""
_EPOCH: Final = datetime(1970, 1, 1)
_HEADERS: Final = (["start", "price"], ["start", "end", "price"])


class Point(NamedTuple):
    """A price from `start_ms` until before `end_ms` (None: a step later), and where it stands: a path, and a line of the CSV or 0."""

    start_ms: int
    end_ms: int | None
    price: Decimal
    path: Path
    line: int


def build_series(
    written: Written, legal_entities: dict[str, LegalEntity], folder: FilePath | None
) -> dict[str, Series]:
    """The series by id, each with its prices in order of time. `folder`: where relative paths begin."""
    found = {}
    used = sorted({entity.currency for entity in legal_entities.values()})
    for id_, shape in written.objects("series", SeriesShape).items():
        path = written.path("series", id_)
        if (shape.prices is None) == (shape.file is None):
            wrong = "neither `prices` nor `file`" if shape.file is None else "both `prices` and `file`"
            written.add(path, Fault("missing_key", wrong, "write the prices, or the path of a CSV with them"))
            continue
        currency = shape.currency or (used[0] if len(used) == 1 else None)
        if currency is None:
            written.add((*path, "currency"), Fault("missing_key", "is missing", "say which one"))
            continue
        if shape.file is None:
            points = list(_listed(written, shape, path))
        else:
            points = list(_in_file(written, shape.file, folder, (*path, "file")))
        found[id_] = Series(id_, shape.unit, currency, shape.step, _spans(written, shape, points, path))
    return found


def _listed(written: Written, shape: SeriesShape, path: Path) -> Iterator[Point]:
    for position, item in enumerate(shape.prices or ()):
        where = (*path, "prices", position)
        start = _instant(written, item.start, (*where, "start"))
        end = None if item.end is None else _instant(written, item.end, (*where, "end"))
        if start is not None:
            yield Point(start, end, item.price, where, 0)


def _instant(written: Written, moment: Moment, path: Path, where: str = "") -> int | None:
    """A series has no clock of its own."""
    if not moment.in_utc:
        wrong = f"{where}`{moment.text}` does not say its offset, and a series belongs to no site"
        written.add(path, Fault("bad_value", wrong, "write it as 2026-03-04T10:00Z or 2026-03-04T11:00+01:00"))
        return None
    return (moment.stamp - _EPOCH) // timedelta(milliseconds=1)


def _in_file(written: Written, name: str, folder: FilePath | None, path: Path) -> Iterator[Point]:
    """The rows of a CSV: `start,price` or `start,end,price`."""
    if folder is None:
        written.add(path, Fault("bad_value", "there is no file that the path could be relative to", "write `prices`"))
        return
    try:
        rows = list(csv.reader((folder / name).read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        written.add(
            path, Fault("bad_value", f"{name} cannot be read ({error})", "check the path: it is relative to this file")
        )
        return
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if header not in _HEADERS:
        wrong = f"{name} line 1 is `{','.join(header)[:60]}`"
        written.add(path, Fault("bad_value", wrong, "begin with the line `start,price` or `start,end,price`"))
        return
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        where = f"{name} line {line}: "
        try:
            if len(row) != len(header):
                written.add(path, Fault("bad_value", f"{where}{len(row)} values", f"write {len(header)}"))
                continue
            times = [_instant(written, read_moment(cell.strip()), path, where) for cell in row[:-1]]
            price = read_rate(row[-1].strip())
        except PydanticCustomError as error:
            context = error.context or {}
            written.add(path, Fault("bad_value", where + context["wrong"], context["do"]))
            continue
        if times[0] is not None:
            yield Point(times[0], times[1] if len(times) > 1 else None, price, path, line)


def _spans(
    written: Written, shape: SeriesShape, points: list[Point], path: Path
) -> tuple[tuple[int, tuple[Decimal, ...]], ...]:
    """Prices without a gap between them, by the instant at which the first begins."""
    step_ms = shape.step * 1000
    spans: list[tuple[int, list[Decimal]]] = []
    end = None
    if len(points) > MOST_PRICES:
        wrong = f"{len(points):,} prices are more than {MOST_PRICES:,}"
        written.add(path, Fault("bad_value", wrong, "begin a new series, and a tariff version with it"))
        return ()
    for point in sorted(points, key=lambda item: item.start_ms):
        where = f"line {point.line}: " if point.line else ""
        if point.end_ms not in (None, point.start_ms + step_ms):
            wrong = f"{where}the price of {_shown(point.start_ms)} is not for {shape.step // 60} minutes"
            written.add(point.path, Fault("bad_value", wrong, "give every price of a series the same `step`"))
        elif end is not None and point.start_ms < end:
            wrong = f"{where}{_shown(point.start_ms)} has a price already"
            written.add(point.path, Fault("version_overlap", wrong, "keep one price for each step"))
        elif point.start_ms % 60_000:
            wrong = f"{where}{_shown(point.start_ms)} is no whole minute"
            written.add(point.path, Fault("bad_value", wrong, "begin each step at a full minute"))
        else:
            if end == point.start_ms:
                spans[-1][1].append(point.price)
            else:
                spans.append((point.start_ms, [point.price]))
            end = point.start_ms + step_ms
    return tuple((start, tuple(prices)) for start, prices in spans)


def _shown(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%MZ}"
