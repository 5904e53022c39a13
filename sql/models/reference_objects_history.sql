-- One row per version of a portfolio object, with the span of the billing log in which it is the one in force. A reader who knows the log below
-- offset P sees the version with known_from_offset < P AND P <= known_until_offset.
CREATE OR REPLACE VIEW reference_objects_history AS
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
FROM reference_objects FINAL
