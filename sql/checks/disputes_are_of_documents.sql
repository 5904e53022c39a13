-- A dispute is of a document that was never issued to that account, contests more than it has, or was settled before it was opened.
WITH
    contested AS (SELECT * FROM disputes),
    documents AS (SELECT document_number, account, total FROM bill_issued FINAL),
    openings AS (SELECT dispute_id, min(billing_offset) AS opened_at FROM bill_disputes FINAL WHERE state = 'opened' GROUP BY dispute_id),
    settlements AS (SELECT dispute_id, min(billing_offset) AS settled_at FROM bill_disputes FINAL WHERE state != 'opened' GROUP BY dispute_id)
SELECT
    contested.dispute_id AS dispute_id, contested.account AS account, contested.document_number AS document_number,
    contested.contested_amount AS contested_amount, documents.total AS total
FROM contested
LEFT JOIN documents ON documents.document_number = contested.document_number AND documents.account = contested.account
LEFT JOIN openings ON openings.dispute_id = contested.dispute_id
LEFT JOIN settlements ON settlements.dispute_id = contested.dispute_id
WHERE documents.document_number = '' OR contested_amount > abs(total) OR openings.dispute_id = ''
    OR (settlements.dispute_id != '' AND settled_at < opened_at)
ORDER BY dispute_id
