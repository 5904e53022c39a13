"""The changes of reference data and of editions that touch an account, in the order of the billing log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.clickhouse import Store
from meterfold.billing.diff.knowledge import Scope, sql
from meterfold.portfolio.difference import differences


@dataclass(frozen=True, slots=True)
class Change:
    """One record. `what`: the object and its version, or the edition and its step; `words`: which fields differ, or who said it and why.

    `at_ms`: when it was appended (of an edition's step: when it was said), ms since 1970 UTC.
    """

    billing_offset: int
    what: str
    words: tuple[str, ...]
    at_ms: int


def changes_between(store: Store, scope: Scope, from_offset: int, until_offset: int) -> list[Change]:
    """Those at `from_offset` and after, below `until_offset`."""
    params = {
        "account": scope.account,
        "legal_entity": scope.legal_entity,
        "tenancies": list(scope.tenancies),
        "supply_points": list(scope.supply_points),
        "tariffs": list(scope.tariffs),
        "sites": list(scope.sites),
        "from_offset": from_offset,
        "until_offset": until_offset,
    }
    found = [_reference(row) for row in store.query(sql("reference_changes"), params).dicts()]
    steps = store.query(sql("edition_steps"), params).dicts()
    found += [change for change in _steps(scope, steps) if change.billing_offset >= from_offset]
    return sorted(found, key=lambda change: change.billing_offset)


def _reference(row: dict[str, Any]) -> Change:
    body, before = orjson.loads(row["body"]), orjson.loads(row["body_before"] or "{}")
    words = [str(field) for field in differences(before, body)] if before else ["new"]
    if row["ended_reason"] is not None:
        words.append(f"{'withdrawn' if row['is_withdrawn'] else 'ended'}: {row['ended_reason']}")
    what = f"{row['kind'].replace('_', ' ')} {row['id']}, version {row['version']}"
    return Change(int(row["billing_offset"]), what, tuple(words), int(row["appended_ms"]))


def _steps(scope: Scope, rows: list[dict[str, Any]]) -> Iterator[Change]:
    """Steps after which the account may be rated by another edition than before."""
    rated: set[tuple[str, int]] = set()
    for row in rows:
        edition = (row["tariff"], row["edition"])
        covers = row["action"] == "effective" or (
            row["action"] == "staged" and ({*row["sites"]} & {*scope.sites} or {*row["tenancies"]} & {*scope.tenancies})
        )
        if covers:
            rated.add(edition)
        if covers or (row["action"] == "withdrawn" and edition in rated):
            staged_for = f" for {', '.join([*row['sites'], *row['tenancies']])}" if row["action"] == "staged" else ""
            what = f"edition {row['tariff']}#{row['edition']}: {row['action']}{staged_for}"
            words = (f"by {row['person']}, as claimed: {row['reason']}",)
            yield Change(int(row["billing_offset"]), what, words, int(row["booked_ms"]))
