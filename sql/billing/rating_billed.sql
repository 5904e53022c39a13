-- One row per account, billing period, charge element and currency that issued documents have charged or withheld, as far as the run may know.
CREATE OR REPLACE TEMPORARY TABLE rating_billed
(
    account String, period_from Date, period_to Date, element String, currency LowCardinality(String), quantity Decimal(38, 12),
    amount Decimal(38, 4), withheld_quantity Decimal(38, 12), withheld_amount Decimal(38, 4), charged_lines UInt64, withheld_lines UInt64,
    words Tuple(String, String, String, String, String, String, Date, Date, String, Decimal(38, 9)), withheld_reason String,
    withheld_bearer String
)
AS
SELECT *
FROM settled_charges(known_billing_offset = {known_billing_offset:UInt64})
WHERE account IN (SELECT account FROM rating_accounts)
