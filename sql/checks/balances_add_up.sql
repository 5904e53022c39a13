-- What is open on an account, less what was received for nothing yet, is not its balance; or something was credited and paid beyond what it was.
WITH
    balances AS (SELECT * FROM account_balances),
    statement AS (SELECT account, currency, argMax(balance, position) AS last_balance FROM account_statement GROUP BY account, currency),
    beyond AS (SELECT account, currency, count() AS items FROM account_items WHERE open < 0 OR credited < 0 OR paid < 0 GROUP BY account, currency)
SELECT
    balances.account AS account, balances.currency AS currency, balances.balance AS balance, statement.last_balance AS statement_balance,
    balances.opening + balances.documents + balances.entries - balances.payments AS sum_of_parts, beyond.items AS items_beyond
FROM balances
LEFT JOIN statement ON statement.account = balances.account AND statement.currency = balances.currency
LEFT JOIN beyond ON beyond.account = balances.account AND beyond.currency = balances.currency
WHERE balance != statement_balance OR balance != sum_of_parts OR items_beyond > 0
ORDER BY account, currency
