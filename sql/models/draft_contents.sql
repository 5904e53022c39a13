-- One row per document that is a draft, or that was released while it was one: a hash of its lines without the names that its run gave them, so that
-- the same lines of a later run have the same.
CREATE OR REPLACE VIEW draft_contents AS
WITH
    wanted AS
    (
        SELECT document_id FROM bill_documents WHERE status = 'draft'
        UNION DISTINCT
        SELECT document_id FROM bill_released
    ),
    lines AS (SELECT document_id, run_id, position, payload FROM bill_lines FINAL WHERE document_id IN (SELECT document_id FROM wanted)),
    unnamed AS
    (
        SELECT
            document_id,
            position,
            replaceAll(replaceAll(payload, '\\/', '/'), document_id, '') AS nameless,
            replaceAll(nameless, '"run_id":"' || run_id || '"', '"run_id":""') AS content
        FROM lines
    )
SELECT
    document_id,
    lower(hex(SHA256(arrayStringConcat(arrayMap(pair -> pair.2, arraySort(groupArray((position, content)))), '\n')))) AS content_sha256
FROM unnamed
GROUP BY document_id
