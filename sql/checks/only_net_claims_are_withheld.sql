-- What is withheld for a period is not a net claim: in sum it is less than nothing, or nothing while single elements are withheld.
WITH
    lines AS (SELECT * FROM issued_lines WHERE is_withheld),
    elements AS
    (
        SELECT account, period_from, currency, element, sum(amount) AS withheld
        FROM lines
        GROUP BY account, period_from, currency, element
    )
SELECT account, period_from, currency, sum(withheld) AS withheld_in_all, countIf(withheld != 0) AS elements_withheld
FROM elements
GROUP BY account, period_from, currency
HAVING withheld_in_all < 0 OR (withheld_in_all = 0 AND elements_withheld > 0)
ORDER BY account, period_from, currency
