-- One row per supply point, in the edition that the run knows: its site, and who is charged while nobody lives there.
CREATE OR REPLACE TEMPORARY TABLE rating_supply_points
(
    supply_point String, site String, vacant_account String, vacant_tariff String, vacant_from Nullable(Date), vacant_to Nullable(Date),
    is_withdrawn Bool
)
AS
SELECT supply_point, site, vacant_account, vacant_tariff, vacant_from, vacant_to, is_withdrawn
FROM ref_supply_points_history
WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
