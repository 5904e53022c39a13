"""What is in force, as the billing log says it, and what the file wants in force instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meterfold.portfolio.calendar import EARLIEST_YEAR, to_instant
from meterfold.portfolio.model import Ending, Key, Portfolio
from meterfold.portfolio.problem import Fault, Problem
from meterfold.portfolio.records import KIND_ORDER, Body, bodies, calendar_digest, ended_body
from meterfold.portfolio.sequence import fed_channels
from meterfold.portfolio.spans import FOREVER, closed, common, open_end

Wanted = tuple[Body, Body | None]
"""(body, ended) that a reference record is to carry."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The latest `reference` record of one object."""

    version: int
    body: Body
    ended: Body | None

    @property
    def withdrawn(self) -> bool:
        """It should never have been, and counts nowhere."""
        return bool(self.ended and self.ended.get("withdrawn"))


def latest(records: Iterable[Mapping[str, Any]]) -> dict[Key, InForce]:
    """The highest version of each object, from `reference` records in any order."""
    found: dict[Key, InForce] = {}
    for record in records:
        key = (record["kind"], record["id"])
        if key not in found or record["version"] > found[key].version:
            found[key] = InForce(record["version"], record["body"], record["ended"])
    return found


def raw_versions(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The highest version of each device's raw records, as far as they are among `records`."""
    found: dict[str, int] = {}
    for record in records:
        if record.get("type") in ("assignment", "configuration"):
            found[record["device"]] = max(record["version"], found.get(record["device"], 0))
    return found


def wanted(portfolio: Portfolio, old: Mapping[Key, InForce], problems: list[Problem]) -> dict[Key, Wanted]:
    """Every object of the file; for one of which it says no more than its end, the body in force, cut to that end.

    Objects come in `KIND_ORDER`, then by id. What cannot end is added to `problems`.
    """
    given = bodies(portfolio)
    found: dict[Key, Wanted] = {}
    for key in sorted({*given, *portfolio.endings}, key=lambda item: (KIND_ORDER.index(item[0]), item[1])):
        ending = portfolio.endings.get(key)
        result = _object(key, ending, given, old) if ending else (given[key], None)
        if isinstance(result, Fault):
            problems.append(portfolio.document.problem(result.code, portfolio.paths[key], result.wrong, result.do))
        else:
            found[key] = result
    return found


def _object(key: Key, ending: Ending, given: Mapping[Key, Body], old: Mapping[Key, InForce]) -> Wanted | Fault:
    """An object that ends. One given in full was cut when it was built."""
    if key not in given and key not in old:
        wrong = f"{key[0].replace('_', ' ')} {key[1]} is not in force, so it cannot end"
        return Fault("not_in_force", wrong, "correct the id, or remove the entry")
    body = given[key] if key in given else old[key].body
    if key[0] == "device":
        place = ("site", body["site"])
        return _device(body, ending, given[place] if place in given else old[place].body, whole=key in given)
    if key[0] == "tenancy" and key not in given and ending.at is not None:
        day = ending.at.stamp.date().isoformat()
        if day <= body["from"]:
            return Fault(
                "empty_span", f"{day} is not after its beginning, {body['from']}", "withdraw it, if it never was"
            )
        body = {**body, "to": min(body["to"] or day, day)}
    if key[0] == "supply_point" and ending.at is not None and body.get("vacant"):
        day = ending.at.stamp.date().isoformat()
        body = {**body, "vacant": {**body["vacant"], "to": day}}
    return body, ended_body(ending)


def _device(body: Body, ending: Ending, site: Body, whole: bool) -> Wanted | Fault:
    """A device that ends by the clock of its site, with its timeline cut there; nothing is left of one that is withdrawn."""
    end_ms = None if ending.at is None else to_instant(ending.at, site["utc_offsets"], EARLIEST_YEAR)
    if isinstance(end_ms, Fault):
        return end_ms
    if not whole:
        rows = {
            name: _until(body[name], -FOREVER if end_ms is None else end_ms) for name in ("assignments", "registers")
        }
        digest = calendar_digest(body["site"], site)
        channels = fed_channels(body["channels"], rows["registers"])
        body = {**body, "calendar_sha256": digest, **rows, "channels": channels}
    return body, ended_body(ending, end_ms)


def _until(rows: Iterable[Body], end_ms: int) -> list[Body]:
    cut = ((row, common(closed(row["from_ms"], row["to_ms"]), (-FOREVER, end_ms))) for row in rows)
    return [{**row, "from_ms": span[0], "to_ms": open_end(span[1])} for row, span in cut if span]
