-- One row per segment and channel that its tariff prices and its supply point has: the bands in the order they are tried.
CREATE OR REPLACE TEMPORARY TABLE rating_channels AS
WITH
    segments AS (SELECT * FROM rating_segments),
    channels AS
    (
        SELECT *
        FROM ref_channels_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    bands AS
    (
        SELECT *
        FROM ref_tariff_bands_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    factors AS (SELECT * FROM ref_unit_factors),
    price_lists AS
    (
        SELECT
            tariff,
            tariff_version,
            channel,
            any(unit) AS unit,
            arraySort(groupArray((
                band_order, band, ifNull(rate, toDecimal128(0, 9)), months, days, from_minute, to_minute
            ))) AS rows,
            arrayMap(row -> row.2, rows) AS band_names,
            arrayMap(row -> row.3, rows) AS band_rates,
            arrayMap(row -> row.4, rows) AS band_months,
            arrayMap(row -> row.5, rows) AS band_days,
            arrayMap(row -> row.6, rows) AS band_from_minutes,
            arrayMap(row -> row.7, rows) AS band_to_minutes,
            -- a holiday keeps its weekday unless some band of the list names holidays
            arrayExists(row -> has(row.5, 'holiday'), rows) AS names_holiday,
            arrayExists(row -> row.6 != 0 OR row.7 != 1440, rows) AS has_times,
            uniqExact(band) < count() OR uniqExact(band_order) < count() OR countIf(
                NOT match(rate_text, '^-?[0-9]{1,9}([.][0-9]{1,9})?$')
                OR NOT match(from_text, '^(([01][0-9]|2[0-3]):[0-5][0-9])?$')
                OR NOT match(to_text, '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)?$')
            ) > 0 AS is_malformed
        FROM bands
        GROUP BY tariff, tariff_version, channel
    )
SELECT
    segments.account AS account,
    segments.currency AS currency,
    segments.period_from AS period_from,
    segments.period_to AS period_to,
    segments.tenancy AS tenancy,
    segments.supply_point AS supply_point,
    segments.site AS site,
    segments.tariff AS tariff,
    segments.tariff_version AS tariff_version,
    segments.service_from AS service_from,
    segments.service_to AS service_to,
    segments.service_start_ms AS service_start_ms,
    segments.service_end_ms AS service_end_ms,
    segments.offset_from_ms AS offset_from_ms,
    segments.offset_until_ms AS offset_until_ms,
    segments.offset_s AS offset_s,
    segments.holidays AS holidays,
    segments.gate_after_days AS gate_after_days,
    segments.gate_at AS gate_at,
    segments.tax_name AS tax_name,
    segments.tax_rate_text AS tax_rate_text,
    segments.tax_rate AS tax_rate,
    channels.channel AS channel,
    channels.channel_kind AS channel_kind,
    channels.grid_s AS grid_s,
    channels.unit AS channel_unit,
    price_lists.unit AS rate_unit,
    -- a denominator of 0: no factor is stated between the two units
    factors.numerator AS unit_numerator,
    factors.denominator AS unit_denominator,
    price_lists.band_names AS band_names,
    price_lists.band_rates AS band_rates,
    price_lists.band_months AS band_months,
    price_lists.band_days AS band_days,
    price_lists.band_from_minutes AS band_from_minutes,
    price_lists.band_to_minutes AS band_to_minutes,
    price_lists.names_holiday AS names_holiday,
    price_lists.has_times AS has_times,
    price_lists.is_malformed AS is_malformed
FROM segments
INNER JOIN channels ON channels.supply_point = segments.supply_point
INNER JOIN price_lists
    ON price_lists.tariff = segments.tariff AND price_lists.tariff_version = segments.tariff_version AND price_lists.channel = channels.channel
LEFT JOIN factors ON factors.from_unit = channels.unit AND factors.to_unit = price_lists.unit
