-- One row per version of a tax that stands on its own: ref_tax_objects_history says what the columns mean.
CREATE TABLE reference_tax_objects
(
    id             String COMMENT 'Name of the tax in the portfolio',
    version        Int64 COMMENT 'Edition of the object',
    name           String COMMENT 'What bills call it',
    rate_from      Array(Date) COMMENT 'Per rate: the first day on which it holds',
    rate_texts     Array(String) COMMENT 'Per rate: without trailing zeros',
    date_rule      String COMMENT 'supply, period_end, invoice',
    level          String COMMENT 'line or document: what is rounded',
    is_included    Bool COMMENT 'Prices contain it',
    is_of_gross    Bool COMMENT 'It is a share of the amount with it in it',
    has_rounding   Bool COMMENT 'It has a rounding of its own',
    round_to       Decimal(38, 9) COMMENT 'To what',
    round_mode     String COMMENT 'half_up, half_even, down, up',
    complaint      String COMMENT 'What of it cannot be read; "" all can',
    ended_reason   Nullable(String) COMMENT 'Why the object left the portfolio; NULL while it is in it',
    is_withdrawn   Bool COMMENT 'It should never have been',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree(billing_offset)
ORDER BY (id, version)
COMMENT 'Taxes that stand on their own, every version. Natural key: id, version.';
