-- One row per version of a tariff object, tariff version and charge: `charges` of decision 12, and the old fields `energy` and `standing_per_day`
-- as charges without a name (charge_no 0). `complaint` says what of it cannot be read, '' when all can; numbers that cannot be read are 0.
CREATE OR REPLACE VIEW ref_charges_history AS
WITH
    versions AS (SELECT * FROM ref_tariff_versions_history),
    written AS
    (
        SELECT
            * EXCEPT (energy, charges, taxes),
            arrayConcat(
                arrayMap(body -> (0, '', 'energy', body, body), energy),
                if(
                    standing_text IS NULL, [],
                    [(0, '', 'standing', '{"per":"day","rate":' || toJSONString(ifNull(standing_text, '')) || '}', '')]
                ),
                arrayMap(
                    (body, i) -> (
                        toUInt16(i), meterfold_json_text(body, 'name'), meterfold_json_text(body, 'kind'), body, JSONExtractRaw(body, 'quantity')
                    ),
                    charges, arrayEnumerate(charges)
                )
            ) AS items,
            arrayMap(item -> (meterfold_json_text(item, 'name'), meterfold_json_text(item, 'kind')), charges) AS siblings
        FROM versions
    ),
    parsed AS
    (
        SELECT
            * EXCEPT items,
            item.1 AS charge_no,
            item.2 AS charge,
            item.3 AS kind,
            item.4 AS body,
            JSONExtractRaw(item.4, 'power_factor') AS power_factor,
            kind = 'percentage' AND JSONType(item.4, 'power_factor') != 'Null' AS has_power_factor,
            -- a power factor looks at two channels, as what is beyond another does
            if(
                NOT has_power_factor, item.5,
                concat(
                    '{"unit":"kWh","channel":', toJSONString(meterfold_json_text(power_factor, 'active')),
                    ',"beyond":{"share":"1","channel":', toJSONString(meterfold_json_text(power_factor, 'reactive')), '}}'
                )
            ) AS quantity,
            arrayMap(
                row -> (meterfold_json_text(row, 'below'), meterfold_json_text(row, 'share')), JSONExtractArrayRaw(power_factor, 'table')
            ) AS power_factor_texts,
            item_no AS charge_index,
            kind IN ('energy', 'tiers', 'demand') OR has_power_factor AS is_metered,
            meterfold_json_text(quantity, 'channel') AS channel,
            meterfold_json_text(quantity, 'unit') AS unit,
            meterfold_json_text(quantity, 'minus') AS minus,
            if(minus = '', '', if(JSONType(quantity, 'net') = 'Null', 'interval', meterfold_json_text(quantity, 'net'))) AS net,
            if(JSONType(quantity, 'share') = 'Null', '1', meterfold_json_text(quantity, 'share')) AS share_text,
            JSONExtractRaw(quantity, 'beyond') AS beyond,
            if(JSONType(quantity, 'beyond') = 'Null', '', meterfold_json_text(beyond, 'channel')) AS beyond_channel,
            if(JSONType(quantity, 'beyond') = 'Null', '0', meterfold_json_text(beyond, 'share')) AS beyond_share_text,
            JSONExtractArrayRaw(quantity, 'steps') AS step_items,
            arrayMap(
                item -> (
                    JSONType(item, 'over') != 'Null',
                    meterfold_json_text(item, if(JSONType(item, 'over') != 'Null', 'over', 'times')),
                    if(JSONType(item, 'round') = 'Null', '', meterfold_json_text(JSONExtractRaw(item, 'round'), 'to')),
                    if(JSONType(item, 'round') = 'Null' OR JSONType(item, 'round', 'mode') = 'Null', 'half_up', JSONExtractString(item, 'round', 'mode'))
                ),
                step_items
            ) AS step_texts,
            if(kind = 'energy' AND JSONType(body, 'series') != 'Null', meterfold_json_text(body, 'series'), '') AS series,
            if(JSONType(body, 'times') = 'Null', '1', meterfold_json_text(body, 'times')) AS times_text,
            if(JSONType(body, 'plus') = 'Null', '0', meterfold_json_text(body, 'plus')) AS plus_text,
            -- the prices of a series are one band, always
            if(
                series = '', JSONExtractArrayRaw(body, if(kind = 'energy', 'bands', 'when')), [concat('{"name":', toJSONString(series), ',"rate":"0"}')]
            ) AS time_items,
            if(kind = 'energy', time_items, []) AS band_items,
            arrayMap(item -> meterfold_json_text(item, 'name'), band_items) AS band_names,
            arrayMap(item -> meterfold_json_text(item, 'rate'), band_items) AS band_rate_texts,
            -- no `when`: every window counts
            if(kind = 'energy' OR notEmpty(time_items), meterfold_conditions(time_items), [([], [], 0, 1440)]) AS conditions,
            -- a holiday keeps its weekday unless some band of the list names holidays
            arrayExists(condition -> has(condition.2, 'holiday'), conditions) AS names_holiday,
            arrayExists(condition -> condition.3 != 0 OR condition.4 != 1440, conditions) AS has_times,
            meterfold_json_text(body, 'scheme') AS scheme,
            if(JSONType(body, 'bounds') = 'Null', 'period', meterfold_json_text(body, 'bounds')) AS bounds,
            if(JSONType(body, 'prorate') = 'Null', 'days', meterfold_json_text(body, 'prorate')) AS prorate,
            if(kind = 'tiers', JSONExtractArrayRaw(body, 'tiers'), []) AS tier_items,
            arrayMap(
                (item, i) -> if(JSONType(item, 'name') = 'Null', toString(i), meterfold_json_text(item, 'name')), tier_items, arrayEnumerate(tier_items)
            ) AS tier_names,
            arrayMap(item -> if(JSONType(item, 'up_to') = 'Null', '', meterfold_json_text(item, 'up_to')), tier_items) AS tier_bound_texts,
            arrayMap(item -> meterfold_json_text(item, 'rate'), tier_items) AS tier_rate_texts,
            arrayMap(item -> if(JSONType(item, 'fee') = 'Null', '0', meterfold_json_text(item, 'fee')), tier_items) AS tier_fee_texts,
            if(JSONType(body, 'measure') = 'Null', 'maximum', meterfold_json_text(body, 'measure')) AS measure,
            if(JSONType(body, 'highest') = 'Null' OR measure = 'maximum', 1, JSONExtractInt(body, 'highest')) AS highest,
            meterfold_json_text(body, 'rate') AS rate_text,
            if(JSONType(body, 'minimum') = 'Null', '0', meterfold_json_text(body, 'minimum')) AS minimum_text,
            JSONExtractRaw(body, 'ratchet') AS ratchet,
            JSONType(body, 'ratchet') != 'Null' AS has_ratchet,
            if(has_ratchet, meterfold_json_text(ratchet, 'share'), '0') AS ratchet_share_text,
            if(has_ratchet, JSONExtractInt(ratchet, 'months'), 0) AS ratchet_months,
            meterfold_json_text(body, 'per') AS per,
            -- names a number of the tenancy: what a standing charge is times, a demand is beyond, or bounds are per
            multiIf(
                kind = 'standing', meterfold_json_text(body, 'number'), kind = 'demand', meterfold_json_text(body, 'above'),
                kind = 'tiers' AND bounds = 'number', meterfold_json_text(body, 'bounds_of'), ''
            ) AS number,
            if(kind = 'tiers' AND bounds = 'demand', meterfold_json_text(body, 'bounds_of'), '') AS bounds_of,
            if(kind = 'standing' AND JSONType(body, 'unit') != 'Null', meterfold_json_text(body, 'unit'), '') AS number_unit,
            if(has_power_factor, '0', meterfold_json_text(body, 'share')) AS percentage_text,
            meterfold_json_text(body, 'amount') AS amount_text,
            JSONType(body, 'of') = 'Null' AS is_of_all,
            JSONExtract(body, 'of', 'Array(String)') AS of_charges,
            if(
                kind = 'percentage', ['energy', 'tiers', 'demand', 'standing'], ['energy', 'tiers', 'demand', 'standing', 'percentage']
            ) AS of_kinds,
            JSONType(body, 'round') != 'Null' AS has_rounding,
            if(has_rounding, meterfold_json_text(JSONExtractRaw(body, 'round'), 'to'), '1') AS round_to_text,
            if(NOT has_rounding OR JSONType(body, 'round', 'mode') = 'Null', 'half_up', JSONExtractString(body, 'round', 'mode')) AS round_mode,
            '^-?[0-9]{1,9}([.][0-9]{1,9})?$' AS signed,
            '^[0-9]{1,9}([.][0-9]{1,9})?$' AS unsigned,
            ['half_up', 'half_even', 'down', 'up'] AS modes
        FROM written
        ARRAY JOIN items AS item, arrayEnumerate(items) AS item_no
    ),
    judged AS
    (
        SELECT
            *,
            multiIf(
                charge_no = 0 AND kind = 'energy' AND count() OVER (PARTITION BY tariff, version, tariff_version, charge_no, kind, channel) > 1,
                'prices a channel twice',
                charge_no = 0, '',
                charge IN ('', '?'), 'has a charge without a name',
                countEqual(arrayMap(item -> item.1, siblings), charge) > 1, 'has two charges of one name',
                kind NOT IN ('energy', 'tiers', 'demand', 'standing', 'percentage', 'minimum', 'maximum'), 'has a charge of a kind that is unknown',
                prorate NOT IN ('days', 'none'), 'has a `prorate` that is neither days nor none',
                has_rounding AND (NOT match(round_to_text, '^[0-9]{1,9}([.][0-9]{1,4})?$') OR toFloat64OrZero(round_to_text) = 0 OR NOT has(modes, round_mode)),
                'has a `round` that cannot be read, or with more than four places',
                ''
            ) AS form_complaint,
            multiIf(
                NOT is_metered, '',
                channel IN ('', '?') OR unit IN ('', '?'), 'has a quantity without a channel or a unit',
                minus = '?' OR minus = channel OR beyond_channel = '?' OR beyond_channel = channel, 'takes something off a quantity that cannot be',
                net NOT IN ('', 'interval', 'period'), 'has a `net` that is neither interval nor period',
                NOT match(share_text, unsigned) OR NOT match(beyond_share_text, unsigned), 'has a share that cannot be read',
                JSONType(quantity, 'beyond') != 'Null' AND beyond_channel = '', 'has a `beyond` without a channel',
                JSONType(quantity, 'steps') NOT IN ('Null', 'Array') OR arrayExists(
                    item -> (JSONType(item, 'over') != 'Null') = (JSONType(item, 'times') != 'Null')
                        OR (JSONType(item, 'round') != 'Null' AND JSONType(item, 'round', 'to') = 'Null'), step_items
                ) OR arrayExists(
                    step -> NOT match(step.2, unsigned) OR toFloat64OrZero(step.2) = 0
                        OR (step.3 != '' AND (NOT match(step.3, unsigned) OR toFloat64OrZero(step.3) = 0)) OR NOT has(modes, step.4),
                    step_texts
                ), 'has a step that cannot be read',
                series != '' AND (series = '?' OR NOT match(times_text, unsigned) OR NOT match(plus_text, signed)),
                'has a price by series that cannot be read',
                series != '' AND (notEmpty(step_items) OR beyond_channel != '' OR net = 'period'),
                'has the prices of a series for what is done to the sum of a period',
                ''
            ) AS quantity_complaint,
            multiIf(
                JSONType(body, if(kind = 'energy', 'bands', 'when')) NOT IN ('Null', 'Array')
                    OR arrayExists(item -> NOT meterfold_is_time(item), if(is_metered, time_items, [])),
                if(kind = 'energy', 'has a band with a rate or time that cannot be read, or two bands of one name', 'has a `when` that cannot be read'),
                kind = 'energy' AND (
                    empty(band_items) OR length(arrayDistinct(band_names)) < length(band_names) OR hasAny(band_names, ['', '?'])
                    OR arrayExists(rate -> NOT match(rate, signed), band_rate_texts)
                ), 'has a band with a rate or time that cannot be read, or two bands of one name',
                kind = 'tiers' AND (scheme NOT IN ('graduated', 'volume') OR bounds NOT IN ('period', 'day', 'demand', 'number')), 'has tiers of a scheme that is unknown',
                kind = 'tiers' AND (
                    empty(tier_items) OR length(arrayDistinct(tier_names)) < length(tier_names) OR hasAny(tier_names, ['', '?'])
                    OR arrayExists(rate -> NOT match(rate, signed), arrayConcat(tier_rate_texts, tier_fee_texts))
                ), 'has a tier with a price that cannot be read, or two tiers of one name',
                kind = 'tiers' AND (
                    arrayExists(bound -> NOT match(bound, '^[0-9]{1,12}([.][0-9]{1,9})?$'), arrayPopBack(tier_bound_texts)) OR tier_bound_texts[-1] != ''
                    OR arrayExists(
                        (low, high) -> toDecimal256OrZero(high, 9) <= toDecimal256OrZero(low, 9),
                        arrayPopBack(arrayPushFront(arrayPopBack(tier_bound_texts), '0')), arrayPopBack(tier_bound_texts)
                    )
                ), 'has tiers whose bounds do not rise, or a last one with a bound',
                (bounds = 'number' AND kind = 'tiers' AND number IN ('', '?')) OR number = '?' OR number_unit = '?',
                'has a number of the tenancy that is not named',
                bounds_of = '?' OR (kind = 'tiers' AND bounds = 'demand' AND NOT arrayExists(item -> item.1 = bounds_of AND item.2 = 'demand', siblings)),
                'has bounds per demand of a charge that is not there',
                kind = 'demand' AND (
                    measure NOT IN ('maximum', 'average') OR highest NOT BETWEEN 1 AND 1000 OR NOT match(rate_text, signed)
                    OR NOT match(minimum_text, unsigned)
                ), 'has a demand charge that cannot be read',
                kind = 'demand' AND has_ratchet AND (
                    NOT match(ratchet_share_text, unsigned) OR toFloat64OrZero(ratchet_share_text) > 1 OR ratchet_months NOT BETWEEN 1 AND 120
                ), 'has a ratchet that cannot be read',
                kind = 'standing' AND (NOT match(rate_text, signed) OR per NOT IN ('day', 'month', 'period', 'year')),
                if(
                    charge_no = 0, 'has a standing charge or tax that is no decimal number with at most 9 places',
                    'has a standing charge that cannot be read'
                ),
                kind = 'percentage' AND NOT match(percentage_text, signed), 'has a percentage that cannot be read',
                has_power_factor AND (
                    empty(power_factor_texts) OR arrayExists(row -> NOT match(row.1, unsigned) OR NOT match(row.2, signed), power_factor_texts)
                ), 'has a power factor that cannot be read',
                kind IN ('minimum', 'maximum') AND NOT match(amount_text, signed), 'has a minimum or maximum that cannot be read',
                kind IN ('percentage', 'minimum', 'maximum') AND NOT is_of_all AND (
                    empty(of_charges) OR arrayExists(name -> NOT arrayExists(item -> item.1 = name AND has(of_kinds, item.2), siblings), of_charges)
                ), 'has a charge on charges that are not there, or come after it',
                ''
            ) AS kind_complaint
        FROM parsed
    )
SELECT
    tariff,
    version,
    tariff_version,
    currency,
    effective_from,
    effective_to,
    -- place in the version, of all and of `charges`
    charge_index,
    charge_no,
    charge,
    kind,
    is_metered,
    channel,
    unit,
    minus,
    net,
    ifNull(toDecimal128OrNull(share_text, 9), toDecimal128(0, 9)) AS share,
    beyond_channel,
    ifNull(toDecimal128OrNull(beyond_share_text, 9), toDecimal128(0, 9)) AS beyond_share,
    -- in order: (divides, factor, rounded to or 0, mode)
    arrayMap(
        step -> (step.1, toDecimal256OrZero(step.2, 9), toDecimal256OrZero(step.3, 9), step.4), step_texts
    ) AS steps,
    band_names,
    arrayMap(text -> toDecimal128OrZero(text, 9), band_rate_texts) AS band_rates,
    -- of the bands, or of `when`: [(months, days, from_minute, to_minute)]
    if(is_metered, conditions, []) AS conditions,
    is_metered AND names_holiday AS names_holiday,
    is_metered AND has_times AS has_times,
    series,
    toDecimal128OrZero(times_text, 9) AS series_times,
    toDecimal128OrZero(plus_text, 9) AS series_plus,
    scheme,
    bounds,
    prorate,
    tier_names,
    -- the last has none
    arrayMap(text -> toDecimal256OrZero(text, 9), arrayPopBack(tier_bound_texts)) AS tier_bounds,
    arrayMap(text -> toDecimal128OrZero(text, 9), tier_rate_texts) AS tier_rates,
    arrayMap(text -> toDecimal128OrZero(text, 9), tier_fee_texts) AS tier_fees,
    toUInt16(greatest(0, least(highest, 1000))) AS highest,
    -- of a demand or standing charge; share of a percentage; amount of a minimum or maximum
    toDecimal128OrZero(multiIf(kind = 'percentage', percentage_text, kind IN ('minimum', 'maximum'), amount_text, rate_text), 9) AS rate,
    toDecimal256OrZero(minimum_text, 9) AS minimum,
    has_ratchet,
    toDecimal256OrZero(ratchet_share_text, 9) AS ratchet_share,
    ratchet_months,
    per,
    number,
    number_unit,
    bounds_of,
    has_power_factor,
    -- (below, share) in 10⁻⁹: the first that a power factor is below
    arrayMap(
        row -> (
            toInt256(reinterpret(toDecimal128OrZero(row.1, 9), 'Int128')), toInt256(reinterpret(toDecimal128OrZero(row.2, 9), 'Int128'))
        ),
        power_factor_texts
    ) AS power_factors,
    is_of_all,
    of_charges,
    of_kinds,
    has_rounding,
    toDecimal256OrZero(round_to_text, 9) AS round_to,
    round_mode,
    coalesce(nullIf(form_complaint, ''), nullIf(quantity_complaint, ''), nullIf(kind_complaint, ''), '') AS complaint,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM judged
