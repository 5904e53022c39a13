"""Which accounts a change reaches, and on which days: the bills there may come out differently.

Computed from what changed, not from amounts: a day is named when an input of its bill is another one. The command line intersects this with
what has been issued.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from meterfold.portfolio.calendar import local_date
from meterfold.portfolio.model import Key
from meterfold.portfolio.records import Body
from meterfold.portfolio.spans import FOREVER, Span, changed, closed, common, joined
from meterfold.portfolio.vacancies import with_vacancies

_FACTS = "supply_point channel register role multiplier decimals digits nano_per_count max_nano_per_hour".split()


@dataclass(frozen=True, slots=True)
class Touch:
    """The bills of an account for the days [from_date, to_date) (None: without end) have another input, and why."""

    account: str
    from_date: date
    to_date: date | None
    why: str

    def __str__(self) -> str:
        return (
            f"account {self.account} from {self.from_date} {f'to {self.to_date}' if self.to_date else 'on'}: {self.why}"
        )


class _Patch(NamedTuple):
    """Days on which something of the given kind and id is another; `echoes`: what is metered or priced, so that ratchets see it later."""

    kind: str
    id: str
    days: Span
    why: str
    echoes: bool = True


State = Mapping[Key, Body]
"""Bodies by (kind, id); what is withdrawn is not in it."""


def touches(old: State, new: State) -> list[Touch]:
    """Every account whose inputs differ between two states, with joined days per account and reason; nothing before `billing_from`."""
    old, new = with_vacancies(old), with_vacancies(new)
    tenancies = _Tenancies([*old.items(), *(item for item in new.items() if old.get(item[0]) != item[1])])
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for patch in (patch for key in sorted({*old, *new}) for patch in _patches(key, old, new)):
        for account, days in tenancies.reached(patch):
            found[(account, patch.why)].append(tenancies.echoed(account, days) if patch.echoes else days)
    result = []
    for (account, why), spans in sorted(found.items()):
        begin = min(
            _ordinal(state["account", account]["billing_from"]) for state in (old, new) if ("account", account) in state
        )
        for start, end in joined(part for span in spans if (part := common(span, (begin, FOREVER)))):
            result.append(Touch(account, date.fromordinal(start), _day_or_none(end), why))
    return result


class _Tenancies:
    """Tenancies of the old and the new state, found by supply point, tariff or account."""

    def __init__(self, items: Iterable[tuple[Key, Body]]) -> None:
        self._found: dict[Key, list[Body]] = defaultdict(list)
        self._look_back: dict[str, int] = defaultdict(int)
        for (kind, id_), body in items:
            if kind == "tenancy":
                for name in ("supply_point", "tariff", "account"):
                    self._found[name, body[name]].append(body)
            elif kind == "tariff":
                self._look_back[id_] = max(self._look_back[id_], _look_back(body))

    def reached(self, patch: _Patch) -> Iterator[tuple[str, Span]]:
        """(account, days) that a patch reaches."""
        if patch.kind == "account":
            yield patch.id, patch.days
            return
        for tenancy in self._found.get((patch.kind, patch.id), ()):
            days = common(patch.days, _tenancy_days(tenancy))
            if days:
                yield tenancy["account"], days

    def echoed(self, account: str, days: Span) -> Span:
        """The days, and after them those whose billed demand looks back at them, while the account has a tenancy."""
        tenancies = self._found["account", account]
        months = max((self._look_back[body["tariff"]] for body in tenancies), default=0)
        if not months or days[1] >= FOREVER:
            return days
        end = max(_tenancy_days(body)[1] for body in tenancies)
        return days[0], max(days[1], min(_months_later(days[1] - 1, months) + 1, end))


def _look_back(tariff: Body) -> int:
    """The longest look-back of a tariff's ratchets, in months."""
    charges = (charge for version in tariff["versions"] for charge in version.get("charges") or ())
    return max((charge["ratchet"]["months"] for charge in charges if charge.get("ratchet")), default=0)


def _months_later(ordinal: int, months: int) -> int:
    """The same day of a later month, or its last."""
    day = date.fromordinal(ordinal)
    years, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + years, month + 1)[1]
    return date(day.year + years, month + 1, min(day.day, last)).toordinal()


def _patches(key: Key, old: State, new: State) -> Iterator[_Patch]:
    before, after = old.get(key), new.get(key)
    if before == after:
        return
    match key[0]:
        case "tenancy":
            yield from _tenancy_patches(key[1], before, after)
        case "tariff":
            yield from (_Patch("tariff", key[1], days, f"tariff {key[1]}") for days in _tariff_days(before, after))
        case "tax" if before and after:
            tariffs = {
                id_
                for state in (old, new)
                for (kind, id_), body in state.items()
                if kind == "tariff" and _names_tax(body, key[1])
            }
            for days in _tax_days(before, after):
                yield from (_Patch("tariff", tariff, days, f"tax {key[1]}", echoes=False) for tariff in sorted(tariffs))
        case "series" if before and after:
            tariffs = {
                id_
                for state in (old, new)
                for (kind, id_), body in state.items()
                if kind == "tariff" and _is_at(body, key[1])
            }
            for days in _price_days(before, after):
                yield from (
                    _Patch("tariff", tariff, days, f"series {key[1]}", echoes=False) for tariff in sorted(tariffs)
                )
        case "account" if before and after:
            yield from _account_patches(key[1], before, after)
        case "device":
            yield from _device_patches(key[1], before, after, {**old, **new})
        case "site" if before and after:
            points = [
                point
                for (kind, point), body in {**old, **new}.items()
                if kind == "supply_point" and body["site"] == key[1]
            ]
            for days in _calendar_days(before, after):
                yield from (_Patch("supply_point", point, days, f"calendar of site {key[1]}") for point in points)


def _tenancy_patches(id_: str, before: Body | None, after: Body | None) -> Iterator[_Patch]:
    old, new = ([_tenancy_days(body)] if body else [] for body in (before, after))
    same = before and after and all(before[key] == after[key] for key in ("account", "supply_point", "tariff"))
    for days in changed(old, new) if same else joined([*old, *new]):
        for account in sorted({body["account"] for body in (before, after) if body}):
            yield _Patch("account", account, days, f"tenancy {id_}")
    if before and after and same:
        yield from (_Patch("account", after["account"], days, f"tenancy {id_}") for days in _number_days(before, after))


def _number_days(before: Body, after: Body) -> Iterator[Span]:
    """From the first day on which a number is another to the end of the tenancy."""
    old, new = (
        {(item["name"], item["from"], item["value"]) for item in body.get("numbers") or ()} for body in (before, after)
    )
    if old != new:
        yield _ordinal(min(since for _, since, _ in old ^ new)), _tenancy_days(after)[1]


def _account_patches(id_: str, before: Body, after: Body) -> Iterator[_Patch]:
    start, other = _ordinal(before["billing_from"]), _ordinal(after["billing_from"])
    if start != other:
        yield _Patch("account", id_, (min(start, other), max(start, other)), "billing_from")
    if before["calendar"] != after["calendar"]:
        yield _Patch("account", id_, (min(start, other), FOREVER), "calendar")
    for days in _treatment_days(before, after):
        yield _Patch("account", id_, days, "taxes", echoes=False)
    if before["opening_position"] != after["opening_position"]:
        yield _Patch("account", id_, (other, other + 1), "opening_position", echoes=False)


def _names_tax(tariff: Body, tax: str) -> bool:
    return any(item.get("tax") == tax for version in tariff["versions"] for item in version.get("taxes") or ())


def _is_at(tariff: Body, series: str) -> bool:
    return any(item.get("series") == series for version in tariff["versions"] for item in version.get("charges") or ())


def _price_days(before: Body, after: Body) -> list[Span]:
    """Days, a day on either side included for every clock, on which a price is another."""
    old, new = _prices(before), _prices(after)
    differ = (start for start in {*old, *new} if old.get(start) != new.get(start))
    days = {start // 86_400_000 + date(1970, 1, 1).toordinal() for start in differ}
    return joined((day - 1, day + 2) for day in days)


def _prices(series: Body) -> dict[int, str]:
    step_ms = series["step_s"] * 1000
    return {
        span["from_ms"] + place * step_ms: price
        for span in series["spans"]
        for place, price in enumerate(span["prices"].split(" "))
    }


def _tax_days(before: Body, after: Body) -> list[Span]:
    """Days on which the rate is another; all of them, where the rules are."""
    if any(before[key] != after[key] for key in {*before, *after} - {"rates"}):
        return [(date.min.toordinal(), FOREVER)]
    old, new = ({_ordinal(item["from"]): item for item in body["rates"]} for body in (before, after))
    edges = sorted({*old, *new, FOREVER})
    return joined((start, end) for start, end in pairwise(edges) if _at(old, start) != _at(new, start))


def _treatment_days(before: Body, after: Body) -> list[Span]:
    """Days on which a tax is treated otherwise."""
    old, new = _treated(before), _treated(after)
    return joined(span for key in sorted({*old, *new}) for span in changed(old.get(key, []), new.get(key, [])))


def _treated(account: Body) -> dict[tuple[str, ...], list[Span]]:
    found: dict[tuple[str, ...], list[Span]] = defaultdict(list)
    for item in account.get("taxes") or ():
        found[item["tax"], item["treatment"], item["evidence"]].append(_tenancy_days(item))
    return found


def _tariff_days(before: Body | None, after: Body | None) -> list[Span]:
    """Days on which another version, or a version that says something else, is in effect."""
    old, new = (_in_effect(body) for body in (before, after))
    edges = sorted({*old, *new, FOREVER})
    return joined((start, end) for start, end in pairwise(edges) if _at(old, start) != _at(new, start))


def _in_effect(tariff: Body | None) -> dict[int, Body]:
    """What is charged, by the day from which it is; the label `version` charges nothing."""
    versions = tariff["versions"] if tariff else []
    skipped = ("version", "effective_from")
    return {
        _ordinal(item["effective_from"]): {key: item[key] for key in item if key not in skipped} for item in versions
    }


def _at(effect: Mapping[int, Body], day: int) -> Body | None:
    starts = [start for start in effect if start <= day]
    return effect[max(starts)] if starts else None


def _device_patches(id_: str, before: Body | None, after: Body | None, state: State) -> Iterator[_Patch]:
    """Where a register feeds something else, or with another factor, than before."""
    old, new = _facts(before), _facts(after)
    offsets = state["site", (after or before or {})["site"]]["utc_offsets"]
    for fact in sorted({*old, *new}, key=str):
        for start_ms, end_ms in changed(old.get(fact, []), new.get(fact, [])):
            end = local_date(end_ms - 1, offsets).toordinal() + 1 if end_ms < FOREVER else FOREVER
            yield _Patch(
                "supply_point", str(fact[0]), (local_date(start_ms, offsets).toordinal(), end), f"device {id_}"
            )


def _facts(device: Body | None) -> dict[tuple[Any, ...], list[Span]]:
    facts: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
    for row in device["registers"] if device else []:
        facts[tuple(row[key] for key in _FACTS)].append(closed(row["from_ms"], row["to_ms"]))
    return facts


def _calendar_days(before: Body, after: Body) -> Iterator[Span]:
    """Holidays come or gone, and everything from the first UTC offset that differs."""
    for day in sorted(set(before["holidays"]) ^ set(after["holidays"])):
        yield _ordinal(day), _ordinal(day) + 1
    old, new = ({tuple(row) for row in body["utc_offsets"]} for body in (before, after))
    if old != new:
        since_ms = max(min(from_ms for from_ms, _ in old ^ new), 0)
        yield local_date(since_ms, after["utc_offsets"]).toordinal(), FOREVER


def _tenancy_days(tenancy: Body) -> Span:
    return _ordinal(tenancy["from"]), _ordinal(tenancy["to"]) if tenancy["to"] else FOREVER


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def _day_or_none(ordinal: int) -> date | None:
    return None if ordinal >= FOREVER else date.fromordinal(ordinal)
