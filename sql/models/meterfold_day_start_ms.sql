-- The first instant (ms since 1970 UTC) of a local day, from a site's clock (ref_sites): the earliest at which local time is past midnight.
-- Where the clock jumps over midnight the day starts at the jump. An empty clock gives 0.
CREATE OR REPLACE FUNCTION meterfold_day_start_ms AS (day, offset_from_ms, offset_until_ms, offset_s) ->
    arrayMin(
        (begins, ends) -> if(begins < ends, begins, toInt64(9223372036854775807)),
        arrayMap((begins, s) -> greatest(begins, (toInt64(toInt32(day)) * 86400 - s) * 1000), offset_from_ms, offset_s),
        offset_until_ms
    )
