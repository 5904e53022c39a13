-- The debits of a posting are not its credits, in one of its months and currencies.
WITH
    legs AS (SELECT * FROM journal)
SELECT legal_entity, accounting_period, posting_id, currency, sum(debit) AS debits, sum(credit) AS credits
FROM legs
GROUP BY legal_entity, accounting_period, posting_id, currency
HAVING debits != credits
ORDER BY legal_entity, accounting_period, posting_id, currency
