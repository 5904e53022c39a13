-- One row per dispute: what is contested, since when, and its last state.
CREATE OR REPLACE VIEW disputes AS
WITH
    steps AS (SELECT * FROM bill_disputes FINAL)
SELECT
    dispute_id,
    argMin(legal_entity, billing_offset) AS legal_entity,
    argMin(account, billing_offset) AS account,
    argMin(document_number, billing_offset) AS document_number,
    argMax(state, billing_offset) AS last_state,
    argMin(amount, billing_offset) AS contested_amount,
    argMin(reason, billing_offset) AS opening_reason,
    argMin(person, billing_offset) AS opening_person,
    argMax(reason, billing_offset) AS last_reason,
    argMax(person, billing_offset) AS last_person,
    fromUnixTimestamp64Milli(min(booked_ms), 'UTC') AS opened_utc,
    fromUnixTimestamp64Milli(max(booked_ms), 'UTC') AS last_utc,
    max(billing_offset) AS last_offset
FROM steps
GROUP BY dispute_id
