-- One row per calendar and instant at which a window (or a local day's share of a span) may start: which condition of each metered charge holds.
-- `cell`: by cell_no the number of the first band that matches, of a `when` the first entry; 0: none. Matched on the local start alone: month,
-- weekday (or holiday) and time of that instant.
CREATE OR REPLACE TEMPORARY TABLE rating_moments
(
    calendar UInt32, start_ms Int64, local_date Date, cell Array(UInt8)
)
AS
WITH
    -- cut at every change of the clock
    pieces AS
    (
        SELECT
            * EXCEPT (from_ms, until_ms, users),
            greatest(from_ms, offset_begins_ms) AS piece_start_ms,
            least(until_ms, offset_ends_ms) AS piece_end_ms,
            offset
        FROM rating_calendars
        ARRAY JOIN offset_from_ms AS offset_begins_ms, offset_until_ms AS offset_ends_ms, offset_s AS offset
        WHERE piece_start_ms < piece_end_ms
    ),
    gridded AS
    (
        SELECT
            calendar, offset,
            arrayJoin(range(piece_start_ms, piece_end_ms, toInt64(grid) * 1000)) AS start_ms
        FROM pieces
        ARRAY JOIN grids AS grid
        WHERE grid > 0
    ),
    whole_days AS
    (
        SELECT
            calendar, offset,
            -- a day either side covers every clock
            toDate(toUInt16(intDiv(piece_start_ms, 86400000) - 1)) + arrayJoin(
                range(toUInt32(intDiv(piece_end_ms, 86400000) - intDiv(piece_start_ms, 86400000) + 3))
            ) AS day,
            meterfold_day_start_ms(day, offset_from_ms, offset_until_ms, offset_s) AS start_ms
        FROM pieces
        WHERE has(grids, 0) AND start_ms >= piece_start_ms AND start_ms < piece_end_ms
    ),
    starts AS
    (
        SELECT calendar, start_ms, offset FROM gridded
        UNION DISTINCT
        SELECT calendar, start_ms, offset FROM whole_days
    ),
    localised AS
    (
        SELECT
            calendar,
            start_ms,
            holidays,
            names_holiday,
            conditions,
            start_ms + offset * 1000 AS local_ms,
            toDate(toUInt16(intDiv(local_ms, 86400000))) AS local_date,
            intDiv(local_ms % 86400000, 60000) AS local_minute,
            toMonth(local_date) AS local_month,
            has(holidays, local_date) AS is_holiday,
            arrayElement(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], toDayOfWeek(local_date)) AS weekday
        FROM starts
        INNER JOIN rating_calendars USING (calendar)
    )
SELECT
    calendar,
    start_ms,
    local_date,
    arrayMap(
        (charge_conditions, charge_names_holiday) -> toUInt8(arrayFirstIndex(
            condition -> (empty(condition.1) OR has(condition.1, local_month))
                AND (empty(condition.2) OR has(condition.2, if(charge_names_holiday AND is_holiday, 'holiday', weekday)))
                AND if(
                    condition.3 < condition.4,
                    local_minute >= condition.3 AND local_minute < condition.4,
                    local_minute >= condition.3 OR local_minute < condition.4
                ),
            charge_conditions
        )),
        conditions, names_holiday
    ) AS cell
FROM localised
