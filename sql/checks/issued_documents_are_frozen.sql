-- An issued document is not what it was when it was issued: its lines have another hash or total, or its run does not count.
WITH
    issued AS (SELECT * FROM bill_issued FINAL),
    drawn AS (SELECT document_id, lines_sha256, total FROM bill_documents)
SELECT
    issued.document_id AS document_id,
    issued.document_number AS document_number,
    issued.total AS issued_total,
    drawn.total AS lines_total,
    multiIf(
        drawn.document_id = '', 'no line of a run that counts belongs to it',
        issued.lines_sha256 != drawn.lines_sha256, 'its lines have another hash',
        issued.total != drawn.total, 'its lines have another total',
        'it is called ' || issued.kind
    ) AS defect
FROM issued
LEFT JOIN drawn ON drawn.document_id = issued.document_id
WHERE issued.lines_sha256 != drawn.lines_sha256 OR issued.total != drawn.total
    OR (issued.kind = 'credit_note') != (issued.total < 0)
ORDER BY document_number, document_id
