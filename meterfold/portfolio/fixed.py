"""What can never change once it is in force: a new one gets a new id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from meterfold.portfolio.model import Key, Portfolio
from meterfold.portfolio.problem import Problem
from meterfold.portfolio.records import Body

_FIELDS: Final = {
    "legal_entity": ("currency",),
    "account": ("legal_entity", "currency"),
    "tariff": ("currency",),
    "series": ("unit", "currency", "step_s"),
}
_OF_A_CHANNEL: Final = {"kind": "kind", "unit": "unit", "interval_s": "interval", "grid_s": "billing_grid"}


def fixed_problems(
    portfolio: Portfolio, old: Mapping[Key, Body], new: Mapping[Key, Body], records: Iterable[Mapping[str, Any]]
) -> Iterator[Problem]:
    """A `fixed` problem for each field that the file changes and must not.

    `old` is in force and not withdrawn; `records` are all `reference` records known, since the fold never forgets a channel.
    """
    for key, body in new.items():
        for name in _FIELDS.get(key[0], ()):
            if key in old and old[key][name] != body[name]:
                yield _problem(portfolio, key, (name,), f"{old[key][name]} is in force, the file says {body[name]}")
    devices = [record["body"] for record in records if record["kind"] == "device"]
    fed = {(item["supply_point"], item["channel"]): item for body in devices for item in body["channels"]}
    for point, channel in sorted(fed):
        yield from _channel_problems(portfolio, point, channel, fed[point, channel])
    metered = {
        (item["supply_point"], body["site"])
        for key, body in old.items()
        if key[0] == "device"
        for item in body["assignments"]
    }
    for point, site in sorted(metered):
        yield from _point_problems(portfolio, point, site)
    for site in sorted({site for _, site in metered}):
        yield from _clock_problems(portfolio, site, old)


def _channel_problems(portfolio: Portfolio, point: str, channel: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    """Kind, unit and grids of a channel that meters feed or have fed; and it stays."""
    if point not in portfolio.supply_points:
        return
    key, path = ("supply_point", point), ("channels", channel)
    now = portfolio.supply_points[point].channels.get(channel)
    if now is None:
        yield _problem(portfolio, key, path, "the channel is in force, and its supply point no longer has it")
        return
    for name, written in _OF_A_CHANNEL.items():
        if getattr(now, name) != item[name]:
            wrong = f"{item[name]} is in force, the file says {getattr(now, name)}"
            yield _problem(portfolio, key, (*path, written), wrong)


def _point_problems(portfolio: Portfolio, point: str, site: str) -> Iterator[Problem]:
    """The site of a supply point that is metered."""
    now = portfolio.supply_points.get(point)
    if now is not None and now.site is not None and now.site.id != site:
        wrong = f"meters report for it at site {site}, the file says {now.site.id}"
        yield _problem(portfolio, ("supply_point", point), ("site",), wrong)


def _clock_problems(portfolio: Portfolio, site: str, old: Mapping[Key, Body]) -> Iterator[Problem]:
    """The clock of a site where meters report: grids and local days hang on it."""
    before, after = old.get(("site", site)), portfolio.sites.get(site)
    if before is not None and after is not None and before["time_zone"] != after.time_zone:
        wrong = f"meters report there in {before['time_zone']}, the file says {after.time_zone}"
        yield _problem(portfolio, ("site", site), ("time_zone",), wrong)


def _problem(portfolio: Portfolio, key: Key, path: tuple[str, ...], wrong: str) -> Problem:
    do = "keep what is in force, and give the new one an id of its own"
    return portfolio.document.problem("fixed", (*portfolio.paths[key], *path), wrong, do)
