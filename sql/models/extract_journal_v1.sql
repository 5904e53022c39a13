-- One row per leg of a posting. The columns are those of docs/extracts.md, for ever. Order: booked_offset, posting_id, leg.
CREATE OR REPLACE VIEW extract_journal_v1 AS
WITH
    legs AS (SELECT * FROM journal)
SELECT
    legal_entity,
    accounting_period,
    posting_id,
    leg,
    is_memo,
    day,
    tax_point,
    ledger_account,
    role,
    detail,
    account,
    currency,
    debit,
    credit,
    source_type,
    source,
    document_number,
    booked_offset
FROM legs
