-- Payments say that they pay more of a document than it has, or a document that is none or another account's; or a payment says more than it is;
-- or a reversal is not the opposite of what it reverses.
WITH
    received AS (SELECT * FROM payments WHERE NOT is_reversed AND reverses = ''),
    said AS
    (
        SELECT payment_id, account, currency, pair.1 AS document_number, pair.2 AS amount
        FROM (SELECT payment_id, account, currency, arrayJoin(arrayZip(allocated_numbers, allocated_amounts)) AS pair FROM received)
    ),
    documents AS (SELECT document_number, account, currency, total FROM bill_issued FINAL),
    by_document AS
    (
        SELECT account, currency, document_number, sum(amount) AS paid, arraySort(groupArray(payment_id)) AS payment_ids
        FROM said
        GROUP BY account, currency, document_number
    ),
    reversals AS
    (
        SELECT payment_id, account, currency, amount, reverses FROM payments WHERE reverses != ''
        UNION ALL
        SELECT entry_id AS payment_id, account, currency, amount, reverses FROM entries WHERE reverses != ''
    ),
    originals AS
    (
        SELECT payment_id, account, currency, amount FROM payments
        UNION ALL
        SELECT entry_id AS payment_id, account, currency, amount FROM entries
    )
SELECT
    by_document.account AS account, by_document.document_number AS document_number, by_document.payment_ids AS payment_ids, by_document.paid AS said,
    documents.total AS there, if(documents.document_number = '', 'the account has no such document', 'more than its total') AS defect
FROM by_document
LEFT JOIN documents ON documents.document_number = by_document.document_number AND documents.account = by_document.account
    AND documents.currency = by_document.currency
WHERE by_document.paid > documents.total
UNION ALL
SELECT
    account, '' AS document_number, [payment_id] AS payment_ids, arraySum(allocated_amounts) AS said, amount AS there, 'more than was paid' AS defect
FROM received
WHERE notEmpty(allocated_amounts) AND arraySum(allocated_amounts) > amount
UNION ALL
SELECT
    reversals.account AS account, '' AS document_number, [reversals.payment_id] AS payment_ids, reversals.amount AS said,
    originals.amount AS there, 'not the opposite of what it reverses' AS defect
FROM reversals
LEFT JOIN originals ON originals.payment_id = reversals.reverses AND originals.account = reversals.account AND originals.currency = reversals.currency
WHERE reversals.amount != -originals.amount OR originals.payment_id = ''
ORDER BY account, document_number, payment_ids, defect
