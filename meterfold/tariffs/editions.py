"""Editions of tariffs as values: where each stands, and whom it rates. States are a view over the billing log (`tariff_editions`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from connectors.clickhouse import Store

_NAMED: Final = re.compile(r"(?P<tariff>.+)#(?P<edition>[1-9][0-9]{0,9})")


class UnknownEdition(LookupError):
    """There is no edition, or no tariff, of that name. The message says which there are."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a tariff. People are as they claimed to be.

    `state`: drafted, proposed, approved, staged, effective, superseded (a later one is effective) or withdrawn. `sites` and `tenancies`:
    those that it was staged for.
    """

    tariff: str
    edition: int
    state: str
    drafted_by: str
    proposed_by: str
    approved_by: str
    sites: tuple[str, ...]
    tenancies: tuple[str, ...]
    last_booked_at: datetime

    @property
    def name(self) -> str:
        return f"{self.tariff}#{self.edition}"

    @property
    def rates(self) -> str:
        """Whom it rates now, in words."""
        if self.state == "effective":
            return "everybody on the tariff, but for what was staged later"
        if self.state == "staged":
            return "; ".join(
                f"{kind} {', '.join(names)}"
                for kind, names in (("sites", self.sites), ("tenancies", self.tenancies))
                if names
            )
        return "nobody"


@dataclass(frozen=True, slots=True)
class Step:
    """One record of an edition. `billing_offset`: where it stands in the billing log; from there on it counts."""

    action: str
    person: str
    reason: str
    sites: tuple[str, ...]
    tenancies: tuple[str, ...]
    booked_at: datetime
    billing_offset: int


_EDITIONS: Final = """
SELECT tariff, edition, state, drafted_by, proposed_by, approved_by, sites, tenancies, fromUnixTimestamp64Milli(last_booked_ms, 'UTC') AS at
FROM tariff_editions
WHERE {tariff:String} IN ('', tariff)
ORDER BY tariff, edition
"""
_STEPS: Final = """
SELECT action, person, reason, sites, tenancies, fromUnixTimestamp64Milli(booked_ms, 'UTC') AS at, billing_offset
FROM tariff_changes FINAL
WHERE tariff = {tariff:String} AND edition = {edition:UInt32}
ORDER BY billing_offset
"""


def editions(store: Store, tariff: str = "") -> tuple[Edition, ...]:
    """Editions of one tariff, or of all, in order."""
    return tuple(
        Edition(of, number, state, drafted_by, proposed_by, approved_by, tuple(sites), tuple(tenancies), at)
        for of, number, state, drafted_by, proposed_by, approved_by, sites, tenancies, at in store.query(
            _EDITIONS, {"tariff": tariff}
        ).rows
    )


def edition_named(store: Store, name: str) -> Edition:
    """The edition TARIFF#NUMBER. Raises UnknownEdition."""
    found = _NAMED.fullmatch(name)
    if found is None:
        raise UnknownEdition(f"{name!r} names no edition; write TARIFF#NUMBER{_drafted(store, name)}")
    of_tariff = {item.name: item for item in editions(store, found["tariff"])}
    if name not in of_tariff:
        raise UnknownEdition(f"there is no edition {name}{_drafted(store, found['tariff'])}")
    return of_tariff[name]


def _drafted(store: Store, tariff: str) -> str:
    names = [item.name for item in editions(store, tariff)] or [item.name for item in editions(store)]
    return f"; there are {', '.join(names)}" if names else "; none was drafted yet: meterfold tariff draft FILE TARIFF"


def steps(store: Store, edition: Edition) -> tuple[Step, ...]:
    """Its records, in order."""
    params = {"tariff": edition.tariff, "edition": edition.edition}
    return tuple(
        Step(action, person, reason, tuple(sites), tuple(tenancies), at, int(offset))
        for action, person, reason, sites, tenancies, at, offset in store.query(_STEPS, params).rows
    )


def body_of(store: Store, price_list: str) -> dict[str, Any] | None:
    """What TARIFF#EDITION, or a tariff of the portfolio by its plain name, says; None where there is none."""
    found = store.query(
        "SELECT body FROM reference_history WHERE kind = 'tariff' AND id = {id:String} ORDER BY known_from_offset DESC LIMIT 1",
        {"id": price_list},
    ).rows
    return orjson.loads(found[0][0]) if found else None


def in_effect(store: Store, tariff: str) -> str:
    """The price list that rates whoever nothing is staged for: the last effective edition, or the tariff of the portfolio."""
    found = store.query(
        "SELECT edition FROM tariff_editions WHERE tariff = {tariff:String} AND state = 'effective' ORDER BY edition DESC LIMIT 1",
        {"tariff": tariff},
    ).rows
    return f"{tariff}#{found[0][0]}" if found else tariff
