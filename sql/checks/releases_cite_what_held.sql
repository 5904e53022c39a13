-- A draft was released that was none, from no rule, or from a rule that there is not.
WITH
    releases AS (SELECT * FROM bill_released FINAL),
    drawn AS (SELECT document_id FROM bill_documents)
SELECT document_id, billing_offset, rules, person
FROM releases
WHERE document_id NOT IN (SELECT document_id FROM drawn) OR empty(rules)
    OR NOT hasAll(['ESTIMATED_SHARE', 'CHANGE', 'AMOUNT', 'ACCOUNT_CLOSED', 'CHECK_FAILED'], CAST(rules, 'Array(String)'))
ORDER BY document_id, billing_offset
