-- One row per segment and metered charge whose channel its supply point has: what is needed to make a quantity of the sums of its channels.
-- A denominator of 0: no factor is stated between the two units. Reactive and apparent energy stand beside active by their prefix alone.
CREATE OR REPLACE TEMPORARY TABLE rating_metered
(
    segment UInt32, price UInt64, cell_no UInt64, kind String, channel String, minus String, net String, beyond_channel String,
    highest UInt16, channel_kind String, grid_s Int64, has_times UInt8, channel_unit String, unit String, line_unit String,
    unit_numerator UInt64, unit_denominator UInt64, has_minus UInt8, minus_grid_s Int64, minus_numerator UInt64, minus_denominator UInt64,
    has_beyond UInt8, beyond_grid_s Int64, beyond_numerator UInt64, beyond_denominator UInt64
)
AS
WITH
    prices AS
    (
        SELECT
            *,
            -- a price per kW is one of the demand of a channel in kWh
            multiIf(
                kind != 'demand', unit, unit IN ('W', 'kW', 'MW', 'GW', 'VA', 'kVA', 'MVA'), unit || 'h',
                unit IN ('var', 'kvar', 'Mvar'), unit || 'h', endsWith(unit, '/h'), substring(unit, 1, length(unit) - 2), unit
            ) AS counted_unit,
            multiIf(
                kind != 'demand' OR notEmpty(steps), unit, counted_unit IN ('J', 'kJ', 'MJ', 'GJ'), counted_unit || '/h',
                endsWith(counted_unit, 'Wh') OR endsWith(counted_unit, 'VAh') OR endsWith(counted_unit, 'varh'),
                substring(counted_unit, 1, length(counted_unit) - 1), counted_unit || '/h'
            ) AS line_unit
        FROM rating_prices
        WHERE is_metered
    ),
    applied AS
    (
        SELECT
            channels.segment AS segment,
            prices.price AS price,
            channels.channel_kind AS channel_kind,
            channels.grid_s AS grid_s,
            channels.channel_unit AS channel_unit,
            prices.channel AS channel, prices.cell_no AS cell_no, prices.kind AS kind, prices.unit AS unit, prices.counted_unit AS counted_unit,
            prices.line_unit AS line_unit, prices.minus AS minus, prices.net AS net, prices.beyond_channel AS beyond_channel,
            prices.highest AS highest, prices.has_times AS has_times, prices.steps AS steps
        FROM rating_channels AS channels
        INNER JOIN prices ON prices.tariff = channels.tariff AND prices.tariff_version = channels.tariff_version AND prices.channel = channels.channel
    )
SELECT
    applied.segment AS segment,
    applied.price AS price,
    applied.cell_no AS cell_no,
    applied.kind AS kind,
    applied.channel AS channel,
    applied.minus AS minus,
    applied.net AS net,
    applied.beyond_channel AS beyond_channel,
    applied.highest AS highest,
    applied.channel_kind AS channel_kind,
    applied.grid_s AS grid_s,
    applied.has_times AS has_times,
    applied.channel_unit AS channel_unit,
    applied.unit AS unit,
    applied.line_unit AS line_unit,
    multiIf(notEmpty(applied.steps) OR applied.channel_unit = applied.counted_unit, 1, factors.numerator) AS unit_numerator,
    multiIf(notEmpty(applied.steps) OR applied.channel_unit = applied.counted_unit, 1, factors.denominator) AS unit_denominator,
    taken.channel != '' AS has_minus,
    taken.grid_s AS minus_grid_s,
    if(taken.channel_unit = applied.channel_unit, 1, minus_factors.numerator) AS minus_numerator,
    if(taken.channel_unit = applied.channel_unit, 1, minus_factors.denominator) AS minus_denominator,
    other.channel != '' AS has_beyond,
    other.grid_s AS beyond_grid_s,
    if(other.channel_unit = applied.channel_unit, 1, beyond_factors.numerator) AS beyond_numerator,
    if(other.channel_unit = applied.channel_unit, 1, beyond_factors.denominator) AS beyond_denominator
FROM applied
LEFT JOIN rating_unit_factors AS factors ON factors.from_unit = applied.channel_unit AND factors.to_unit = applied.counted_unit
LEFT JOIN rating_channels AS taken ON taken.segment = applied.segment AND taken.channel = applied.minus
LEFT JOIN rating_unit_factors AS minus_factors ON minus_factors.from_unit = taken.channel_unit AND minus_factors.to_unit = applied.channel_unit
LEFT JOIN rating_channels AS other ON other.segment = applied.segment AND other.channel = applied.beyond_channel
LEFT JOIN rating_unit_factors AS beyond_factors
    ON beyond_factors.from_unit = replaceRegexpOne(other.channel_unit, '(var|VA)h$', 'Wh')
        AND beyond_factors.to_unit = replaceRegexpOne(applied.channel_unit, '(var|VA)h$', 'Wh')
