-- An issued document bills another quantity for an energy charge than the determinants and adjustments of its days come to, within the frontier that its
-- run pinned. Looked at are charges of what a channel metered in intervals, as it is (nothing taken off, no share, no steps, no estimate made for
-- the bill), where all their bands stand on the document, and days of one stay. What a unit's factor cuts stays below 10⁻⁹.
WITH
    lines AS
    (
        SELECT
            *, JSONExtract(element, 'Array(String)') AS parts, if(length(parts) > 6, parts[6], '') AS charge,
            if(length(parts) > 7, parts[8], '') AS tax_from
        FROM issued_lines
        WHERE kind = 'energy' AND NOT is_withheld AND quantity_should != 0
    ),
    firsts AS (SELECT argMin(document_id, issued_offset) AS document_id FROM issued_lines GROUP BY account, period_from, currency),
    runs AS (SELECT * FROM bill_runs FINAL),
    billed AS
    (
        SELECT
            (document_id, supply_point, channel, tariff, tariff_version, charge, tax_from, unit) AS billing,
            document_id, any(document_number) AS document_number, run_id, account, period_from, supply_point, channel, tariff, tariff_version, charge,
            tax_from, unit, min(lines.service_from) AS service_from, max(lines.service_to) AS service_to, count() AS bands,
            toInt256(reinterpret(sum(quantity_should), 'Int128')) AS billed_pico, document_id IN (SELECT document_id FROM firsts) AS is_first
        FROM lines
        GROUP BY document_id, run_id, account, period_from, supply_point, channel, tariff, tariff_version, charge, tax_from, unit
    ),
    -- of a price list and its editions: which of them rated it does not matter as long as all say the same
    charges AS
    (
        SELECT
            meterfold_tariff(tariff) AS price_list, tariff_version, charge, channel, length(band_names) AS bands,
            kind = 'energy' AND complaint = '' AND minus = '' AND beyond_channel = '' AND share = 1 AND empty(steps) AS is_plain,
            known_from_offset, known_until_offset
        FROM ref_charges_history
    ),
    estimating AS (SELECT meterfold_tariff(tariff) AS tariff, tariff_version FROM ref_tariff_versions_history WHERE estimate_after_days IS NOT NULL),
    plain AS
    (
        SELECT billing
        FROM billed
        INNER JOIN runs ON runs.run_id = billed.run_id
        INNER JOIN charges
            ON charges.price_list = billed.tariff AND charges.tariff_version = billed.tariff_version AND charges.charge = billed.charge
                AND charges.channel = billed.channel
        WHERE charges.known_from_offset < runs.known_billing_offset AND runs.known_billing_offset <= charges.known_until_offset
            AND (billed.tariff, billed.tariff_version) NOT IN estimating
        GROUP BY billing
        HAVING min(is_plain) AND (any(is_first) OR max(charges.bands) <= any(billed.bands))
    ),
    tenancies AS (SELECT *, ifNull(to_date, toDate('2149-06-06')) AS until_date FROM ref_tenancies_history WHERE NOT is_withdrawn),
    stays AS
    (
        SELECT billing
        FROM billed
        INNER JOIN runs ON runs.run_id = billed.run_id
        INNER JOIN tenancies
            ON tenancies.account = billed.account AND tenancies.supply_point = billed.supply_point AND tenancies.tariff = billed.tariff
        WHERE tenancies.known_from_offset < runs.known_billing_offset AND runs.known_billing_offset <= tenancies.known_until_offset
        GROUP BY billing
        HAVING sum(greatest(0, dateDiff('day', greatest(from_date, service_from), least(until_date, service_to))))
            = dateDiff('day', any(service_from), any(service_to))
    ),
    placed AS
    (
        SELECT
            billed.document_number AS document_number, billed.run_id AS run_id, billed.account AS account, billed.period_from AS period_from,
            billed.supply_point AS supply_point, billed.channel AS channel, billed.charge AS charge, billed.tax_from AS tax_from,
            billed.service_from AS service_from, billed.service_to AS service_to, billed.unit AS unit, billed.billed_pico AS billed_pico,
            runs.frontier_partitions AS partitions, runs.frontier_offsets AS next_offsets, channels.unit AS channel_unit,
            meterfold_day_start_ms(billed.service_from, sites.offset_from_ms, sites.offset_until_ms, sites.offset_s) AS from_ms,
            meterfold_day_start_ms(billed.service_to, sites.offset_from_ms, sites.offset_until_ms, sites.offset_s) AS until_ms
        FROM billed
        INNER JOIN runs ON runs.run_id = billed.run_id
        INNER JOIN ref_channels AS channels ON channels.supply_point = billed.supply_point AND channels.channel = billed.channel
        INNER JOIN ref_sites AS sites ON sites.site = channels.site
        WHERE channels.channel_kind != 'spans' AND notEmpty(sites.offset_s) AND billing IN (SELECT billing FROM plain)
            AND billing IN (SELECT billing FROM stays)
    ),
    -- by stretches of 2³¹ ms, so that a window meets few of them
    spans AS
    (
        SELECT DISTINCT
            supply_point, channel, run_id, from_ms, until_ms, partitions, next_offsets,
            arrayJoin(range(toUInt32(bitShiftRight(from_ms, 31)), toUInt32(bitShiftRight(until_ms, 31)) + 1)) AS stretch
        FROM placed
    ),
    changes AS
    (
        SELECT supply_point, channel, start_ms, quantity_nano AS change_nano, curated_partition, curated_offset FROM determinants FINAL
        UNION ALL
        SELECT supply_point, channel, start_ms, delta_nano AS change_nano, curated_partition, curated_offset FROM adjustments FINAL
    ),
    metered AS
    (
        SELECT spans.supply_point AS supply_point, spans.channel AS channel, run_id, from_ms, until_ms, sum(toInt256(change_nano)) AS metered_nano
        FROM (SELECT *, toUInt32(bitShiftRight(start_ms, 31)) AS stretch FROM changes) AS changes
        INNER JOIN spans ON spans.supply_point = changes.supply_point AND spans.channel = changes.channel AND spans.stretch = changes.stretch
        WHERE start_ms >= from_ms AND start_ms < until_ms AND curated_offset < next_offsets[indexOf(partitions, curated_partition)]
        GROUP BY supply_point, channel, run_id, from_ms, until_ms
    ),
    compared AS
    (
        SELECT
            placed.document_number AS document_number, placed.account AS account, placed.period_from AS period_from,
            placed.supply_point AS supply_point, placed.channel AS channel, placed.charge AS charge, placed.tax_from AS tax_from,
            placed.service_from AS service_from, placed.service_to AS service_to, placed.unit AS unit, placed.billed_pico AS billed_pico,
            intDiv(metered.metered_nano * toInt256(1000) * toInt256(factors.numerator), greatest(toInt256(factors.denominator), toInt256(1)))
                AS metered_pico
        FROM placed
        INNER JOIN ref_unit_factors AS factors ON factors.from_unit = placed.channel_unit AND factors.to_unit = placed.unit
        LEFT JOIN metered
            ON metered.supply_point = placed.supply_point AND metered.channel = placed.channel AND metered.run_id = placed.run_id
                AND metered.from_ms = placed.from_ms AND metered.until_ms = placed.until_ms
    )
SELECT
    document_number, account, period_from, supply_point, channel, charge, service_from, service_to, unit,
    reinterpret(toInt128(billed_pico), 'Decimal(38, 12)') AS billed, reinterpret(toInt128(metered_pico), 'Decimal(38, 12)') AS metered
FROM compared
WHERE abs(billed_pico - metered_pico) >= 1000
ORDER BY account, period_from, document_number, supply_point, channel, charge, tax_from
