-- One row per tariff version that a tenancy may be under and charge of it. cell_no: its place among the metered charges of the version, else 0.
-- A charge that cannot be read is of no kind, so that nothing is worked out of it: rating_blocks says what is wrong.
CREATE OR REPLACE TEMPORARY TABLE rating_prices AS
WITH
    charges AS
    (
        SELECT * EXCEPT (kind, is_metered), if(complaint = '', charges.kind, '') AS kind, charges.is_metered AND complaint = '' AS is_metered
        FROM ref_charges_history AS charges
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
            AND tariff IN (SELECT tariff FROM rating_tenancies)
    )
SELECT
    row_number() OVER (ORDER BY tariff, tariff_version, charge_index) AS price,
    if(is_metered, countIf(is_metered) OVER (PARTITION BY tariff, tariff_version ORDER BY charge_index), 0) AS cell_no,
    *
FROM charges
