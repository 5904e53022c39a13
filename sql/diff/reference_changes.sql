-- One row per version of an object that the account's bills rest on, appended between the offsets: what it says, and what the version before it said.
-- Tenancies of others at its supply points are among them: they may keep it from being billed.
WITH
    objects AS (SELECT * FROM reference_objects FINAL),
    paired AS
    (
        SELECT
            *,
            lagInFrame(body, 1, '') OVER (PARTITION BY kind, id ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS body_before
        FROM objects
    )
SELECT kind, id, version, body, body_before, ended_reason, is_withdrawn, billing_offset, appended_ms
FROM paired
WHERE billing_offset >= {from_offset:UInt64} AND billing_offset < {until_offset:UInt64}
    AND (
        (kind = 'account' AND id = {account:String})
        OR (kind = 'legal_entity' AND id = {legal_entity:String})
        OR (kind = 'site' AND id IN {sites:Array(String)})
        OR (kind = 'supply_point' AND id IN {supply_points:Array(String)})
        OR (kind = 'tariff' AND id IN {tariffs:Array(String)})
        OR (kind = 'tenancy' AND (id IN {tenancies:Array(String)} OR JSONExtractString(body, 'supply_point') IN {supply_points:Array(String)}))
    )
ORDER BY billing_offset
