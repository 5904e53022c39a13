-- One row per thing that changed what an account owes, per currency: its opening position, an issued document, an entry, a payment. Amount above 0: it owes more.
-- `concerns`: the documents that it is about. `is_cancelled`: a reversal, or what it reverses; the two come to nothing.
CREATE OR REPLACE VIEW account_movements AS
WITH
    accounts AS (SELECT * FROM ref_accounts WHERE NOT is_withdrawn AND opening_position != 0),
    issued AS (SELECT * FROM bill_issued FINAL),
    booked AS (SELECT * FROM entries),
    received AS (SELECT * FROM payments)
SELECT
    legal_entity, account, currency, billing_from AS day, toUInt64(0) AS place, 'opening' AS kind, '' AS reference, 'opening position' AS detail,
    opening_position AS amount, CAST([], 'Array(String)') AS concerns, CAST(NULL, 'Nullable(Date)') AS period_from, false AS is_cancelled
FROM accounts

UNION ALL
SELECT
    legal_entity, account, currency, issued_on AS day, billing_offset AS place, kind, document_number AS reference,
    toString(period_from) || ' to ' || toString(period_to - 1) AS detail, total AS amount, corrects AS concerns, period_from, false AS is_cancelled
FROM issued

UNION ALL
SELECT
    legal_entity, account, currency, booked_on AS day, billing_offset AS place, kind, entry_id AS reference, reason AS detail, amount,
    if(concerns = '', CAST([], 'Array(String)'), [concerns]) AS concerns, NULL AS period_from, is_reversed OR reverses != '' AS is_cancelled
FROM booked

UNION ALL
SELECT
    legal_entity, account, currency, received_on AS day, billing_offset AS place, 'payment' AS kind, payment_id AS reference,
    received.reference AS detail, -amount AS amount, allocated_numbers AS concerns, NULL AS period_from, is_reversed OR reverses != '' AS is_cancelled
FROM received
