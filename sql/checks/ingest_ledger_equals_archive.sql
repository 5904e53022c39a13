-- The ledger of ingest and the raw archive disagree: a raw partition with records that have no outcome, or more outcomes than records.
WITH
    counted AS
    (
        SELECT raw_partition, sum(count) AS outcomes, max(raw_offset) AS through_offset
        FROM ingest_ledger FINAL
        WHERE NOT startsWith(outcome, 'intervals_')
        GROUP BY raw_partition
    ),
    archive AS (SELECT raw_partition, raw_offset FROM raw_records FINAL),
    tallied AS
    (
        SELECT archive.raw_partition AS raw_partition, count() AS records
        FROM archive
        INNER JOIN counted ON counted.raw_partition = archive.raw_partition
        WHERE archive.raw_offset <= counted.through_offset
        GROUP BY archive.raw_partition
    )
SELECT counted.raw_partition AS raw_partition, counted.outcomes AS outcomes, tallied.records AS records
FROM counted
LEFT JOIN tallied ON tallied.raw_partition = counted.raw_partition
WHERE counted.outcomes != tallied.records
ORDER BY raw_partition
