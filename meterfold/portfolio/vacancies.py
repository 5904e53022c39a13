"""The days of a supply point that no tenancy covers, and to whom they are charged.

A vacancy is never written down: it is what tenancies leave, so changing one moves its days by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from meterfold.portfolio.model import Ending, Key, SupplyPoint, Tenancy
from meterfold.portfolio.records import Body

Days = tuple[date, date | None]
"""From the first day to the day after the last (None: open)."""


def gaps(spans: Iterable[Days], since: date | None) -> list[Days]:
    """What spans leave uncovered from `since` on (None: from the first of them; without any, nothing)."""
    listed = sorted((span for span in spans if span[1] is None or span[0] < span[1]), key=lambda span: span[0])
    if since is None and not listed:
        return []
    covered: date | None = listed[0][0] if since is None else since
    found: list[Days] = []
    for start, end in listed:
        if covered is None:
            break
        if covered < start:
            found.append((covered, start))
        covered = None if end is None else max(covered, end)
    return found if covered is None else [*found, (covered, None)]


def vacancy_id(supply_point: str, first: object) -> str:
    """How a stretch without a tenancy is called where a tenancy's id stands."""
    return f"vacant/{supply_point}/{first}"


def vacancies(
    points: Mapping[str, SupplyPoint], tenancies: Iterable[Tenancy], endings: Mapping[Key, Ending]
) -> list[Tenancy]:
    """The charged vacancies of supply points, as the tenancies that they are billed like."""
    occupied: dict[str, list[Days]] = defaultdict(list)
    for tenancy in tenancies:
        ending = endings.get(("tenancy", tenancy.id))
        if ending is None or ending.at is not None:
            occupied[tenancy.supply_point].append((tenancy.from_day, tenancy.to_day))
    found = []
    for point in points.values():
        ending = endings.get(("supply_point", point.id))
        if point.vacant is None or (ending is not None and ending.at is None):
            continue
        last = ending.at.stamp.date() if ending and ending.at else None
        for first, end in gaps(occupied[point.id], point.vacant.from_day):
            stretch = Tenancy(
                vacancy_id(point.id, first), point.vacant.account, point.id, first, end, point.vacant.tariff
            )
            if last is None:
                found.append(stretch)
            elif first < last:
                found.append(replace(stretch, to_day=min(end or last, last)))
    return found


def with_vacancies(state: Mapping[Key, Body]) -> dict[Key, Body]:
    """Bodies in force, and a tenancy's body for each charged vacancy."""
    occupied: dict[str, list[Days]] = defaultdict(list)
    for (kind, _), body in state.items():
        if kind == "tenancy":
            occupied[body["supply_point"]].append((date.fromisoformat(body["from"]), _day(body["to"])))
    found = dict(state)
    for (kind, point), body in state.items():
        vacant = body.get("vacant") if kind == "supply_point" else None
        if vacant is None:
            continue
        last = _day(vacant.get("to"))
        for first, end in gaps(occupied[point], _day(vacant["from"])):
            until = end if last is None else min(end or last, last)
            if until is None or first < until:
                found["tenancy", vacancy_id(point, first)] = {
                    "account": vacant["account"],
                    "supply_point": point,
                    "from": first.isoformat(),
                    "to": until.isoformat() if until else None,
                    "tariff": vacant["tariff"],
                }
    return found


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
