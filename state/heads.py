"""Heads: what the fold keeps of its supply points outside the tables, as lines of JSON, made again only where something may have changed.

Three lines a supply point: its name, what is configured, and what has come of it. What is configured is long and seldom changes, so
its line is made anew only when the objects it was made of are others. Calendars are the same for many: they are numbered and named once.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from state.calendar import Calendar
from state.channel import Channel
from state.configuration import ChannelDefinition
from state.fold import Fold
from state.packing import (
    pack_channel,
    pack_definition,
    pack_point,
    pack_view,
    spans_of_stream,
    unpack_channel,
    unpack_definition,
    unpack_point,
    unpack_view,
)
from state.registers import Stream
from state.supply_point import SupplyPoint

LINES: Final = 3
"""Of a supply point."""


class Head(NamedTuple):
    """A supply point's lines after its name."""

    configured: bytes
    course: bytes


class Heads:
    """The heads of a fold as they were last taken."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}
        self._made_of: dict[str, tuple[object, ...]] = {}
        """What each line of what is configured was made of: views and definitions, which never change."""
        self._calendars: dict[str, int] = {}
        self._told = 0

    def take(self, fold: Fold, *, whole: bool) -> tuple[list[Any], list[bytes]]:
        """(calendars that are new, lines of the supply points that have changed); all of both if `whole`."""
        changed = [name for name in sorted(fold.touched) if self._make(fold.points[name])]
        fold.touched.clear()
        if whole:
            changed, self._told = sorted(self._heads), 0
        new = [json.loads(text) for text in list(self._calendars)[self._told :]]
        self._told = len(self._calendars)
        return new, [line for name in changed for line in (_line(name), *self._heads[name])]

    def remember(self, point: SupplyPoint, head: Head) -> None:
        """Note the head that a supply point was restored from."""
        self._heads[point.name] = head
        self._made_of[point.name] = tuple(_configuration_of(point))

    def remember_calendars(self, sources: list[Any]) -> None:
        """Note calendars that a snapshot has named, in their order."""
        for source in sources:
            self._number(source)
        self._told = len(self._calendars)

    def _make(self, point: SupplyPoint) -> bool:
        """Make a head anew; False if it is what it was."""
        before, made_of = self._heads.get(point.name), tuple(_configuration_of(point))
        was_made_of = self._made_of.get(point.name, ())
        if before is not None and _are_same(made_of, was_made_of):
            configured = before.configured
        else:
            configured = _line(
                {
                    "views": [pack_view(view, self._number) for _, view in sorted(point.views.items())],
                    "channels": [pack_definition(c.definition, self._number) for c in _in_order(point)],
                }
            )
            self._made_of[point.name] = made_of
        now = Head(configured, _line(_course(point)))
        self._heads[point.name] = now
        return now != before

    def _number(self, source: Mapping[str, Any]) -> int:
        """The number of a calendar: one for all that say the same."""
        return self._calendars.setdefault(json.dumps(source, sort_keys=True), len(self._calendars))


def restore_point(fold: Fold, name: str, head: Head, calendars: list[Calendar]) -> SupplyPoint:
    """Give a fold a supply point whose channels and streams lie in its tables already."""
    configured, course = json.loads(head.configured), json.loads(head.course)
    point = fold.points[name] = SupplyPoint(name, fold.tables)
    unpack_point(point, course)
    for item in configured["views"]:
        point.views[item["device"]] = unpack_view(item, calendars.__getitem__)
    for device, register, number in course["streams"]:
        stream = point.streams[device, register] = Stream(device, register, fold.tables, number)
        stream.resume(spans_of_stream(point, stream))
    for defined, item in zip(configured["channels"], course["channels"], strict=True):
        definition = _of_a_view(point, configured["views"], defined)
        if definition is None:
            definition = unpack_definition(defined, calendars.__getitem__)
        unpack_channel(Channel(name, definition, fold.tables, number=item["number"]), item, point)
    return point


def _of_a_view(point: SupplyPoint, views: list[Any], defined: Mapping[str, Any]) -> ChannelDefinition | None:
    """The definition in a view that says the same, which is nearly always where it came from; None if the view has gone."""
    wanted = dict(defined["definition"])
    version = wanted.pop("config_version")
    for item in views:
        if (item["version"], item["calendar"]) == (version, defined["calendar"]) and wanted in item["channels"]:
            place: int = item["channels"].index(wanted)
            return point.views[item["device"]].channels[place]
    return None


def _course(point: SupplyPoint) -> dict[str, Any]:
    return {
        **pack_point(point),
        "streams": [[*key, stream.number] for key, stream in sorted(point.streams.items())],
        "channels": [{**pack_channel(channel), "number": channel.number} for channel in _in_order(point)],
    }


def _configuration_of(point: SupplyPoint) -> Iterator[object]:
    for _, view in sorted(point.views.items()):
        yield view
    for channel in _in_order(point):
        yield channel.definition


def _in_order(point: SupplyPoint) -> list[Channel]:
    return [channel for _, channel in sorted(point.channels.items())]


def _are_same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def _line(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
