-- One row per version of a supply point: where a utility is delivered and billed.
CREATE OR REPLACE VIEW ref_supply_points_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'supply_point')
SELECT
    id AS supply_point,
    version,
    JSONExtractString(body, 'site') AS site,
    -- whom days without a tenancy are charged to, from the day on (NULL: the first tenancy's), up to the day (NULL: open); '' nobody
    JSONExtractString(body, 'vacant', 'account') AS vacant_account,
    JSONExtractString(body, 'vacant', 'tariff') AS vacant_tariff,
    toDateOrNull(JSONExtractString(body, 'vacant', 'from')) AS vacant_from,
    toDateOrNull(JSONExtractString(body, 'vacant', 'to')) AS vacant_to,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
