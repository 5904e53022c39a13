-- The fold's ledger and the evidence disagree: a partition and verdict whose count is not the number of rows with it.
WITH
    counted AS
    (
        SELECT curated_partition, outcome, count, curated_offset
        FROM ledger FINAL
        WHERE NOT startsWith(outcome, 'control:')
    ),
    reach AS (SELECT curated_partition, max(curated_offset) AS through_offset FROM ledger FINAL GROUP BY curated_partition),
    arrived AS (SELECT curated_partition, verdict, curated_offset FROM evidence FINAL),
    tallied AS
    (
        SELECT arrived.curated_partition AS curated_partition, verdict AS outcome, count() AS rows
        FROM arrived
        INNER JOIN reach ON reach.curated_partition = arrived.curated_partition
        WHERE arrived.curated_offset <= reach.through_offset
        GROUP BY arrived.curated_partition, verdict
    ),
    both AS
    (
        SELECT curated_partition, outcome, toInt64(count) AS in_ledger, toInt64(0) AS in_evidence FROM counted
        UNION ALL
        SELECT curated_partition, outcome, toInt64(0) AS in_ledger, toInt64(rows) AS in_evidence FROM tallied
    )
SELECT curated_partition, outcome, sum(in_ledger) AS ledger_count, sum(in_evidence) AS evidence_rows
FROM both
GROUP BY curated_partition, outcome
HAVING ledger_count != evidence_rows
ORDER BY curated_partition, outcome
