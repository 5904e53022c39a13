-- One row per account, billing period, charge element and currency: what issued documents known below the offset have withheld of it.
CREATE OR REPLACE VIEW withheld_charges AS
WITH
    settled AS (SELECT * FROM settled_charges(known_billing_offset = {known_billing_offset:UInt64}))
SELECT
    account, period_from, period_to, element, currency, withheld_quantity AS quantity, withheld_amount AS amount, words,
    withheld_reason, withheld_bearer
FROM settled
WHERE withheld_lines > 0
