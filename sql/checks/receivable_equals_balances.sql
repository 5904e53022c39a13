-- What the journal says an account owes is not its balance, or not its opening position, issued lines and entries less its payments.
WITH
    stacked AS
    (
        SELECT account, currency, debit - credit AS posted, toDecimal128(0, 4) AS owed, toDecimal128(0, 4) AS balance FROM journal WHERE role = 'receivable'
        UNION ALL
        SELECT account, currency, toDecimal128(0, 4) AS posted, toDecimal128(0, 4) AS owed, balance FROM account_balances
        UNION ALL
        SELECT account, currency, toDecimal128(0, 4) AS posted, amount AS owed, toDecimal128(0, 4) AS balance FROM issued_lines WHERE NOT is_withheld
        UNION ALL
        SELECT account, currency, toDecimal128(0, 4) AS posted, amount AS owed, toDecimal128(0, 4) AS balance FROM entries
        UNION ALL
        SELECT account, currency, toDecimal128(0, 4) AS posted, -amount AS owed, toDecimal128(0, 4) AS balance FROM payments
        UNION ALL
        SELECT account, currency, toDecimal128(0, 4) AS posted, opening_position AS owed, toDecimal128(0, 4) AS balance FROM ref_accounts WHERE NOT is_withdrawn
    )
SELECT
    stacked.account AS account, stacked.currency AS currency, sum(stacked.posted) AS journal_says, sum(stacked.balance) AS balance_says,
    sum(stacked.owed) AS lines_say
FROM stacked
GROUP BY account, currency
HAVING journal_says != lines_say OR journal_says != balance_says
ORDER BY account, currency
