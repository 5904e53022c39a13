-- One row per account that is rated (of `rating_scope`; also one that was withdrawn, which is reversed), in the edition that the run knows.
CREATE OR REPLACE TEMPORARY TABLE rating_accounts AS
SELECT *
FROM ref_accounts_history
WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    AND account IN (SELECT value FROM rating_scope)
