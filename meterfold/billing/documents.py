"""Documents as values: what a bill says, drafted or issued. Showing them to a person is done elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.clickhouse import Store

INVOICE: Final = "invoice"
CREDIT_NOTE: Final = "credit_note"


class UnknownBill(LookupError):
    """No document, number or account of that name has anything to show."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rounded amount. `should` is what is known now, `was` what issued documents charged before, and the line charges the difference.

    `kind`: energy, tiers, demand, standing, percentage, minimum, maximum, contained (what prices hold of a tax, below zero) or tax.
    `band`: what a bill calls it, "" for an unnamed standing
    charge. `unit`: of the quantities (kWh, kW, day; a tax or percentage is on an amount of money). `estimated_quantity`: the part of
    `quantity_should` that lies in intervals with an estimated part. `service_from` is the first local day, `service_to` the day after.
    `is_withheld`: it may not be charged, and counts into no total; its should, was and amount are of what is withheld.
    """

    line_id: str
    position: int
    kind: str
    supply_point: str
    channel: str
    tariff: str
    tariff_version: str
    band: str
    service_from: date
    service_to: date
    unit: str
    rate: Decimal
    quantity_should: Decimal
    quantity_was: Decimal
    quantity: Decimal
    estimated_quantity: Decimal
    amount_should: Decimal
    amount_was: Decimal
    amount: Decimal
    is_withheld: bool
    withheld_reason: str
    withheld_bearer: str


@dataclass(frozen=True, slots=True)
class Document:
    """One bill of one account for one period. `status`: draft, issued or replaced.

    `kind`: invoice or credit_note (a negative total). `corrects`: printed numbers of the issued documents for the same period, which a
    correction cites. `number`: printed number, "" for a draft. `minor_digits`: decimal places of the currency. `withheld`: sum of the lines
    that are not charged, which `net`, `tax` and `total` leave out. `rule_version` and `frontier_known_at`: what its run pinned.
    """

    document_id: str
    status: str
    kind: str
    number: str
    corrects: tuple[str, ...]
    legal_entity: str
    legal_entity_name: str
    account: str
    party_id: str
    period_from: date
    period_to: date
    currency: str
    minor_digits: int
    lines: tuple[Line, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    withheld: Decimal
    lines_sha256: str
    issued_at: datetime | None
    run_id: str
    rule_version: str
    frontier_known_at: datetime | None


_DOCUMENTS: Final = """
WITH
    documents AS (SELECT * FROM bill_documents),
    runs AS (SELECT run_id, rule_version, arrayMax(arrayPushBack(frontier_known_at_ms, -1)) AS known_at_ms FROM bill_runs FINAL),
    numbers AS
    (
        SELECT account, period_from, currency, arraySort(groupArray((billing_offset, document_number))) AS issued_before
        FROM bill_issued FINAL
        GROUP BY account, period_from, currency
    ),
    currencies AS (SELECT * FROM ref_currencies),
    accounts AS (SELECT account, party_id FROM ref_accounts),
    entities AS (SELECT legal_entity, name FROM ref_legal_entities)
SELECT
    documents.document_id AS document_id,
    documents.status AS status,
    documents.run_id AS run_id,
    documents.legal_entity AS legal_entity,
    documents.account AS account,
    documents.period_from AS period_from,
    documents.period_to AS period_to,
    documents.currency AS currency,
    documents.net AS net,
    documents.tax AS tax,
    documents.total AS total,
    documents.withheld AS withheld,
    documents.lines_sha256 AS lines_sha256,
    documents.document_number AS document_number,
    documents.issued_utc AS issued_utc,
    entities.name AS legal_entity_name,
    accounts.party_id AS party_id,
    if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits,
    if(documents.status = 'issued', documents.issued_kind, if(documents.total < 0, 'credit_note', 'invoice')) AS kind,
    if(documents.status = 'issued', documents.corrects, arrayMap(pair -> pair.2, numbers.issued_before)) AS corrects,
    runs.rule_version AS rule_version,
    if(runs.known_at_ms < 0, NULL, fromUnixTimestamp64Milli(runs.known_at_ms, 'UTC')) AS frontier_known_at
FROM documents
LEFT JOIN runs ON runs.run_id = documents.run_id
LEFT JOIN numbers
    ON numbers.account = documents.account AND numbers.period_from = documents.period_from AND numbers.currency = documents.currency
LEFT JOIN currencies ON currencies.currency = documents.currency
LEFT JOIN accounts ON accounts.account = documents.account
LEFT JOIN entities ON entities.legal_entity = documents.legal_entity
WHERE {condition}
ORDER BY documents.account, documents.period_from, documents.run_offset, documents.document_id
"""

_LINES: Final = """
SELECT document_id, line_id, position, kind, supply_point, channel, tariff, tariff_version, band, service_from, service_to, unit, rate,
    quantity_should, quantity_was, quantity, quantity_estimated, amount_should, amount_was, amount,
    is_withheld, withheld_reason, withheld_bearer
FROM bill_lines FINAL
WHERE document_id IN (SELECT value FROM documents_asked_for)
ORDER BY document_id, position, line_id
"""


def show_bill(store: Store, reference: str) -> tuple[Document, ...]:
    """The document of that id or printed number; of an account its draft, or without one its last issued. Raises UnknownBill."""
    numbered = store.query(
        "SELECT document_id FROM bill_issued FINAL WHERE document_number = {reference:String} ORDER BY document_id",
        {"reference": reference},
    ).rows
    for document_id in (*(row[0] for row in numbered), reference):
        if found := documents(store, "documents.document_id = {id:String}", {"id": document_id}):
            return found
    found = documents(store, "documents.account = {reference:String}", {"reference": reference})
    drafts = tuple(document for document in found if document.status == "draft")
    if drafts:
        return drafts
    issued = sorted(
        (document for document in found if document.issued_at), key=lambda item: (item.issued_at, item.number)
    )
    if not issued:
        raise UnknownBill(f"nothing is billed under {reference!r}: no document, number or account of that name has any")
    return (issued[-1],)


def documents(store: Store, condition: str = "true", params: dict[str, Any] | None = None) -> tuple[Document, ...]:
    """Documents of runs that count, by account, period and run. `condition` is SQL over `documents` (the view bill_documents)."""
    heads = store.query(_DOCUMENTS.replace("{condition}", condition), params).dicts()
    lines: dict[str, list[Line]] = {head["document_id"]: [] for head in heads}
    with store.session() as session, session.listed("documents_asked_for", list(lines)):
        for document_id, *values in session.query(_LINES).rows if lines else ():
            lines[document_id].append(Line(*values))
    return tuple(_document(head, lines[head["document_id"]]) for head in heads)


def _document(head: dict[str, Any], lines: list[Line]) -> Document:
    corrects = tuple(head["corrects"]) if head["status"] != "replaced" else ()
    return Document(
        document_id=head["document_id"],
        status=head["status"],
        kind=head["kind"],
        number=head["document_number"],
        corrects=corrects,
        legal_entity=head["legal_entity"],
        legal_entity_name=head["legal_entity_name"],
        account=head["account"],
        party_id=head["party_id"],
        period_from=head["period_from"],
        period_to=head["period_to"],
        currency=head["currency"],
        minor_digits=head["minor_digits"],
        lines=tuple(lines),
        net=head["net"],
        tax=head["tax"],
        total=head["total"],
        withheld=head["withheld"],
        lines_sha256=head["lines_sha256"],
        issued_at=head["issued_utc"],
        run_id=head["run_id"],
        rule_version=head["rule_version"],
        frontier_known_at=head["frontier_known_at"],
    )
