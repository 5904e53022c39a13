-- One row per entry (goodwill, fee, deposit, write_off): its first record counts. `is_reversed`: a later one says that it was none.
CREATE OR REPLACE VIEW entries AS
WITH
    records AS (SELECT * FROM account_entries FINAL),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY entry_id ORDER BY billing_offset) AS place FROM records),
    firsts AS (SELECT * EXCEPT (place) FROM ranked WHERE place = 1)
SELECT *, entry_id IN (SELECT reverses FROM firsts WHERE reverses != '') AS is_reversed
FROM firsts
