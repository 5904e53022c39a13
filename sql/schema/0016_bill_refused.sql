-- One row per record of the billing log that is none, or of a version this program does not know.
CREATE TABLE bill_refused
(
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log',
    appended_ms    Int64 COMMENT 'Append time of the record, ms since 1970 UTC',
    why            String COMMENT 'What is wrong with it, for a person',
    payload        String COMMENT 'The record as it stands in the log' CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY billing_offset
COMMENT 'Stepped over when the billing log was projected; no bill is run or issued while there are any. Natural key: offset.';
