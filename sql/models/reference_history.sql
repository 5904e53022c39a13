-- One row per version of a portfolio object, as in reference_objects_history, and one per edition of a tariff (id TARIFF#EDITION, version 1), from its draft on.
CREATE OR REPLACE VIEW reference_history AS
WITH
    drafts AS (SELECT * FROM tariff_changes FINAL WHERE action = 'drafted')
SELECT kind, id, version, body, ended_reason, ended_at, is_withdrawn, known_from_offset, known_until_offset
FROM reference_objects_history
UNION ALL
SELECT
    'tariff' AS kind, tariff || '#' || toString(edition) AS id, toInt64(1) AS version, body, NULL AS ended_reason, '' AS ended_at,
    false AS is_withdrawn,
    billing_offset AS known_from_offset, toUInt64(18446744073709551615) AS known_until_offset
FROM drafts
