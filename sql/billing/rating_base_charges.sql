-- One row per account, billing period and charge element of a use or a standing charge. The amount is rounded here, once: to the minor unit of its
-- currency, half away from zero, unless the charge says otherwise.
CREATE OR REPLACE TEMPORARY TABLE rating_base_charges
(
    account String, period_from Date, period_to Date, currency String, kind String, supply_point String, channel String, tariff String,
    tariff_version String, charge_no UInt16, charge String, band_no UInt32, band String, service_from Date, service_to Date, unit String,
    rate Decimal(38, 9), quantity Decimal(38, 12), quantity_estimated Decimal(38, 12), tax_from Date, element String, digits UInt8,
    step Int256, amount Decimal(38, 4)
)
AS
WITH
    segments AS (SELECT segment, first_segment, service_from, service_to FROM rating_segments),
    named AS
    (
        SELECT price, band_no, any(label) AS label, any(band) AS band, any(unit) AS unit, any(rate) AS rate
        FROM rating_line_parts
        GROUP BY price, band_no
    ),
    -- few are not whole, as most is due for all days of a period
    parts AS (SELECT *, amount_numerator % amount_denominator = 0 AS is_whole FROM rating_line_parts),
    added AS
    (
        SELECT
            segments.first_segment AS first_segment,
            parts.price AS price,
            parts.band_no AS band_no,
            min(segments.service_from) AS service_from,
            max(segments.service_to) AS service_to,
            sum(quantity_pico) AS quantity_pico,
            sum(estimated_pico) AS estimated_pico,
            sumIf(intDiv(parts.amount_numerator, parts.amount_denominator), is_whole) AS whole,
            groupArrayIf((parts.amount_denominator, parts.amount_numerator), NOT is_whole) AS fractions,
            if(
                empty(fractions), toInt256(1),
                arrayFold((product, denominator) -> product * denominator, arrayDistinct(fractions.1), toInt256(1))
            ) AS amount_denominator,
            whole * amount_denominator + if(
                empty(fractions), toInt256(0),
                arraySum(arrayMap((denominator, numerator) -> numerator * intDiv(amount_denominator, denominator), fractions.1, fractions.2))
            ) AS amount_numerator
        FROM parts
        INNER JOIN segments ON segments.segment = parts.segment
        GROUP BY first_segment, price, band_no
    )
SELECT
    places.account AS account,
    places.period_from AS period_from,
    places.period_to AS period_to,
    places.currency AS currency,
    prices.kind AS kind,
    places.supply_point AS supply_point,
    prices.channel AS channel,
    prices.tariff AS tariff,
    prices.tariff_version AS tariff_version,
    prices.charge_no AS charge_no,
    prices.charge AS charge,
    if(prices.charge_no = 0, 0, added.band_no) AS band_no,
    multiIf(charge_no = 0, named.band, named.label = '', charge, charge || ': ' || named.label) AS band,
    added.service_from AS service_from,
    added.service_to AS service_to,
    named.unit AS unit,
    -- of a series what it comes to on average, to nine places
    if(
        prices.series = '' OR added.quantity_pico = 0, named.rate,
        reinterpret(
            toInt128(meterfold_in_steps(
                amount_numerator * sign(added.quantity_pico), amount_denominator * greatest(abs(added.quantity_pico), 1), 'half_up'
            )),
            'Decimal(38, 9)'
        )
    ) AS rate,
    reinterpret(toInt128(added.quantity_pico), 'Decimal(38, 12)') AS quantity,
    reinterpret(toInt128(added.estimated_pico), 'Decimal(38, 12)') AS quantity_estimated,
    places.tax_from AS tax_from,
    multiIf(
        -- two lines of one charge in a period, by the rate of a tax
        tax_from > period_from, toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, charge, named.band, toString(tax_from)]),
        charge_no = 0, toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, named.band]),
        toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, charge, named.band])
    ) AS element,
    if(currencies.currency = '', 2, currencies.minor_digits) AS digits,
    if(prices.has_rounding, reinterpret(prices.round_to, 'Int256') * 1000000000000, toInt256(intExp10(19 - digits)) * 100) AS step,
    reinterpret(
        toInt128(meterfold_in_steps(amount_numerator, step * amount_denominator, prices.round_mode) * intDiv(step, 100000000000000000)),
        'Decimal(38, 4)'
    ) AS amount
FROM added
INNER JOIN rating_segments AS places ON places.segment = added.first_segment
INNER JOIN rating_prices AS prices ON prices.price = added.price
INNER JOIN named ON named.price = added.price AND named.band_no = added.band_no
LEFT JOIN rating_currencies AS currencies ON currencies.currency = places.currency
