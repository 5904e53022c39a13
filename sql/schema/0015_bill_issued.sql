-- One row per issued document: frozen lines, their hash, and the next number of a gapless series, taken in one record.
CREATE TABLE bill_issued
(
    document_id    String COMMENT 'The document',
    legal_entity   LowCardinality(String) COMMENT 'Who bills',
    series         LowCardinality(String) COMMENT 'Number series of the legal entity',
    number         UInt64 COMMENT 'Position in the series, from 1, without holes',
    document_number String COMMENT 'series and number as printed',
    kind           LowCardinality(String) COMMENT 'invoice, or credit_note when the total is negative',
    account        String COMMENT 'Who is billed',
    run_id         String COMMENT 'The run whose lines it freezes',
    period_from    Date COMMENT 'Billing period, first local day',
    period_to      Date COMMENT 'Billing period, local day after the last',
    currency       LowCardinality(String) COMMENT 'ISO 4217',
    total          Decimal(38, 4) COMMENT 'Sum of its lines',
    lines_sha256   String COMMENT 'SHA-256, lower-case hex, of the lines'' records in order, joined by a line feed',
    corrects       Array(String) COMMENT 'Printed numbers of the documents it corrects, in order of issue',
    issued_ms      Int64 COMMENT 'When it was issued, ms since 1970 UTC',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY document_id
COMMENT 'Issued documents, never voided. Natural key: document.';
