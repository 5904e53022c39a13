-- One row per thing that waits for a person: since when, what it is about, and what can be done.
-- Held drafts, corrections of accounts that ended, open disputes, periods of ended tenancies that were never billed, credit of accounts that ended.
CREATE OR REPLACE VIEW work_list AS
WITH
    held AS (SELECT * FROM draft_holds WHERE NOT is_released),
    contested AS (SELECT * FROM disputes WHERE last_state = 'opened'),
    documents AS (SELECT document_number, currency FROM bill_issued FINAL),
    ended_accounts AS (SELECT account, ifNull(ended_on, toDate(0)) AS ended_from FROM ref_accounts WHERE ended_reason IS NOT NULL),
    balances AS (SELECT * FROM account_balances WHERE balance < 0),
    -- the last day of which anything is known: a view has no clock
    latest AS
    (
        SELECT max(day) AS last_known
        FROM
        (
            SELECT day FROM account_movements
            UNION ALL
            SELECT toDate(fromUnixTimestamp64Milli(as_of_ms, 'UTC')) AS day FROM bill_runs
        )
    ),
    accounts AS (SELECT * FROM ref_accounts WHERE NOT is_withdrawn),
    drawn AS (SELECT DISTINCT account, period_from FROM bill_documents WHERE status != 'replaced'),
    reached AS
    (
        SELECT legal_entity, account, max(as_of_ms) AS as_of_ms FROM bill_runs_that_count GROUP BY legal_entity, account
    ),
    ended_tenancies AS
    (
        SELECT account, supply_point, from_date, assumeNotNull(to_date) AS to_date FROM ref_tenancies WHERE NOT is_withdrawn AND to_date IS NOT NULL
    ),
    due_periods AS
    (
        SELECT
            accounts.legal_entity AS legal_entity,
            accounts.account AS account,
            accounts.currency AS currency,
            ended_tenancies.supply_point AS supply_point,
            ended_tenancies.from_date AS from_date,
            ended_tenancies.to_date AS to_date,
            toStartOfMonth(billing_from) + (calendar_day - 1) AS in_month,
            arrayJoin(range(toUInt32(greatest(0, dateDiff('month', billing_from, ended_tenancies.to_date)) + 2))) AS month,
            addMonths(if(in_month <= billing_from, in_month, addMonths(in_month, -1)), month) AS nominal_from,
            greatest(nominal_from, billing_from) AS period_from,
            addMonths(nominal_from, 1) AS period_to,
            greatest(of_all.as_of_ms, of_one.as_of_ms) AS reached_ms
        FROM accounts
        INNER JOIN ended_tenancies ON ended_tenancies.account = accounts.account
        LEFT JOIN (SELECT * FROM reached WHERE account = '') AS of_all ON of_all.legal_entity = accounts.legal_entity
        LEFT JOIN (SELECT * FROM reached WHERE account != '') AS of_one ON of_one.account = accounts.account
        WHERE calendar_day BETWEEN 1 AND 28
    ),
    unbilled AS
    (
        SELECT legal_entity, account, currency, period_from, period_to, arrayStringConcat(arraySort(groupUniqArray(supply_point)), ', ') AS supply_points
        FROM due_periods
        WHERE period_from < to_date AND period_to > from_date AND (account, period_from) NOT IN drawn
            AND toUnixTimestamp64Milli(toDateTime64(period_to + 1, 3, 'UTC')) <= reached_ms
        GROUP BY legal_entity, account, currency, period_from, period_to
    )
SELECT
    if(rule = 'ACCOUNT_CLOSED', 'CLOSED_ACCOUNT', 'HELD_DRAFT') AS kind, toDate(drafted_utc) AS since, legal_entity, account, document_id AS subject,
    currency, total AS amount, rule || ': ' || detail AS why,
    'meterfold bill show ' || document_id || '; then meterfold bill release ' || document_id || ' --reason …' AS what_to_do
FROM held

UNION ALL
SELECT
    'OPEN_DISPUTE' AS kind, toDate(opened_utc) AS since, legal_entity, account, contested.document_number AS subject,
    documents.currency AS currency, contested_amount AS amount, opening_reason AS why,
    'meterfold account settle ' || contested.document_number || ' --as upheld|rejected|withdrawn --reason …' AS what_to_do
FROM contested
LEFT JOIN documents ON documents.document_number = contested.document_number

UNION ALL
SELECT
    'NEVER_BILLED' AS kind, period_to AS since, legal_entity, account, toString(period_from) AS subject, currency, toDecimal128(0, 4) AS amount,
    'a tenancy of the period has ended, runs have reached it, and there is no document: ' || supply_points AS why,
    'meterfold bill run ' || account || ' says what is lacking' AS what_to_do
FROM unbilled

UNION ALL
SELECT
    'CREDIT_OF_CLOSED_ACCOUNT' AS kind, balances.last_day AS since, balances.legal_entity AS legal_entity, balances.account AS account,
    balances.account AS subject, balances.currency AS currency, balances.balance AS amount, 'the account has ended, and is in credit' AS why,
    'pay it back, and say so: meterfold account pay ' || balances.account || ' ' || toString(-balances.balance) || ' --back' AS what_to_do
FROM balances
INNER JOIN ended_accounts ON ended_accounts.account = balances.account
WHERE ended_accounts.ended_from <= (SELECT last_known FROM latest)
