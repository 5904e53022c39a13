-- One row per version of a supply point: where a utility is delivered and billed.
CREATE OR REPLACE VIEW ref_supply_points_history AS
WITH
    objects AS (SELECT * FROM reference_history WHERE kind = 'supply_point')
SELECT
    id AS supply_point,
    version,
    JSONExtractString(body, 'site') AS site,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
