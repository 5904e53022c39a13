-- One row per segment, channel and what is taken off it window by window (`minus`, '' for the channel itself): what is added up.
-- It covers the parts of time from part_from (in) to part_to (out). `highest`: how many of its highest windows a demand charge asks for.
CREATE OR REPLACE TEMPORARY TABLE rating_streams
(
    segment UInt32, supply_point String, channel String, service_start_ms Int64, service_end_ms Int64, grid_s Int64, has_demand UInt8,
    is_exact UInt8, minus String, highest UInt16, calendar UInt32, part_from UInt32, part_to UInt32, minus_numerator UInt64,
    minus_denominator UInt64
)
AS
WITH
    users AS
    (
        SELECT calendar, user.1 AS site, user.2 AS tariff, user.3 AS tariff_version FROM rating_calendars ARRAY JOIN users AS user
    ),
    asked AS
    (
        SELECT tariff, tariff_version, stream.1 AS channel, stream.2 AS minus, max(if(kind = 'demand', highest, 0)) AS highest
        FROM rating_prices
        ARRAY JOIN [
            (rating_prices.channel, if(net = 'interval', rating_prices.minus, '')), (rating_prices.minus, ''),
            (beyond_channel, ''), (rating_prices.channel, '')
        ] AS stream
        WHERE is_metered AND stream.1 != ''
        GROUP BY tariff, tariff_version, channel, minus
    )
SELECT
    channels.segment AS segment,
    channels.supply_point AS supply_point,
    channels.channel AS channel,
    channels.service_start_ms AS service_start_ms,
    channels.service_end_ms AS service_end_ms,
    channels.grid_s AS grid_s,
    channels.has_demand AS has_demand,
    channels.is_exact AS is_exact,
    asked.minus AS minus,
    asked.highest AS highest,
    users.calendar AS calendar,
    begins.part_no AS part_from,
    ends.part_no AS part_to,
    -- of what is taken off, into the channel's unit; a denominator of 0: the supply point has no such channel, or no factor is stated
    factors.numerator AS minus_numerator,
    factors.denominator AS minus_denominator
FROM rating_channels AS channels
INNER JOIN asked ON asked.tariff = channels.tariff AND asked.tariff_version = channels.tariff_version AND asked.channel = channels.channel
INNER JOIN users ON users.site = channels.site AND users.tariff = channels.tariff AND users.tariff_version = channels.tariff_version
INNER JOIN rating_parts AS begins ON begins.at_ms = channels.service_start_ms
INNER JOIN rating_parts AS ends ON ends.at_ms = channels.service_end_ms
LEFT JOIN rating_channels AS taken ON taken.segment = channels.segment AND taken.channel = asked.minus
LEFT JOIN rating_unit_factors AS factors ON factors.from_unit = taken.channel_unit AND factors.to_unit = channels.channel_unit
