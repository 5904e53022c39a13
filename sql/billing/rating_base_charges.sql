-- One row per account, billing period and charge element of a use or a standing charge. The amount is rounded here, once: to the minor unit of its
-- currency, half away from zero, unless the charge says otherwise.
CREATE OR REPLACE TEMPORARY TABLE rating_base_charges AS
WITH
    added AS
    (
        SELECT
            segments.account AS account,
            segments.period_from AS period_from,
            segments.period_to AS period_to,
            segments.currency AS currency,
            segments.supply_point AS supply_point,
            parts.price AS price,
            parts.band_no AS band_no,
            segments.tax_from AS tax_from,
            any(parts.label) AS label,
            any(parts.band) AS band,
            any(parts.unit) AS unit,
            any(parts.rate) AS rate,
            min(segments.service_from) AS service_from,
            max(segments.service_to) AS service_to,
            sum(quantity_pico) AS quantity_pico,
            sum(estimated_pico) AS estimated_pico,
            sumMap([parts.amount_denominator], [parts.amount_numerator]) AS fractions,
            arrayFold((product, denominator) -> product * denominator, fractions.1, toInt256(1)) AS amount_denominator,
            arraySum(arrayMap((denominator, numerator) -> numerator * intDiv(amount_denominator, denominator), fractions.1, fractions.2))
                AS amount_numerator
        FROM rating_line_parts AS parts
        INNER JOIN rating_segments AS segments ON segments.segment = parts.segment
        GROUP BY account, period_from, period_to, currency, supply_point, price, band_no, tax_from
    )
SELECT
    added.account AS account,
    added.period_from AS period_from,
    added.period_to AS period_to,
    added.currency AS currency,
    prices.kind AS kind,
    added.supply_point AS supply_point,
    prices.channel AS channel,
    prices.tariff AS tariff,
    prices.tariff_version AS tariff_version,
    prices.charge_no AS charge_no,
    prices.charge AS charge,
    if(prices.charge_no = 0, 0, added.band_no) AS band_no,
    multiIf(charge_no = 0, added.band, added.label = '', charge, charge || ': ' || added.label) AS band,
    added.service_from AS service_from,
    added.service_to AS service_to,
    added.unit AS unit,
    -- of a series what it comes to on average, to nine places
    if(
        prices.series = '' OR added.quantity_pico = 0, added.rate,
        reinterpret(
            toInt128(meterfold_in_steps(
                amount_numerator * sign(added.quantity_pico), amount_denominator * greatest(abs(added.quantity_pico), 1), 'half_up'
            )),
            'Decimal(38, 9)'
        )
    ) AS rate,
    reinterpret(toInt128(added.quantity_pico), 'Decimal(38, 12)') AS quantity,
    reinterpret(toInt128(added.estimated_pico), 'Decimal(38, 12)') AS quantity_estimated,
    added.tax_from AS tax_from,
    multiIf(
        -- two lines of one charge in a period, by the rate of a tax
        tax_from > period_from, toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, charge, added.band, toString(tax_from)]),
        charge_no = 0, toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, added.band]),
        toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, charge, added.band])
    ) AS element,
    if(currencies.currency = '', 2, currencies.minor_digits) AS digits,
    if(prices.has_rounding, reinterpret(prices.round_to, 'Int256') * 1000000000000, toInt256(intExp10(19 - digits)) * 100) AS step,
    reinterpret(
        toInt128(meterfold_in_steps(amount_numerator, step * amount_denominator, prices.round_mode) * intDiv(step, 100000000000000000)),
        'Decimal(38, 4)'
    ) AS amount
FROM added
INNER JOIN rating_prices AS prices ON prices.price = added.price
LEFT JOIN rating_currencies AS currencies ON currencies.currency = added.currency
