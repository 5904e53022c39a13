-- One row per account and billing period that has ended somewhere on earth, from billing_from on; dates are local, period_to is out.
-- The first period is cut at billing_from: nothing before it is ever charged; the one that `cut_on` lies in (for an accrual: the day after a month)
-- ends there. `period_days` are those of the whole calendar period.
CREATE OR REPLACE TEMPORARY TABLE rating_periods
(
    account String, currency String, period_no UInt32, period_from Date, period_to Date, period_days UInt16
)
AS
WITH
    accounts AS (SELECT * FROM rating_accounts WHERE NOT is_withdrawn AND calendar_kind = 'monthly' AND calendar_day BETWEEN 1 AND 28),
    firsts AS
    (
        SELECT
            account,
            currency,
            billing_from,
            toStartOfMonth(billing_from) + (calendar_day - 1) AS in_month,
            if(in_month <= billing_from, in_month, addMonths(in_month, -1)) AS first_from,
            -- the easternmost clocks are 14 hours ahead
            toDate(fromUnixTimestamp64Milli({as_of_ms:Int64} + 14 * 3600000, 'UTC')) AS last_today
        FROM accounts
    ),
    months AS
    (
        SELECT *, arrayJoin(range(toUInt32(greatest(0, dateDiff('month', first_from, last_today) + 1)))) AS month
        FROM firsts
    )
SELECT
    account,
    currency,
    month AS period_no,
    greatest(addMonths(first_from, month), billing_from) AS period_from,
    least(addMonths(first_from, month + 1), {cut_on:Date}) AS period_to,
    toUInt16(dateDiff('day', addMonths(first_from, month), addMonths(first_from, month + 1))) AS period_days
FROM months
WHERE period_from < period_to AND period_to <= last_today
