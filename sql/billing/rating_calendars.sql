-- One row per clock and set of conditions (of the bands and `when`s of a tariff version), for the sites and tariff versions that share them.
-- `conditions`: one array a metered charge, by cell_no. It reaches from the first to the last instant that a segment needs.
CREATE OR REPLACE TEMPORARY TABLE rating_calendars
(
    calendar UInt32, offset_from_ms Array(Int64), offset_until_ms Array(Int64), offset_s Array(Int32), holidays Array(Date),
    names_holiday Array(UInt8), conditions Array(Array(Tuple(Array(UInt8), Array(String), UInt16, UInt16))), from_ms Int64, until_ms Int64,
    grids Array(UInt32), users Array(Tuple(String, String, String))
)
AS
WITH
    needs AS
    (
        SELECT
            site,
            tariff,
            tariff_version,
            min(service_start_ms) AS from_ms,
            max(service_end_ms) AS until_ms,
            groupUniqArray(toUInt32(grid_s)) AS grids
        FROM rating_channels
        GROUP BY site, tariff, tariff_version
    ),
    clocks AS
    (
        SELECT site, any(offset_from_ms) AS offset_from_ms, any(offset_until_ms) AS offset_until_ms, any(offset_s) AS offset_s, any(holidays) AS holidays
        FROM rating_tenancies
        WHERE notEmpty(rating_tenancies.offset_s)
        GROUP BY site
    ),
    lists AS
    (
        SELECT
            tariff,
            tariff_version,
            arraySort(groupArray((cell_no, rating_prices.names_holiday, rating_prices.conditions))) AS rows,
            arrayMap(row -> row.2, rows) AS names_holiday,
            arrayMap(row -> row.3, rows) AS conditions
        FROM rating_prices
        WHERE is_metered
        GROUP BY tariff, tariff_version
    )
SELECT
    toUInt32(row_number() OVER (ORDER BY min((site, needs.tariff, needs.tariff_version)))) AS calendar,
    offset_from_ms,
    offset_until_ms,
    offset_s,
    holidays,
    lists.names_holiday AS names_holiday,
    lists.conditions AS conditions,
    min(needs.from_ms) AS from_ms,
    max(needs.until_ms) AS until_ms,
    groupUniqArrayArray(needs.grids) AS grids,
    groupArray((site, needs.tariff, needs.tariff_version)) AS users
FROM needs
INNER JOIN clocks USING (site)
INNER JOIN lists ON lists.tariff = needs.tariff AND lists.tariff_version = needs.tariff_version
GROUP BY offset_from_ms, offset_until_ms, offset_s, holidays, lists.names_holiday, lists.conditions
