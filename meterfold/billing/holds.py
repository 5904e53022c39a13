"""Drafts that a rule holds, and their release by a person.

The rules are views over the records (`draft_holds`), but for one: while a check of the billing tables has rows, the drafts that it may
concern are held by CHECK_FAILED.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, documents
from meterfold.billing.log import BillingLog
from meterfold.billing.rows import VERSION, encode
from meterfold.store import sql_folder

CHECK_FAILED: Final = "CHECK_FAILED"
HOLDING_CHECKS: Final = (
    "closed_runs_are_whole", "issued_documents_are_frozen", "lines_add_up", "nothing_is_billed_twice", "numbers_are_gapless",
    "only_net_claims_are_withheld", "releases_cite_what_held",
)  # fmt: skip
"""Checks whose rows mean that what was billed, or how it was numbered, is not to be relied on."""


class DraftIsHeld(RuntimeError):
    """A rule holds the draft, and nobody has released it."""


class NothingToRelease(LookupError):
    """No rule holds a draft of that name."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One rule that holds one draft, in figures and words."""

    document_id: str
    account: str
    period_from: date
    currency: str
    total: Decimal
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.account} {self.period_from} is held by {self.rule}: {self.detail}"


_HOLDS: Final = """
SELECT document_id, account, period_from, currency, total, rule, detail
FROM draft_holds
WHERE NOT is_released AND ({all:UInt8} = 1 OR document_id IN {ids:Array(String)})
ORDER BY account, period_from, document_id, rule
"""
_MAY_HOLD: Final = """
SELECT
    (SELECT count() FROM ref_legal_entities WHERE NOT (hold_estimated_share IS NULL AND hold_change IS NULL AND hold_amount IS NULL))
    + (SELECT count() FROM ref_accounts WHERE ended_reason IS NOT NULL) AS rules
"""
"""Without a bound and without an account that has ended, `draft_holds` has no row; to ask that takes a fraction of planning the view."""


def holds(store: Store, drafts: Collection[Document]) -> tuple[Hold, ...]:
    """Every rule that holds one of these drafts and from which it was not released, by account and period."""
    if not drafts:
        return ()
    ids = [draft.document_id for draft in drafts]
    many = len(ids) > 1_000
    asked = {"ids": [] if many else ids, "all": int(many)}
    found = [Hold(*row) for row in store.query(_HOLDS, asked).rows] if store.query(_MAY_HOLD).rows[0][0] else []
    wanted = frozenset(ids)
    by_rule = [hold for hold in found if hold.document_id in wanted]
    return tuple(
        sorted(
            (*by_rule, *_by_checks(store, drafts)),
            key=lambda hold: (hold.account, hold.period_from, hold.document_id, hold.rule),
        )
    )


def failed_checks(store: Store) -> dict[str, frozenset[str] | None]:
    """The holding checks that have rows, and the accounts they name; None: they do not say whose."""
    failed: dict[str, frozenset[str] | None] = {}
    for name in HOLDING_CHECKS:
        found = store.query((sql_folder() / "checks" / f"{name}.sql").read_text(encoding="utf-8"))
        if found.rows:
            at = found.columns.index("account") if "account" in found.columns else None
            failed[name] = None if at is None else frozenset(str(row[at]) for row in found.rows)
    return failed


def release(
    store: Store, log: BillingLog, drafts: Collection[Document], person: str, reason: str, now_ms: int
) -> tuple[Hold, ...]:
    """Record that these drafts may go out, and return what had held them. The caller has rated them again. Raises NothingToRelease."""
    held = holds(store, drafts)
    if not held:
        raise NothingToRelease("no rule holds it: it can be issued")
    for draft in sorted(drafts, key=lambda draft: draft.document_id):
        rules = sorted({hold.rule for hold in held if hold.document_id == draft.document_id})
        if rules:
            record = {
                "v": VERSION, "type": "released", "document_id": draft.document_id, "legal_entity": draft.legal_entity, "rules": rules,
                "person": person, "reason": reason, "booked_ms": now_ms,
            }  # fmt: skip
            log.append(draft.legal_entity.encode(), encode(record))
    log.flush()
    return held


def _by_checks(store: Store, drafts: Collection[Document]) -> list[Hold]:
    failed = failed_checks(store)
    if not failed:
        return []
    released = {
        document_id
        for (document_id,) in store.query(
            "SELECT document_id FROM draft_releases WHERE rule = {rule:String}", {"rule": CHECK_FAILED}
        ).rows
    }
    result = []
    for draft in drafts:
        names = sorted(name for name, accounts in failed.items() if accounts is None or draft.account in accounts)
        if names and draft.document_id not in released:
            detail = f"{', '.join(names)} found something; `meterfold check` shows it"
            result.append(
                Hold(
                    draft.document_id,
                    draft.account,
                    draft.period_from,
                    draft.currency,
                    draft.total,
                    CHECK_FAILED,
                    detail,
                )
            )
    return result


def open_drafts(store: Store, target: str) -> tuple[Document, ...]:
    """The open drafts of an account, of a run, or the one of that id."""
    return documents(
        store,
        "documents.status = 'draft' AND {target:String} IN (documents.account, documents.run_id, documents.document_id)",
        {"target": target},
    )
