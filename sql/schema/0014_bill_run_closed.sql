-- One row per run whose closing record is in the log; a run without it does not count.
CREATE TABLE bill_run_closed
(
    run_id         String COMMENT 'The run',
    lines          UInt32 COMMENT 'How many lines it made',
    currencies     Array(LowCardinality(String)) COMMENT 'Currencies of its totals, sorted',
    totals         Array(Decimal(38, 4)) COMMENT 'Sum of its lines, by position of currencies',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY run_id
COMMENT 'Closing records of runs. Natural key: run.';
