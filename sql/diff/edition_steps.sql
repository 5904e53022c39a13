-- One row per step of an edition of the account's tariffs, below the offset.
SELECT tariff, edition, action, sites, tenancies, person, reason, booked_ms, billing_offset
FROM tariff_changes FINAL
WHERE tariff IN {tariffs:Array(String)} AND billing_offset < {until_offset:UInt64}
ORDER BY billing_offset
