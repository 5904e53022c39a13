-- One row per partition of reads.curated with a window of these supply points that became known after the instant: the first offset of such.
WITH
    changes AS
    (
        SELECT curated_partition, curated_offset FROM determinants WHERE supply_point IN {supply_points:Array(String)} AND known_at_ms > {at_ms:Int64}
        UNION ALL
        SELECT curated_partition, curated_offset FROM adjustments WHERE supply_point IN {supply_points:Array(String)} AND known_at_ms > {at_ms:Int64}
    )
SELECT curated_partition, min(curated_offset) AS first_offset
FROM changes
GROUP BY curated_partition
ORDER BY curated_partition
