-- One row per segment and tier of a tiers line's charge: the bounds as they stand for the segment, and what lies between them.
WITH
    segments AS
    (
        SELECT *
        FROM rating_segments
        WHERE period_from = {period_from:Date} AND supply_point = {supply_point:String} AND tariff = {tariff:String}
            AND tariff_version = {tariff_version:String} AND {kind:String} = 'tiers'
            AND service_from >= {service_from:Date} AND service_to <= {service_to:Date}
    ),
    prices AS
    (
        SELECT price
        FROM rating_prices
        WHERE tariff = {tariff:String} AND tariff_version = {tariff_version:String} AND charge = {charge:String} AND kind = 'tiers'
    ),
    parts AS (SELECT * FROM rating_line_parts)
SELECT
    segments.service_from AS service_from,
    segments.service_to AS service_to,
    parts.band AS tier,
    reinterpret(toInt128(parts.above_pico), 'Decimal(38, 12)') AS above,
    if(parts.up_to_pico IS NULL, NULL, reinterpret(toInt128(assumeNotNull(parts.up_to_pico)), 'Decimal(38, 12)')) AS up_to,
    reinterpret(toInt128(parts.quantity_pico), 'Decimal(38, 12)') AS quantity,
    parts.unit AS unit,
    parts.rate AS rate,
    parts.fee AS fee
FROM parts
INNER JOIN segments ON segments.segment = parts.segment
WHERE parts.price IN prices
ORDER BY service_from, parts.band_no, segments.segment
