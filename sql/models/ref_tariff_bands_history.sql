-- One row per version of a tariff object, tariff version, channel and band, in the order in which bands are tried.
CREATE OR REPLACE VIEW ref_tariff_bands_history AS
WITH
    versions AS (SELECT * FROM ref_tariff_versions_history),
    channels AS
    (
        SELECT *, charge, JSONExtractString(charge, 'channel') AS channel, JSONExtractString(charge, 'unit') AS unit
        FROM versions
        ARRAY JOIN energy AS charge
    )
SELECT
    tariff,
    version,
    tariff_version,
    currency,
    effective_from,
    effective_to,
    channel,
    unit,
    band_order,
    JSONExtractString(item, 'name') AS band,
    -- a rate is text: a JSON number may have been a float on the way
    if(JSONType(item, 'rate') = 'String', JSONExtractString(item, 'rate'), '') AS rate_text,
    toDecimal128OrNull(rate_text, 9) AS rate,
    -- empty: all months, all days
    JSONExtract(item, 'months', 'Array(UInt8)') AS months,
    JSONExtract(item, 'days', 'Array(String)') AS days,
    JSONExtractString(item, 'from') AS from_text,
    JSONExtractString(item, 'to') AS to_text,
    -- minutes after local midnight; from > to wraps midnight
    if(from_text = '', 0, toUInt16OrZero(substring(from_text, 1, 2)) * 60 + toUInt16OrZero(substring(from_text, 4, 2))) AS from_minute,
    if(to_text = '', 1440, toUInt16OrZero(substring(to_text, 1, 2)) * 60 + toUInt16OrZero(substring(to_text, 4, 2))) AS to_minute,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM channels
ARRAY JOIN JSONExtractArrayRaw(charge, 'bands') AS item, arrayEnumerate(JSONExtractArrayRaw(charge, 'bands')) AS band_order
