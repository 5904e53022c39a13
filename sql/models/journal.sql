-- One row per leg of a posting: debit or credit of an account of the ledger, named as the legal entity named it when it was posted. Postings balance
-- per currency. `account`: the tenant's. `booked_offset`: the record of the billing log that posts it; with posting_id and leg it is an order.
CREATE OR REPLACE VIEW journal AS
WITH
    legs AS
    (
        SELECT * FROM posted_documents
        UNION ALL
        SELECT * FROM posted_money
        UNION ALL
        SELECT * FROM posted_accruals
    ),
    defaults AS (SELECT role, by_detail, ledger_account FROM ledger_defaults),
    entities AS (SELECT legal_entity, known_from_offset, ledger FROM ref_legal_entities_history),
    named AS
    (
        SELECT legs.*, entities.ledger AS ledger
        FROM legs
        ASOF LEFT JOIN entities ON entities.legal_entity = legs.legal_entity AND legs.booked_offset > entities.known_from_offset
        WHERE legs.amount != 0
    )
SELECT
    named.legal_entity AS legal_entity,
    named.accounting_period AS accounting_period,
    named.posting_id AS posting_id,
    named.leg AS leg,
    named.is_memo AS is_memo,
    named.day AS day,
    named.tax_point AS tax_point,
    named.role AS role,
    named.detail AS detail,
    multiIf(
        defaults.by_detail AND mapContains(named.ledger, named.role || ':' || named.detail), named.ledger[named.role || ':' || named.detail],
        mapContains(named.ledger, named.role), named.ledger[named.role],
        defaults.by_detail, defaults.ledger_account || ':' || named.detail,
        defaults.ledger_account
    ) AS ledger_account,
    named.account AS account,
    named.currency AS currency,
    greatest(named.amount, toDecimal128(0, 4)) AS debit,
    greatest(-named.amount, toDecimal128(0, 4)) AS credit,
    named.source_type AS source_type,
    named.source AS source,
    named.document_number AS document_number,
    named.booked_offset AS booked_offset
FROM named
LEFT JOIN defaults ON defaults.role = named.role
