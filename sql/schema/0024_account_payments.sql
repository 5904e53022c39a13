-- One row per record of a payment; the first record of a payment_id counts (view payments).
CREATE TABLE account_payments
(
    payment_id        String COMMENT 'Name of the payment',
    legal_entity      LowCardinality(String) COMMENT 'Who was paid',
    account           String COMMENT 'Who paid',
    currency          LowCardinality(String) COMMENT 'ISO 4217',
    amount            Decimal(38, 4) COMMENT 'Received; negative: paid back',
    received_on       Date COMMENT 'The day on which it came',
    reference         String COMMENT 'What the bank says',
    allocated_numbers Array(String) COMMENT 'Printed numbers of the documents that it says it pays',
    allocated_amounts Array(Decimal(38, 4)) COMMENT 'How much of each, by position; the rest pays what is oldest',
    reverses          String COMMENT 'payment_id of a payment that was none; "" otherwise',
    person            String COMMENT 'Who said so, as claimed',
    booked_ms         Int64 COMMENT 'When it was said, ms since 1970 UTC',
    accounting_period LowCardinality(String) COMMENT 'Month of the books, YYYY-MM',
    billing_offset    UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (payment_id, billing_offset)
COMMENT 'Payments as recorded. Natural key: payment, offset.';
