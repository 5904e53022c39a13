-- One row per version of a tariff object, tariff version and charge: `charges` of decision 12, and the old fields `energy` and `standing_per_day`
-- as charges without a name (charge_no 0). `complaint` says what of it cannot be read, '' when all can; numbers that cannot be read are 0.
CREATE OR REPLACE VIEW ref_charges_history AS
WITH
    rows AS (SELECT * FROM reference_charges FINAL),
    spanned AS
    (
        SELECT
            *,
            max(billing_offset) OVER (PARTITION BY id, version) AS latest_offset,
            first_value(billing_offset) OVER (
                PARTITION BY id ORDER BY version RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ) AS next_offset
        FROM rows
    )
SELECT
    id AS tariff,
    version,
    tariff_version,
    currency,
    effective_from,
    effective_to,
    -- place in the version, of all and of `charges`
    charge_index,
    charge_no,
    charge,
    kind,
    toUInt8(spanned.is_metered) AS is_metered,
    channel,
    unit,
    minus,
    net,
    share,
    beyond_channel,
    beyond_share,
    -- in order: (divides, factor, rounded to or 0, mode)
    arrayMap(
        (divides, factor, rounded_to, mode) -> (toUInt8(divides), toDecimal256(factor, 9), toDecimal256(rounded_to, 9), mode),
        step_divides, step_factors, step_rounded_to, step_modes
    ) AS steps,
    band_names,
    band_rates,
    -- of the bands, or of `when`: [(months, days, from_minute, to_minute)]
    arrayZip(condition_months, condition_days, condition_from_minutes, condition_to_minutes) AS conditions,
    toUInt8(spanned.names_holiday) AS names_holiday,
    toUInt8(spanned.has_times) AS has_times,
    series,
    series_times,
    series_plus,
    scheme,
    bounds,
    prorate,
    tier_names,
    -- the last has none
    arrayMap(bound -> toDecimal256(bound, 9), spanned.tier_bounds) AS tier_bounds,
    tier_rates,
    tier_fees,
    highest,
    -- of a demand or standing charge; share of a percentage; amount of a minimum or maximum
    rate,
    toDecimal256(spanned.minimum, 9) AS minimum,
    toUInt8(spanned.has_ratchet) AS has_ratchet,
    toDecimal256(spanned.ratchet_share, 9) AS ratchet_share,
    ratchet_months,
    per,
    number,
    number_unit,
    bounds_of,
    toUInt8(spanned.has_power_factor) AS has_power_factor,
    -- (below, share) in 10⁻⁹: the first that a power factor is below
    arrayMap(
        (below, share) -> (toInt256(reinterpret(below, 'Int128')), toInt256(reinterpret(share, 'Int128'))), power_factor_below, power_factor_shares
    ) AS power_factors,
    toUInt8(spanned.is_of_all) AS is_of_all,
    of_charges,
    of_kinds,
    toUInt8(spanned.has_rounding) AS has_rounding,
    toDecimal256(spanned.round_to, 9) AS round_to,
    round_mode,
    complaint,
    ended_reason,
    is_withdrawn,
    billing_offset AS known_from_offset,
    if(next_offset = 0, 18446744073709551615, next_offset) AS known_until_offset
FROM spanned
WHERE item > 0 AND billing_offset = latest_offset
