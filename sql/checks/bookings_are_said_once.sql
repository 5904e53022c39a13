-- A payment or entry was recorded again under its name with other content, which does not count; or one was reversed twice.
WITH
    booked AS
    (
        SELECT payment_id AS id, account, currency, amount, received_on AS day, reverses, billing_offset FROM account_payments FINAL
        UNION ALL
        SELECT entry_id AS id, account, currency, amount, booked_on AS day, reverses, billing_offset FROM account_entries FINAL
    ),
    named AS
    (
        SELECT id, groupUniqArray((account, currency, amount, day, reverses)) AS contents, arraySort(groupArray(billing_offset)) AS billing_offsets
        FROM booked
        GROUP BY id
    ),
    reversals AS
    (
        SELECT reverses AS id, arraySort(groupUniqArray(booked.id)) AS by_ids, arraySort(groupArray(billing_offset)) AS billing_offsets
        FROM booked
        WHERE reverses != ''
        GROUP BY reverses
    )
SELECT id, 'recorded again, otherwise: what came later does not count' AS defect, billing_offsets FROM named WHERE length(contents) > 1
UNION ALL
SELECT id, 'reversed more than once: by ' || arrayStringConcat(by_ids, ', ') AS defect, billing_offsets FROM reversals WHERE length(by_ids) > 1
ORDER BY id, defect
