-- One row per segment, stream and cell: its windows added up. `peaks`: the highest of them (as many as a demand charge asks for), highest first,
-- as (quantity in 10⁻⁹ of the channel's unit, whether any of it is estimated).
CREATE OR REPLACE TEMPORARY TABLE rating_cells
(
    segment UInt32, channel String, minus String, cell Array(UInt8), windows UInt64, quantity_nano Int128, estimated_nano Int128,
    peaks Array(Tuple(Int128, UInt8)), first_ms Int64
)
AS
WITH
    windows AS (SELECT * FROM rating_windows WHERE notEmpty(cell)),
    exact AS (SELECT segment, channel FROM rating_exact),
    slots AS (SELECT slot, any(part_no) AS part_no FROM rating_slot_cells GROUP BY slot),
    -- a `peak` is twice the quantity, and one more where any of it is estimated: a number is compared sooner than a tuple
    changes AS
    (
        SELECT
            supply_point,
            channel,
            slot,
            sum(toInt128(new_nano) - old_nano) AS change_nano,
            sum(if(is_estimated, toInt128(new_nano), 0) - if(was_estimated, toInt128(old_nano), 0)) AS estimated_change_nano,
            max(toInt128(new_nano) * 2 + is_estimated) AS peak
        FROM rating_adjusted
        GROUP BY supply_point, channel, slot
    ),
    standing AS
    (
        SELECT
            sums.supply_point AS supply_point,
            sums.channel AS channel,
            sums.slot AS slot,
            slots.part_no AS part_no,
            sums.windows AS windows,
            sums.quantity_nano + changes.change_nano AS quantity_nano,
            sums.estimated_nano + changes.estimated_change_nano AS estimated_nano,
            toInt128(sums.peak_nano) * 2 + (sums.estimated_windows > 0 AND sums.estimated_peak_nano = sums.peak_nano) AS peak_before,
            multiIf(
                changes.slot = 0, peak_before,
                peaks.slot != 0 AND peaks.windows = 0, changes.peak,
                greatest(changes.peak, if(peaks.slot = 0, peak_before, peaks.peak))
            ) AS peak
        FROM (SELECT * FROM rating_sums WHERE slot > 0) AS sums
        INNER JOIN slots ON slots.slot = sums.slot
        LEFT JOIN changes ON changes.supply_point = sums.supply_point AND changes.channel = sums.channel AND changes.slot = sums.slot
        LEFT JOIN rating_peaks AS peaks ON peaks.supply_point = sums.supply_point AND peaks.channel = sums.channel AND peaks.slot = sums.slot
    ),
    located AS
    (
        SELECT
            streams.segment AS segment,
            streams.calendar AS calendar,
            streams.highest AS highest,
            standing.*
        FROM standing
        ASOF INNER JOIN (SELECT * FROM rating_streams WHERE minus = '' AND (segment, channel) NOT IN exact) AS streams
            ON streams.supply_point = standing.supply_point AND streams.channel = standing.channel AND standing.part_no >= streams.part_from
        WHERE standing.part_no < streams.part_to
    )
SELECT
    located.segment AS segment,
    located.channel AS channel,
    '' AS minus,
    slot_cells.cell AS cell,
    sum(located.windows) AS windows,
    sum(located.quantity_nano) AS quantity_nano,
    sum(located.estimated_nano) AS estimated_nano,
    if(any(located.highest) = 0, [], [(intDiv(max(located.peak) - bitAnd(max(located.peak), 1), 2), toUInt8(bitAnd(max(located.peak), 1)))]) AS peaks,
    min(slot_cells.slot_first_ms) AS first_ms
FROM located
INNER JOIN rating_slot_cells AS slot_cells ON slot_cells.slot = located.slot AND slot_cells.calendar = located.calendar
GROUP BY located.segment, located.channel, slot_cells.cell

UNION ALL
SELECT
    windows.segment AS segment,
    windows.channel AS channel,
    windows.minus AS minus,
    windows.cell AS cell,
    count() AS windows,
    sum(windows.quantity_nano) AS quantity_nano,
    sumIf(windows.quantity_nano, n_estimated > 0) AS estimated_nano,
    arraySlice(arrayReverseSort(groupArray((windows.quantity_nano, n_estimated > 0))), 1, any(streams.highest)) AS peaks,
    min(windows.start_ms) AS first_ms
FROM windows
INNER JOIN rating_streams AS streams ON streams.segment = windows.segment AND streams.channel = windows.channel AND streams.minus = windows.minus
GROUP BY windows.segment, windows.channel, windows.minus, windows.cell
