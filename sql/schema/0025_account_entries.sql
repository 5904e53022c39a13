-- One row per record of an entry (goodwill, fee, deposit, write-off); the first record of an entry_id counts (view entries).
CREATE TABLE account_entries
(
    entry_id          String COMMENT 'Name of the entry',
    legal_entity      LowCardinality(String) COMMENT 'Who bills',
    account           String COMMENT 'Whose',
    kind              LowCardinality(String) COMMENT 'goodwill, fee, deposit or write_off',
    currency          LowCardinality(String) COMMENT 'ISO 4217',
    amount            Decimal(38, 4) COMMENT 'Owed more; negative: less',
    booked_on         Date COMMENT 'The day that it is of',
    concerns          String COMMENT 'Printed number of a document; "": none',
    reverses          String COMMENT 'entry_id of an entry that was none; "" otherwise',
    person            String COMMENT 'Who said so, as claimed',
    reason            String COMMENT 'Why',
    booked_ms         Int64 COMMENT 'When it was said, ms since 1970 UTC',
    accounting_period LowCardinality(String) COMMENT 'Month of the books, YYYY-MM',
    billing_offset    UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (entry_id, billing_offset)
COMMENT 'Entries as recorded; they never count as billed. Natural key: entry, offset.';
