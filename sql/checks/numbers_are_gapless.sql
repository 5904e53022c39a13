-- A number series has a hole or the same number twice.
WITH
    documents AS (SELECT legal_entity, series, number, document_id FROM bill_issued FINAL),
    ranked AS
    (
        SELECT *, row_number() OVER (PARTITION BY legal_entity, series ORDER BY number, document_id) AS place FROM documents
    )
SELECT legal_entity, series, number, place AS expected_number, document_id
FROM ranked
WHERE number != place
ORDER BY legal_entity, series, number, document_id
