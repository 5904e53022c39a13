-- The billing log holds a record that could not be read, so that what it charges, numbers or describes is unknown.
WITH
    refused AS (SELECT billing_offset, why, payload FROM bill_refused FINAL)
SELECT billing_offset, why, payload
FROM refused
ORDER BY billing_offset
