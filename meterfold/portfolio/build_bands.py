"""Bands and other times of use: each with a minute of its own, and bands of a channel so that every minute of every year has one."""

from __future__ import annotations

from collections.abc import Sequence

from meterfold.portfolio.bands import describe_unpriced, unused_bands
from meterfold.portfolio.model_tariffs import Band, When
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import BandShape, WhenShape


def build_bands(written: Written, shapes: Sequence[BandShape], path: Path) -> tuple[Band, ...]:
    """The bands that price a channel, in the order in which they are tried. `path` is that of their list."""
    places = [(*path, position) for position in range(len(shapes))]
    bands = [
        Band(item.name, item.rate, item.months, item.days, item.from_, _end(written, item, where))
        for item, where in zip(shapes, places, strict=True)
    ]
    check_names(written, [band.name for band in bands], path, "band")
    for gap in describe_unpriced(bands)[:3]:
        do = "add a band for it, or a last band without months, days and times for the rest"
        written.add(path, Fault("unpriced", f"no band prices {gap}", do))
    for position in sorted(unused_bands(bands)):
        do = "the first band that matches prices a minute: put the narrower band first, or remove this one"
        written.add(places[position], Fault("unused_band", f"band {bands[position].name} never applies", do))
    return tuple(bands)


def build_whens(written: Written, shapes: Sequence[WhenShape], path: Path) -> tuple[When, ...]:
    """The times that a charge looks at; none of them means all times."""
    whens = []
    for position, item in enumerate(shapes):
        where = (*path, position)
        if not item.model_fields_set:
            do = "say months, days or times, or leave `when` out for all times"
            written.add(where, Fault("missing_key", "is empty", do))
        whens.append(When(item.months, item.days, item.from_, _end(written, item, where)))
    return tuple(whens)


def check_names(written: Written, names: Sequence[str], path: Path, what: str) -> None:
    """Bands or tiers of one list have names of their own."""
    for position, name in enumerate(names):
        if name in names[:position]:
            wrong = f"the charge already has a {what} {name}"
            do = "give each a name of its own: bills show it"
            written.add((*path, position, "name"), Fault("band_name_reused", wrong, do))


def _end(written: Written, shape: BandShape | WhenShape, path: Path) -> int:
    """The end in minutes. Times may pass midnight; but not with `days`, since whose day the small hours are is not clear then."""
    end = 1440 if shape.to == 0 else shape.to
    if shape.from_ in (end, 1440):
        do = "leave `from` and `to` out for the whole day"
        written.add((*path, "to"), Fault("empty_span", "has no minute", do))
    if shape.from_ > end and shape.days is not None:
        wrong = "a time of some days that passes midnight"
        do = "write two: one until 24:00 and one from 00:00, each with its own days"
        written.add((*path, "days"), Fault("bad_value", wrong, do))
    return end
