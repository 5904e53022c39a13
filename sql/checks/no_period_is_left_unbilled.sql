-- A later period of the account was billed, and this one never was, nor does a draft of it wait for somebody, although the last run for the account knew
-- of a tenancy in it, and of something metered there.
WITH
    issued AS (SELECT account, period_from FROM bill_issued FINAL),
    drafts AS (SELECT account, period_from FROM bill_documents WHERE status = 'draft'),
    reach AS (SELECT account, max(period_from) AS last_billed FROM issued GROUP BY account),
    accounts AS (SELECT * FROM ref_accounts WHERE NOT is_withdrawn),
    looked AS
    (
        SELECT
            accounts.account AS account,
            max(runs.known_billing_offset) AS known_billing_offset,
            argMax(arrayMax(arrayPushBack(runs.frontier_known_at_ms, 0)), runs.known_billing_offset) AS known_at_ms
        FROM accounts
        INNER JOIN bill_runs_that_count AS runs ON runs.legal_entity = accounts.legal_entity
        WHERE runs.account IN ('', accounts.account)
        GROUP BY account
    ),
    tenancies AS (SELECT * FROM ref_tenancies WHERE NOT is_withdrawn),
    windows AS (SELECT supply_point, start_ms, end_ms, toUnixTimestamp64Milli(hardened_at) AS hardened_at_ms FROM current_determinants WHERE quantity != 0),
    starts AS
    (
        SELECT
            accounts.account AS account,
            billing_from,
            reach.last_billed AS last_billed,
            arrayJoin(range(toUInt32(dateDiff('month', billing_from, reach.last_billed)) + 1)) AS month,
            toStartOfMonth(billing_from) + (calendar_day - 1) AS in_month,
            addMonths(if(in_month <= billing_from, in_month, addMonths(in_month, -1)), month) AS nominal_from,
            greatest(nominal_from, billing_from) AS period_from,
            addMonths(nominal_from, 1) AS period_to
        FROM accounts
        INNER JOIN reach ON reach.account = accounts.account
    ),
    unbilled AS
    (
        SELECT account, period_from, period_to
        FROM starts
        WHERE period_from < last_billed AND (account, period_from) NOT IN issued AND (account, period_from) NOT IN drafts
    )
SELECT
    unbilled.account AS account,
    unbilled.period_from AS period_from,
    unbilled.period_to AS period_to,
    tenancies.supply_point AS supply_point,
    count() AS metered_windows
FROM unbilled
INNER JOIN looked ON looked.account = unbilled.account
INNER JOIN tenancies ON tenancies.account = unbilled.account
INNER JOIN windows ON windows.supply_point = tenancies.supply_point
WHERE tenancies.billing_offset < looked.known_billing_offset AND windows.hardened_at_ms <= looked.known_at_ms
    -- a day inside the period, so that no clock matters
    AND windows.start_ms >= toUnixTimestamp64Milli(toDateTime64(greatest(unbilled.period_from, tenancies.from_date) + 1, 3, 'UTC'))
    AND windows.end_ms <= toUnixTimestamp64Milli(toDateTime64(least(unbilled.period_to, ifNull(tenancies.to_date, unbilled.period_to)) - 1, 3, 'UTC'))
GROUP BY account, period_from, period_to, supply_point
ORDER BY account, period_from, supply_point
