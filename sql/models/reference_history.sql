-- One row per version of a portfolio object, with the span of the billing log in which it is the one in force; and one per edition of a tariff
-- (id TARIFF#EDITION, version 1), from its draft on. A reader who knows the log below offset P sees the version with known_from_offset < P AND P <=
-- known_until_offset.
CREATE OR REPLACE VIEW reference_history AS
WITH
    objects AS (SELECT * FROM reference_objects FINAL),
    drafts AS (SELECT * FROM tariff_changes FINAL WHERE action = 'drafted')
SELECT
    kind,
    id,
    version,
    body,
    ended_reason,
    ended_at,
    is_withdrawn,
    billing_offset AS known_from_offset,
    leadInFrame(billing_offset, 1, 18446744073709551615) OVER (
        PARTITION BY kind, id ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS known_until_offset
FROM objects
UNION ALL
SELECT
    'tariff' AS kind, tariff || '#' || toString(edition) AS id, toInt64(1) AS version, body, NULL AS ended_reason, '' AS ended_at,
    false AS is_withdrawn,
    billing_offset AS known_from_offset, toUInt64(18446744073709551615) AS known_until_offset
FROM drafts
