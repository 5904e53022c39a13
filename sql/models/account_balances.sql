-- One row per account and currency: what it owes (balance; negative: it is in credit), from what that is made up, what is open, and what was received for nothing yet.
CREATE OR REPLACE VIEW account_balances AS
WITH
    movements AS (SELECT * FROM account_movements),
    sums AS
    (
        SELECT
            any(legal_entity) AS legal_entity,
            account,
            currency,
            sumIf(amount, kind = 'opening') AS opening,
            sumIf(amount, kind IN ('invoice', 'credit_note')) AS documents,
            sumIf(amount, kind IN ('goodwill', 'fee', 'deposit', 'write_off')) AS entries,
            sumIf(-amount, kind = 'payment') AS payments,
            sum(amount) AS balance,
            max(day) AS last_day
        FROM movements
        GROUP BY account, currency
    ),
    owed AS (SELECT account, currency, sum(open) AS open FROM account_items GROUP BY account, currency)
SELECT
    sums.legal_entity AS legal_entity,
    sums.account AS account,
    sums.currency AS currency,
    sums.opening AS opening,
    sums.documents AS documents,
    sums.entries AS entries,
    sums.payments AS payments,
    sums.balance AS balance,
    owed.open AS open,
    owed.open - sums.balance AS unallocated,
    sums.last_day AS last_day
FROM sums
LEFT JOIN owed ON owed.account = sums.account AND owed.currency = sums.currency
