-- One row per share in a segment: its local start, the first band that matches it, and its quantity in the channel's unit.
-- band_index 0: no band matches. A band is matched on the local start alone: month, weekday (or holiday) and time of that instant.
CREATE OR REPLACE TEMPORARY TABLE rating_windows AS
WITH
    shares AS (SELECT * FROM rating_shares),
    -- cut at every change of the clock, so that one ASOF JOIN finds both the segment and its offset from UTC
    pieces AS
    (
        SELECT
            * EXCEPT (offset_from_ms, offset_until_ms, offset_s),
            greatest(service_start_ms, offset_from) AS piece_start_ms,
            least(service_end_ms, offset_until) AS piece_end_ms,
            offset
        FROM rating_channels
        ARRAY JOIN offset_from_ms AS offset_from, offset_until_ms AS offset_until, offset_s AS offset
        WHERE piece_start_ms < piece_end_ms
    ),
    located AS
    (
        SELECT
            pieces.* EXCEPT (supply_point, channel),
            pieces.supply_point AS supply_point,
            pieces.channel AS channel,
            shares.start_ms AS start_ms,
            shares.end_ms AS end_ms,
            shares.window_start_ms AS window_start_ms,
            shares.window_end_ms AS window_end_ms,
            shares.quantity_nano AS quantity_nano,
            shares.n_estimated AS n_estimated,
            shares.n_missing AS n_missing,
            shares.quality AS quality,
            shares.revision AS revision,
            shares.start_ms + pieces.offset * 1000 AS local_ms,
            toDate(toUInt16(intDiv(local_ms, 86400000))) AS local_date,
            intDiv(local_ms % 86400000, 60000) AS local_minute,
            if(
                pieces.names_holiday AND has(pieces.holidays, local_date), 'holiday',
                arrayElement(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], toDayOfWeek(local_date))
            ) AS day_name
        FROM shares
        ASOF INNER JOIN pieces
            ON pieces.supply_point = shares.supply_point AND pieces.channel = shares.channel AND shares.start_ms >= pieces.piece_start_ms
        WHERE shares.start_ms < pieces.piece_end_ms
    )
SELECT
    account,
    currency,
    period_from,
    period_to,
    tenancy,
    supply_point,
    channel,
    tariff,
    tariff_version,
    service_from,
    service_to,
    tax_name,
    tax_rate_text,
    tax_rate,
    start_ms,
    end_ms,
    window_start_ms,
    window_end_ms,
    local_date,
    local_minute,
    day_name,
    arrayFirstIndex(
        (months, days, from_minute, to_minute) ->
            (empty(months) OR has(months, toMonth(local_date)))
            AND (empty(days) OR has(days, day_name))
            AND if(
                from_minute < to_minute,
                local_minute >= from_minute AND local_minute < to_minute,
                local_minute >= from_minute OR local_minute < to_minute
            ),
        band_months, band_days, band_from_minutes, band_to_minutes
    ) AS band_index,
    if(band_index = 0, '', band_names[band_index]) AS band,
    if(band_index = 0, toDecimal128(0, 9), band_rates[band_index]) AS rate,
    rate_unit,
    channel_unit,
    unit_numerator,
    unit_denominator,
    reinterpret(quantity_nano, 'Decimal(38, 9)') AS quantity,
    n_estimated,
    n_missing,
    quality,
    revision
FROM located
