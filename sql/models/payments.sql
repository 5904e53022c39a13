-- One row per payment: its first record counts. `is_reversed`: a later one says that it was none.
CREATE OR REPLACE VIEW payments AS
WITH
    records AS (SELECT * FROM account_payments FINAL),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY payment_id ORDER BY billing_offset) AS place FROM records),
    firsts AS (SELECT * EXCEPT (place) FROM ranked WHERE place = 1)
SELECT *, payment_id IN (SELECT reverses FROM firsts WHERE reverses != '') AS is_reversed
FROM firsts
