-- A payment, an entry or a document of an account is in another currency than the account: no view would hold it against the rest.
WITH
    accounts AS (SELECT account, currency FROM ref_accounts),
    movements AS (SELECT account, currency, kind, reference, amount FROM account_movements)
SELECT movements.account AS account, movements.kind AS kind, movements.reference AS reference, movements.currency AS currency, accounts.currency AS account_currency
FROM movements
LEFT JOIN accounts ON accounts.account = movements.account
WHERE movements.currency != accounts.currency
ORDER BY account, kind, reference
