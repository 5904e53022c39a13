-- One row per draft and rule that a person released it from: this very draft, or an earlier one with the same lines.
CREATE OR REPLACE VIEW draft_releases AS
WITH
    drafts AS (SELECT document_id FROM bill_documents WHERE status = 'draft'),
    contents AS (SELECT document_id, content_sha256 FROM draft_contents),
    released AS (SELECT document_id, person, reason, booked_ms, billing_offset, arrayJoin(rules) AS rule FROM bill_released FINAL),
    by_content AS
    (
        SELECT
            contents.content_sha256 AS content_sha256,
            released.rule AS rule,
            argMax(released.person, released.billing_offset) AS person,
            argMax(released.reason, released.billing_offset) AS reason,
            fromUnixTimestamp64Milli(max(released.booked_ms), 'UTC') AS released_utc
        FROM released
        INNER JOIN contents ON contents.document_id = released.document_id
        GROUP BY content_sha256, rule
    )
SELECT contents.document_id AS document_id, by_content.rule AS rule, by_content.person AS person, by_content.reason AS reason, released_utc
FROM contents
INNER JOIN by_content ON by_content.content_sha256 = contents.content_sha256
WHERE contents.document_id IN (SELECT document_id FROM drafts)
