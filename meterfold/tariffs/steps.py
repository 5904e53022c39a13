"""The steps of an edition, each one record of the billing log: a crash leaves it taken or not, and nothing between.

drafted ─▶ proposed ─▶ approved ─▶ staged ─▶ effective        withdrawn: from any of them, and then nothing more
              (by another person)    └─▶ staged further
"""

from __future__ import annotations

from typing import Any, Final

from connectors.clickhouse import Store
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rows import VERSION, encode
from meterfold.billing.run import one_at_a_time
from meterfold.tariffs.editions import Edition, edition_named

_AFTER: Final = {
    "drafted": ("proposed", "withdrawn"),
    "proposed": ("approved", "withdrawn"),
    "approved": ("staged", "effective", "withdrawn"),
    "staged": ("staged", "effective", "withdrawn"),
    "effective": ("withdrawn",),
    "superseded": ("withdrawn",),
    "withdrawn": (),
}
"""What may follow each state."""

COMMANDS: Final = {
    "proposed": "propose", "approved": "approve", "staged": "stage", "effective": "effect", "withdrawn": "withdraw",
}  # fmt: skip


class UnableToStep(RuntimeError):
    """The edition is not where that step begins, or the person may not take it. The message says what is allowed."""


class NoSuchScope(LookupError):
    """A site or tenancy that an edition is to be staged for is not in the portfolio, or has nobody on the tariff."""


def draft(
    store: Store, log: BillingLog, tariff: str, body: dict[str, Any], person: str, reason: str, now_ms: int
) -> Edition:
    """A new edition with the next number; nobody is rated by it. `body` is taken as it is: `drafting` makes and checks it."""
    with one_at_a_time():
        project(store, log)
        refuse_misread(store)
        (last,) = store.query(
            "SELECT max(edition) FROM tariff_changes WHERE tariff = {tariff:String}", {"tariff": tariff}
        ).rows[0]
        edition = int(last) + 1
        _append(store, log, tariff, edition, "drafted", person, reason, now_ms, body=body)
        return edition_named(store, f"{tariff}#{edition}")


def step(
    store: Store,
    log: BillingLog,
    name: str,
    action: str,
    person: str,
    reason: str,
    now_ms: int,
    sites: tuple[str, ...] = (),
    tenancies: tuple[str, ...] = (),
) -> Edition:
    """Take an edition one step further: proposed, approved, staged (for `sites` and `tenancies`), effective or withdrawn.

    Returns it as it then stands. Raises UnknownEdition, UnableToStep, NoSuchScope, UnableToProject, and what log and store raise.
    """
    with one_at_a_time():
        project(store, log)
        refuse_misread(store)
        edition = edition_named(store, name)
        _refuse_unless_allowed(edition, action, person)
        scope = {}
        if action == "staged":
            _refuse_unknown_scope(store, edition.tariff, sites, tenancies)
            scope = {"scope": {"sites": sorted(set(sites)), "tenancies": sorted(set(tenancies))}}
        _append(store, log, edition.tariff, edition.edition, action, person, reason, now_ms, **scope)
        return edition_named(store, name)


def _append(
    store: Store,
    log: BillingLog,
    tariff: str,
    edition: int,
    action: str,
    person: str,
    reason: str,
    now_ms: int,
    **rest: Any,
) -> None:
    record = {
        "v": VERSION, "type": "tariff_change", "tariff": tariff, "edition": edition, "action": action, "person": person,
        "reason": reason, "booked_ms": now_ms, **rest,
    }  # fmt: skip
    log.append(tariff.encode(), encode(record))
    log.flush()
    project(store, log)


def _refuse_unless_allowed(edition: Edition, action: str, person: str) -> None:
    allowed = _AFTER[edition.state]
    if action not in allowed:
        may = " or ".join(f"`meterfold tariff {COMMANDS[item]} {edition.name}`" for item in allowed)
        raise UnableToStep(
            f"{edition.name} is {edition.state}, so it cannot be {action}; "
            + (f"what is allowed now: {may}" if may else "nothing more can be done with it: draft another edition")
        )
    if action == "approved" and _same(person, edition.proposed_by):
        raise UnableToStep(f"{edition.name} was proposed by {edition.proposed_by}, so another person has to approve it")


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


_ON_THE_TARIFF: Final = """
SELECT tenancies.tenancy AS tenancy, points.site AS site
FROM ref_tenancies AS tenancies
INNER JOIN ref_supply_points AS points ON points.supply_point = tenancies.supply_point
WHERE tenancies.tariff = {tariff:String} AND NOT tenancies.is_withdrawn
ORDER BY tenancy
"""


def _refuse_unknown_scope(store: Store, tariff: str, sites: tuple[str, ...], tenancies: tuple[str, ...]) -> None:
    if not sites and not tenancies:
        raise NoSuchScope(
            "staging is for some: name --site or --tenancy; for everybody it is `meterfold tariff effect`"
        )
    rows = store.query(_ON_THE_TARIFF, {"tariff": tariff}).rows
    for kind, names, known in (
        ("site", sites, sorted({site for _, site in rows})),
        ("tenancy", tenancies, [tenancy for tenancy, _ in rows]),
    ):
        unknown = sorted(set(names) - set(known))
        if unknown:
            there = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
            raise NoSuchScope(f"{kind} {unknown[0]} has nobody on tariff {tariff}; there are {there or 'none'}")
