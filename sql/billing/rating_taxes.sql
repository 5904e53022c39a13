-- One row per tariff version that a tenancy may be under and tax of it: with the rates by day of the tax that it names, or with its own for ever.
CREATE OR REPLACE TEMPORARY TABLE rating_taxes
(
    tariff String, version Int64, tariff_version String, effective_from Date, tax_no UInt32, tax_object String, of_charges Array(String),
    on_names Array(String), ended_reason Nullable(String), is_withdrawn Bool, known_from_offset UInt64, known_until_offset UInt64,
    label String, tax String, rate_from Array(Date), rate_texts Array(String), date_rule String, level String, is_included UInt8,
    is_of_gross UInt8, has_rounding UInt8, round_to Decimal(76, 9), round_mode String, complaint String
)
AS
WITH
    taxes AS
    (
        SELECT *
        FROM ref_taxes_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
            AND tariff IN (SELECT tariff FROM rating_tenancies)
    ),
    objects AS
    (
        SELECT
            tax_object AS known_object, name, rate_from, rate_texts, date_rule, level, is_included, is_of_gross, has_rounding AS object_has_rounding,
            round_to AS object_round_to, round_mode AS object_round_mode, complaint AS object_complaint
        FROM ref_tax_objects_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset AND NOT is_withdrawn
    ),
    joined AS
    (
        SELECT
            taxes.* EXCEPT (tax, rate_text, complaint, has_rounding, round_to, round_mode),
            taxes.tax AS label,
            if(taxes.tax_object = '', taxes.tax, objects.name) AS tax,
            if(taxes.tax_object = '', [toDate('1970-01-01')], objects.rate_from) AS rate_from,
            if(taxes.tax_object = '', [taxes.rate_text], objects.rate_texts) AS rate_texts,
            if(taxes.tax_object = '', 'supply', objects.date_rule) AS date_rule,
            if(taxes.tax_object = '', 'document', objects.level) AS level,
            objects.is_included > 0 AS is_included,
            objects.is_of_gross > 0 AS is_of_gross,
            if(taxes.tax_object = '', taxes.has_rounding, object_has_rounding) AS has_rounding,
            if(taxes.tax_object = '', taxes.round_to, object_round_to) AS round_to,
            if(taxes.tax_object = '', taxes.round_mode, object_round_mode) AS round_mode,
            multiIf(
                taxes.complaint != '', taxes.complaint,
                taxes.tax_object = '', '',
                known_object = '', 'names a tax that is not in the portfolio: ' || taxes.tax_object,
                object_complaint
            ) AS complaint
        FROM taxes
        LEFT JOIN objects ON known_object = taxes.tax_object
    )
SELECT
    * EXCEPT complaint,
    multiIf(
        complaint != '', complaint,
        (is_included OR is_of_gross) AND notEmpty(on_names), 'has a tax inside the price, or a share of it, that is on another',
        hasAny(on_names, groupArrayIf(label, is_included) OVER (PARTITION BY tariff, tariff_version)), 'has a tax on one that prices contain',
        NOT is_included AND is_of_gross AND sum(if(
            is_of_gross AND NOT is_included, arrayMax(arrayMap(text -> toFloat64OrZero(text), rate_texts)), 0
        )) OVER (PARTITION BY tariff, tariff_version) >= 1, 'has taxes that are shares of a whole, and leave nothing of it',
        is_included AND min(if(is_included, is_of_gross, 1)) OVER (PARTITION BY tariff, tariff_version)
            != max(is_included AND is_of_gross) OVER (PARTITION BY tariff, tariff_version),
        'has taxes inside the price of which some are a share of it, and some of what remains',
        ''
    ) AS complaint
FROM joined
