-- One row per leg that an issued document posts, debit above zero: the receivable is leg 0, its lines are legs by position. What is withheld is a
-- memo, a posting of its own: the cost of its bearer, and revenue that is none.
CREATE OR REPLACE VIEW posted_documents AS
WITH
    documents AS (SELECT * FROM bill_issued FINAL),
    lines AS (SELECT * FROM issued_lines)
SELECT
    legal_entity, accounting_period, 'issued/' || document_id AS posting_id, toUInt32(0) AS leg, false AS is_memo, issued_on AS day,
    issued_on AS tax_point, 'receivable' AS role, '' AS detail, account, currency, total AS amount, 'issued' AS source_type, document_id AS source,
    document_number, billing_offset AS booked_offset
FROM documents

UNION ALL
SELECT
    legal_entity, accounting_period, 'issued/' || document_id AS posting_id, position AS leg, false AS is_memo, issued_on AS day, tax_point,
    if(kind = 'tax', 'tax', 'revenue') AS role, if(kind = 'tax', band, kind) AS detail, account, currency, -amount AS amount, 'line' AS source_type,
    line_id AS source, document_number, issued_offset AS booked_offset
FROM lines
WHERE NOT is_withheld

UNION ALL
SELECT
    legal_entity, accounting_period, 'withheld/' || document_id AS posting_id, toUInt32(2 * position + side) AS leg, true AS is_memo, issued_on AS day,
    tax_point, if(side = 0, 'withheld_cost', 'withheld_revenue') AS role, multiIf(side = 0, withheld_bearer, kind = 'tax', band, kind) AS detail,
    account, currency, if(side = 0, amount, -amount) AS amount, 'line' AS source_type, line_id AS source, document_number,
    issued_offset AS booked_offset
FROM lines
ARRAY JOIN [0, 1] AS side
WHERE is_withheld
