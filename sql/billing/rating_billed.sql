-- One row per account, billing period, charge element and currency that issued documents have charged or withheld, as far as the run may know.
CREATE OR REPLACE TEMPORARY TABLE rating_billed AS
SELECT *
FROM settled_charges(known_billing_offset = {known_billing_offset:UInt64})
WHERE account IN (SELECT account FROM rating_accounts)
