-- One row per supply point, register (under one configuration) and stretch that a document bills use of: the accepted totals nearest to its beginning and
-- to its end, what the register advanced between them, and what was metered of its channel between these instants. As the document's run knew it. No
-- row where a register has no two such totals, or nothing was metered between them. `advance_nano` NULL: the totals fall, and no rollover is known.
WITH
    lines AS
    (
        SELECT supply_point, groupUniqArray(channel) AS channels, min(bill_lines.service_from) AS service_from, max(bill_lines.service_to) AS service_to
        FROM bill_lines FINAL
        WHERE document_id = {document_id:String} AND kind IN ('energy', 'tiers', 'demand')
        GROUP BY supply_point
    ),
    objects AS
    (
        SELECT *
        FROM reference_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset AND NOT is_withdrawn
    ),
    points AS (SELECT id AS supply_point, JSONExtractString(body, 'site') AS site FROM objects WHERE kind = 'supply_point'),
    sites AS
    (
        SELECT *
        FROM ref_sites_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset AND notEmpty(offset_s)
    ),
    stretches AS
    (
        SELECT
            lines.supply_point AS supply_point, channels, service_from, service_to,
            meterfold_day_start_ms(service_from, offset_from_ms, offset_until_ms, offset_s) AS start_ms,
            meterfold_day_start_ms(service_to, offset_from_ms, offset_until_ms, offset_s) AS end_ms,
            offset_from_ms, offset_until_ms, offset_s
        FROM lines
        INNER JOIN points ON points.supply_point = lines.supply_point
        INNER JOIN sites ON sites.site = points.site
    ),
    registers AS
    (
        SELECT
            id AS device,
            JSONExtract(
                arrayJoin(JSONExtractArrayRaw(body, 'registers')),
                'Tuple(register String, supply_point String, channel String, role String, from_ms Int64, to_ms Nullable(Int64), decimals UInt8, digits Nullable(UInt8), nano_per_count Int64)'
            ) AS span
        FROM objects
        WHERE kind = 'device'
            AND arrayExists(point -> position(body, toJSONString(point)) > 0, (SELECT groupArray(supply_point) FROM lines))
    ),
    asked AS
    (
        SELECT
            stretches.*, device, tupleElement(span, 'register') AS register, tupleElement(span, 'channel') AS channel,
            tupleElement(span, 'role') AS role, tupleElement(span, 'from_ms') AS from_ms,
            ifNull(tupleElement(span, 'to_ms'), toInt64(9223372036854775807)) AS to_ms, tupleElement(span, 'decimals') AS decimals,
            tupleElement(span, 'digits') AS digits, tupleElement(span, 'nano_per_count') AS nano_per_count
        FROM stretches
        INNER JOIN registers ON tupleElement(registers.span, 'supply_point') = stretches.supply_point
        WHERE role IN ('totals', 'spans', 'check') AND has(channels, channel) AND from_ms < end_ms AND to_ms > start_ms
    ),
    accepted AS
    (
        SELECT supply_point, device, register, kind, start_ms AS at_ms, evidence.count AS shown, evidence.decimals AS shown_decimals, version, curated_offset, quantity_nano
        FROM evidence FINAL
        WHERE supply_point IN (SELECT supply_point FROM lines) AND kind IN ('register', 'edit') AND verdict IN ('ACCEPTED', 'CORRECTED')
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
    ),
    refused AS (SELECT supply_point, device, register, at_ms FROM accepted WHERE kind = 'edit' AND quantity_nano IS NULL),
    reads AS
    (
        SELECT
            supply_point, device, register, at_ms, argMax(assumeNotNull(shown), (version, curated_offset)) AS count,
            argMax(assumeNotNull(shown_decimals), (version, curated_offset)) AS delivered_decimals
        FROM accepted
        WHERE kind = 'register' AND shown IS NOT NULL AND (supply_point, device, register, at_ms) NOT IN refused
        GROUP BY supply_point, device, register, at_ms
    ),
    totals AS
    (
        SELECT
            asked.*, reads.at_ms AS at_ms, toInt128(reads.count) * toInt128(intExp10(asked.decimals - least(asked.decimals, delivered_decimals))) AS total
        FROM asked
        INNER JOIN reads ON reads.supply_point = asked.supply_point AND reads.device = asked.device AND reads.register = asked.register
        WHERE reads.at_ms >= asked.from_ms AND reads.at_ms <= asked.to_ms
    ),
    nearest AS
    (
        SELECT
            supply_point, channel, device, register, from_ms, any(role) AS role, any(decimals) AS decimals, any(digits) AS digits,
            any(nano_per_count) AS nano_per_count, any(service_from) AS service_from, any(service_to) AS service_to,
            any(totals.start_ms) AS start_ms, any(totals.end_ms) AS end_ms, any(offset_from_ms) AS offset_from_ms, any(offset_until_ms) AS offset_until_ms,
            any(offset_s) AS offset_s,
            argMin((at_ms, total), (abs(at_ms - totals.start_ms), at_ms)) AS opening,
            argMin((at_ms, total), (abs(at_ms - totals.end_ms), at_ms)) AS closing,
            arrayFilter(row -> row.1 >= opening.1 AND row.1 <= closing.1, arraySort(groupArray((at_ms, total)))) AS chain,
            arrayMap((row, before) -> row.2 - before.2, arrayPopFront(chain), arrayPopBack(chain)) AS steps
        FROM totals
        GROUP BY supply_point, channel, device, register, from_ms
        HAVING opening.1 < closing.1 AND opening.1 < end_ms AND closing.1 > start_ms
    ),
    windows AS
    (
        SELECT supply_point, channel, unit, start_ms, end_ms, quantity_nano
        FROM determinants_within_frontier(partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)})
        WHERE supply_point IN (SELECT supply_point FROM lines) AND NOT is_withdrawn
    ),
    metered AS
    (
        SELECT
            nearest.supply_point AS supply_point, nearest.channel AS channel, nearest.device AS device, nearest.register AS register,
            nearest.from_ms AS from_ms, any(windows.unit) AS unit,
            -- a window that a read falls into counts by its share
            sum(intDiv(
                windows.quantity_nano * (least(windows.end_ms, nearest.closing.1) - greatest(windows.start_ms, nearest.opening.1)),
                toInt128(windows.end_ms - windows.start_ms)
            )) AS metered_nano,
            sum(least(windows.end_ms, nearest.closing.1) - greatest(windows.start_ms, nearest.opening.1)) AS covered_ms
        FROM nearest
        INNER JOIN windows ON windows.supply_point = nearest.supply_point AND windows.channel = nearest.channel
        WHERE windows.end_ms > nearest.opening.1 AND windows.start_ms < nearest.closing.1
        GROUP BY supply_point, channel, device, register, from_ms
    ),
    disagreements AS
    (
        SELECT supply_point, channel, device, start_ms, end_ms
        FROM findings FINAL
        WHERE supply_point IN (SELECT supply_point FROM lines) AND check_id = 'sum_register' AND severity = 'warn'
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
    )
SELECT
    nearest.supply_point AS supply_point,
    nearest.channel AS channel,
    nearest.device AS device,
    nearest.register AS register,
    nearest.role AS role,
    metered.unit AS unit,
    nearest.service_from AS service_from,
    nearest.service_to AS service_to,
    fromUnixTimestamp64Milli(nearest.opening.1, 'UTC') AS opening_utc,
    fromUnixTimestamp64Milli(
        nearest.opening.1 + 1000 * arrayFirst(
            (s, begins, ends) -> nearest.opening.1 >= begins AND nearest.opening.1 < ends, nearest.offset_s, nearest.offset_from_ms, nearest.offset_until_ms
        ), 'UTC'
    ) AS opening_local,
    nearest.opening.2 AS opening_count,
    fromUnixTimestamp64Milli(nearest.closing.1, 'UTC') AS closing_utc,
    fromUnixTimestamp64Milli(
        nearest.closing.1 + 1000 * arrayFirst(
            (s, begins, ends) -> nearest.closing.1 >= begins AND nearest.closing.1 < ends, nearest.offset_s, nearest.offset_from_ms, nearest.offset_until_ms
        ), 'UTC'
    ) AS closing_local,
    nearest.closing.2 AS closing_count,
    nearest.decimals AS decimals,
    nearest.digits AS digits,
    nearest.nano_per_count AS nano_per_count,
    if(
        arrayExists(step -> step < 0, nearest.steps) AND nearest.digits IS NULL,
        NULL,
        arraySum(arrayMap(step -> if(step < 0, step + toInt128(intExp10(ifNull(nearest.digits, 0))), step), nearest.steps)) * nearest.nano_per_count
    ) AS advance_nano,
    metered.metered_nano AS metered_nano,
    metered.covered_ms = nearest.closing.1 - nearest.opening.1 AS is_covered,
    (
        SELECT groupArray((supply_point, channel, device, start_ms, end_ms)) FROM disagreements
    ) AS found,
    length(arrayFilter(
        row -> row.1 = nearest.supply_point AND row.2 = nearest.channel AND row.3 = nearest.device
            AND row.5 > nearest.opening.1 AND row.4 < nearest.closing.1,
        found
    )) AS disagreements
FROM nearest
INNER JOIN metered
    ON metered.supply_point = nearest.supply_point AND metered.channel = nearest.channel AND metered.device = nearest.device
        AND metered.register = nearest.register AND metered.from_ms = nearest.from_ms
ORDER BY supply_point, channel, nearest.opening.1, device, register
