-- One row per payment. The columns are those of docs/extracts.md, for ever. Order: booked_offset.
CREATE OR REPLACE VIEW extract_payments_v1 AS
WITH
    received AS (SELECT * FROM payments)
SELECT
    legal_entity,
    accounting_period,
    payment_id,
    account,
    received_on,
    currency,
    amount,
    reference,
    arrayStringConcat(arrayMap((number, paid) -> number || '=' || toString(paid), allocated_numbers, allocated_amounts), ' ') AS allocations,
    reverses,
    person,
    billing_offset AS booked_offset
FROM received
