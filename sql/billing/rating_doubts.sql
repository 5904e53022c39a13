-- One row per supply point, channel and slot whose highest window may have been adjusted: the windows that were (`changed`: start and end).
-- Nothing without rating_adjusted.
CREATE OR REPLACE TEMPORARY TABLE rating_doubts
(
    supply_point LowCardinality(String), channel LowCardinality(String), slot UInt32, changed Array(Tuple(Int64, Int64))
)
AS
WITH
    asked AS (SELECT DISTINCT supply_point, channel FROM rating_streams WHERE has_demand AND NOT is_exact),
    demands AS (SELECT tariff, tariff_version, cell_no FROM rating_prices WHERE kind = 'demand'),
    users AS (SELECT calendar, user.2 AS tariff, user.3 AS tariff_version FROM rating_calendars ARRAY JOIN users AS user),
    -- those in which a demand charge counts
    slots AS
    (
        SELECT DISTINCT cells.slot AS slot
        FROM rating_slot_cells AS cells
        INNER JOIN users ON users.calendar = cells.calendar
        INNER JOIN demands ON demands.tariff = users.tariff AND demands.tariff_version = users.tariff_version
        WHERE cells.cell[demands.cell_no] > 0
    ),
    adjusted AS (SELECT * FROM rating_adjusted WHERE slot IN slots AND (supply_point, channel) IN asked)
SELECT
    adjusted.supply_point AS supply_point,
    adjusted.channel AS channel,
    adjusted.slot AS slot,
    groupArray((adjusted.start_ms, adjusted.end_ms)) AS changed
FROM adjusted
INNER JOIN rating_sums AS sums ON sums.supply_point = adjusted.supply_point AND sums.channel = adjusted.channel AND sums.slot = adjusted.slot
GROUP BY supply_point, channel, slot
HAVING max(adjusted.old_nano >= sums.peak_nano)
