-- One row per tariff version that a tenancy may be under and charge of it. cell_no: its place among the metered charges of the version, else 0.
-- A charge that cannot be read is of no kind, so that nothing is worked out of it: rating_blocks says what is wrong.
CREATE OR REPLACE TEMPORARY TABLE rating_prices
(
    price UInt64, cell_no UInt64, tariff String, version Int64, tariff_version String, currency String, effective_from Date,
    effective_to Date, charge_index UInt32, charge_no UInt16, charge String, channel String, unit String, minus String, net String,
    share Decimal(38, 9), beyond_channel String, beyond_share Decimal(38, 9),
    steps Array(Tuple(UInt8, Decimal(76, 9), Decimal(76, 9), String)), band_names Array(String), band_rates Array(Decimal(38, 9)),
    conditions Array(Tuple(Array(UInt8), Array(String), UInt16, UInt16)), names_holiday UInt8, has_times UInt8, series String,
    series_times Decimal(38, 9), series_plus Decimal(38, 9), scheme String, bounds String, prorate String, tier_names Array(String),
    tier_bounds Array(Decimal(76, 9)), tier_rates Array(Decimal(38, 9)), tier_fees Array(Decimal(38, 9)), highest UInt16,
    rate Decimal(38, 9), minimum Decimal(76, 9), has_ratchet UInt8, ratchet_share Decimal(76, 9), ratchet_months Int64, per String,
    number String, number_unit String, bounds_of String, has_power_factor UInt8, power_factors Array(Tuple(Int256, Int256)),
    is_of_all UInt8, of_charges Array(String), of_kinds Array(String), has_rounding UInt8, round_to Decimal(76, 9), round_mode String,
    complaint String, ended_reason Nullable(String), is_withdrawn Bool, known_from_offset UInt64, known_until_offset UInt64, kind String,
    is_metered UInt8
)
AS
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
