-- One row per segment and channel that its tariff looks at and its supply point has. `is_exact`: each window of it must be looked at on its own.
CREATE OR REPLACE TEMPORARY TABLE rating_channels
(
    segment UInt32, supply_point String, channel String, site String, tariff String, tariff_version String, service_start_ms Int64,
    service_end_ms Int64, channel_kind String, grid_s Int64, channel_unit String, has_demand UInt8, has_times UInt8, is_exact UInt8
)
AS
WITH
    channels AS
    (
        SELECT *
        FROM ref_channels_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    used AS
    (
        SELECT
            tariff,
            tariff_version,
            arrayJoin(arrayFilter(name -> name != '', [channel, minus, beyond_channel])) AS channel,
            max(kind = 'demand') AS has_demand,
            max(has_times) AS has_times,
            -- an average of several, one channel less another window by window, or a price for each
            max(highest > 1 OR net = 'interval' OR series != '') AS is_exact
        FROM rating_prices
        WHERE is_metered
        GROUP BY tariff, tariff_version, channel
    )
SELECT
    segments.segment AS segment,
    segments.supply_point AS supply_point,
    channels.channel AS channel,
    segments.site AS site,
    segments.tariff AS tariff,
    segments.tariff_version AS tariff_version,
    segments.service_start_ms AS service_start_ms,
    segments.service_end_ms AS service_end_ms,
    channels.channel_kind AS channel_kind,
    channels.grid_s AS grid_s,
    channels.unit AS channel_unit,
    used.has_demand AS has_demand,
    used.has_times AS has_times,
    used.is_exact OR channels.channel_kind != 'intervals' OR channels.grid_s = 0 AS is_exact
FROM rating_segments AS segments
INNER JOIN channels ON channels.supply_point = segments.supply_point
INNER JOIN used ON used.tariff = segments.tariff AND used.tariff_version = segments.tariff_version AND used.channel = channels.channel
