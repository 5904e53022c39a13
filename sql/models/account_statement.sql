-- One row per movement of an account and currency, in order of its day, with the balance after it (above 0: owed).
CREATE OR REPLACE VIEW account_statement AS
WITH
    movements AS (SELECT * FROM account_movements)
SELECT
    legal_entity,
    account,
    currency,
    day,
    kind,
    reference,
    detail,
    concerns,
    is_cancelled,
    amount,
    sum(amount) OVER (
        PARTITION BY account, currency ORDER BY day, place, kind, reference ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS balance,
    row_number() OVER (PARTITION BY account, currency ORDER BY day, place, kind, reference) AS position
FROM movements
