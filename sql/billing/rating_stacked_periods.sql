-- One row per account and first day of a billing period whose charges are added up by element before they are compared: something was billed for it
-- before, or one element stands in `rating_charges` twice (two editions of a tariff, two rates of a tax that the account does not pay). Elements are
-- told apart by a hash: two that fall together are only added up apart.
CREATE OR REPLACE TEMPORARY TABLE rating_stacked_periods
(
    account String, period_from Date
)
AS
SELECT DISTINCT account, period_from
FROM rating_billed
UNION ALL
SELECT any(account), any(period_from)
FROM rating_charges
GROUP BY cityHash64(account, period_from, period_to, element, currency)
HAVING count() > 1
