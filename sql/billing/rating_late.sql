-- One row per account, billing period and currency with a net claim that comes too late.
-- Nothing without rating_entity WHERE back_billing_months > 0.
CREATE OR REPLACE TEMPORARY TABLE rating_late
(
    account String, period_from Date, period_to Date, currency String
)
AS
WITH
    (SELECT max(back_billing_months) FROM rating_entity) AS months,
    claims AS
    (
        SELECT account, period_from, period_to, currency, amount AS claimed FROM rating_charges
        UNION ALL
        SELECT account, period_from, period_to, currency, -amount AS claimed FROM rating_billed
    )
SELECT account, period_from, period_to, currency
FROM claims
WHERE months > 0 AND {as_of_ms:Int64} > toUnixTimestamp64Milli(toDateTime64(addMonths(period_to, months), 3, 'UTC'))
GROUP BY account, period_from, period_to, currency
HAVING sum(claimed) > 0
