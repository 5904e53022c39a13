-- One row per account, billing period, charge element and currency: what issued documents known below the offset have charged for it.
CREATE OR REPLACE VIEW billed_charges AS
WITH
    settled AS (SELECT * FROM settled_charges(known_billing_offset = {known_billing_offset:UInt64}))
SELECT account, period_from, period_to, element, currency, quantity, amount, words
FROM settled
WHERE charged_lines > 0
