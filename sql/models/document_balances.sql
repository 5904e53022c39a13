-- One row per issued document: its total, what of it was credited and paid, what is open, and its status. A credit note has nothing open: it pays for others.
CREATE OR REPLACE VIEW document_balances AS
WITH
    issued AS (SELECT * FROM bill_issued FINAL),
    items AS (SELECT * FROM account_items WHERE kind = 'invoice'),
    contested AS (SELECT DISTINCT document_number FROM disputes WHERE last_state = 'opened')
SELECT
    issued.document_number AS document_number,
    issued.document_id AS document_id,
    issued.legal_entity AS legal_entity,
    issued.account AS account,
    issued.kind AS kind,
    issued.period_from AS period_from,
    issued.period_to AS period_to,
    issued.issued_on AS issued_on,
    issued.corrects AS corrects,
    issued.currency AS currency,
    issued.total AS total,
    items.credited AS credited,
    items.paid AS paid,
    items.open AS open,
    multiIf(
        issued.document_number IN contested, 'disputed',
        issued.total < 0, 'issued',
        items.open = 0 AND items.paid = 0 AND items.credited > 0, 'credited',
        items.open = 0, 'paid',
        items.paid > 0, 'paid in part',
        'issued'
    ) AS status,
    issued.billing_offset AS issued_offset
FROM issued
LEFT JOIN items ON items.reference = issued.document_number AND items.account = issued.account AND items.currency = issued.currency
