"""Tariffs whose prices change by editions alone: what a load may still say about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from meterfold.portfolio.in_force import InForce, Wanted
from meterfold.portfolio.model import Key, Portfolio
from meterfold.portfolio.problem import Problem
from meterfold.portfolio.records import Body

_ROLLS_OUT: Final = ("staged", "effective")


@dataclass(frozen=True, slots=True)
class Editions:
    """The editions of one tariff that rate somebody. `effective`: (number, body) of the one that rates whoever nothing is staged for."""

    rolled_out: tuple[int, ...]
    effective: tuple[int, Body] | None


def editions_in_force(records: Iterable[Mapping[str, Any]]) -> dict[str, Editions]:
    """By tariff, from the `tariff_change` records among `records`, which stand in the order of the log."""
    bodies: dict[tuple[str, int], Body] = {}
    steps: dict[tuple[str, int], list[str]] = {}
    order: list[tuple[str, int]] = []
    for record in records:
        if record.get("type") == "tariff_change":
            key = (record["tariff"], record["edition"])
            steps.setdefault(key, []).append(record["action"])
            if record["action"] == "drafted":
                bodies[key] = record["body"]
            elif record["action"] == "effective":
                order.append(key)
    standing = [key for key in steps if "withdrawn" not in steps[key] and any(map(steps[key].__contains__, _ROLLS_OUT))]
    found = {}
    for tariff in {tariff for tariff, _ in standing}:
        last = [key for key in order if key in standing and key[0] == tariff][-1:]
        numbers = tuple(sorted(number for other, number in standing if other == tariff))
        found[tariff] = Editions(numbers, (last[0][1], bodies[last[0]]) if last else None)
    return found


def under_control(
    portfolio: Portfolio,
    old: Mapping[Key, InForce],
    new: dict[Key, Wanted],
    records: Iterable[Mapping[str, Any]],
    problems: list[Problem],
) -> None:
    """Refuse other prices for a tariff that an edition rates, or that is used under a legal entity with change control.

    A file that says what the edition in effect says has caught up: in `new` its tariff then stays what it was.
    """
    editions = editions_in_force(records)
    guards = _guards(old, new)
    for key in [key for key in new if key[0] == "tariff" and key in old]:
        body, ended = new[key]
        tariff = key[1]
        if body == old[key].body or not (tariff in editions or tariff in guards):
            continue
        effective = editions[tariff].effective if tariff in editions else None
        if effective and body == effective[1]:
            new[key] = (old[key].body, ended)
            continue
        if tariff in editions:
            names = ", ".join(f"{tariff}#{number}" for number in editions[tariff].rolled_out)
            wrong = f"the file has other prices, and editions rate this tariff ({names}): nobody would be charged by the file"
        else:
            wrong = f"the file has other prices, and legal entity {guards[tariff]} has change control"
        do = f"draft an edition from the same file: `meterfold tariff draft FILE {tariff}`"
        problems.append(portfolio.document.problem("change_control", portfolio.paths[key], wrong, do))


def _guards(old: Mapping[Key, InForce], new: Mapping[Key, Wanted]) -> dict[str, str]:
    """Tariffs that an account of a legal entity with change control is on, in force or in the file, and that legal entity."""
    bodies = [(key, item.body) for key, item in old.items() if not item.withdrawn]
    bodies += [(key, body) for key, (body, ended) in new.items() if not (ended and ended.get("withdrawn"))]
    entities = {id_ for (kind, id_), body in bodies if kind == "legal_entity" and body.get("change_control")}
    owner = {id_: body["legal_entity"] for (kind, id_), body in bodies if kind == "account"}
    uses = [body for (kind, _), body in bodies if kind == "tenancy"]
    uses += [body["vacant"] for (kind, _), body in bodies if kind == "supply_point" and body.get("vacant")]
    return {use["tariff"]: owner[use["account"]] for use in uses if owner.get(use["account"]) in entities}
