-- One row per account that is rated (of `rating_scope`; also one that was withdrawn, which is reversed), in the edition that the run knows.
CREATE OR REPLACE TEMPORARY TABLE rating_accounts
(
    account String, version Int64, legal_entity String, party_id String, currency String, billing_from Date, calendar_kind String,
    calendar_day UInt8, opening_position Decimal(38, 4), tax_treatments Array(Tuple(String, String, Date, Date)),
    ended_reason Nullable(String), ended_on Nullable(Date), is_withdrawn Bool, known_from_offset UInt64, known_until_offset UInt64
)
AS
SELECT *
FROM ref_accounts_history
WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    AND account IN (SELECT value FROM rating_scope)
