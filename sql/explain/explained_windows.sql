-- One row per window (or local day's share of a span) that the line rests on. role: 'counted'; or 'taken off' or 'compared with', of the channels that
-- its quantity is less or beyond. Of a demand the windows that made its peak, the first of equal ones. A table while the line is explained.
CREATE OR REPLACE TEMPORARY TABLE explained_windows AS
WITH
    prices AS
    (
        SELECT *
        FROM rating_prices
        WHERE tariff = {tariff:String} AND tariff_version = {tariff_version:String} AND is_metered AND kind = {kind:String}
            AND channel = {channel:String} AND charge = {charge:String}
    ),
    segments AS
    (
        SELECT segment
        FROM rating_segments
        WHERE period_from = {period_from:Date} AND supply_point = {supply_point:String} AND tariff = {tariff:String}
            AND tariff_version = {tariff_version:String} AND service_from >= {service_from:Date} AND service_to <= {service_to:Date}
    ),
    roles AS
    (
        SELECT cell_no, highest, prices.kind AS kind, band_names, stream.1 AS role, stream.2 AS role_channel, stream.3 AS role_minus
        FROM prices
        ARRAY JOIN [
            ('counted', prices.channel, if(net = 'interval', prices.minus, '')), ('taken off', prices.minus, ''),
            ('compared with', beyond_channel, '')
        ] AS stream
        WHERE stream.2 != ''
    ),
    ranked AS
    (
        SELECT
            windows.*,
            roles.role AS role,
            roles.highest AS highest,
            row_number() OVER (PARTITION BY windows.segment, roles.role ORDER BY windows.quantity_nano DESC, windows.start_ms) AS rank
        FROM rating_windows AS windows
        INNER JOIN roles ON roles.role_channel = windows.channel AND roles.role_minus = windows.minus
        WHERE windows.segment IN segments AND notEmpty(windows.cell)
            AND if(
                {kind:String} = 'energy', windows.cell[roles.cell_no] = indexOf(roles.band_names, {part:String}), windows.cell[roles.cell_no] > 0
            )
    ),
    channels AS (SELECT segment, channel, channel_unit FROM rating_channels)
SELECT
    ranked.role AS role,
    ranked.channel AS channel,
    channels.channel_unit AS unit,
    start_ms,
    end_ms,
    window_start_ms,
    window_end_ms,
    local_date,
    reinterpret(quantity_nano, 'Decimal(38, 9)') AS quantity,
    quality,
    revision
FROM ranked
INNER JOIN channels ON channels.segment = ranked.segment AND channels.channel = ranked.channel
WHERE {kind:String} != 'demand' OR rank <= highest
