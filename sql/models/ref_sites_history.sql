-- One row per version of a site: its clock (offsets written out), holidays and timetable.
-- The clock is three arrays side by side: from offset_from_ms[i] (in) to offset_until_ms[i] (out), local time = UTC + offset_s[i].
CREATE OR REPLACE VIEW ref_sites_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'site'),
    parsed AS
    (
        SELECT *, arraySort(JSONExtract(body, 'utc_offsets', 'Array(Tuple(Int64, Int32))')) AS clock FROM objects
    )
SELECT
    id AS site,
    version,
    JSONExtractString(body, 'legal_entity') AS legal_entity,
    JSONExtractString(body, 'time_zone') AS time_zone,
    -- before the first row, the first offset holds
    arrayMap((row, i) -> if(i = 1, toInt64(-9223372036854775808), row.1), clock, arrayEnumerate(clock)) AS offset_from_ms,
    arraySlice(arrayPushBack(arrayMap(row -> row.1, clock), toInt64(9223372036854775807)), 2) AS offset_until_ms,
    arrayMap(row -> row.2, clock) AS offset_s,
    arrayMap(text -> toDate(text), JSONExtract(body, 'holidays', 'Array(String)')) AS holidays,
    JSONExtractInt(body, 'timetable', 'gate_after_days') AS gate_after_days,
    JSONExtractString(body, 'timetable', 'gate_at') AS gate_at,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM parsed
