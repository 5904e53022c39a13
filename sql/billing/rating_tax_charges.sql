-- One row per account, billing period, currency and tax (name, rate, treatment): on the sum of the rounded net amounts that its tariff versions name,
-- and on the amounts of taxes before it that they name, one after the other. `amount` is rounded once, or once a line (`level`); `remainder`: what it
-- would be without rounding, less that, cut after 21 places. `contained`: what prices hold of it. `is_circular`: a tax that it is on does not come
-- before it; `is_without_rate`: it has no rate on the day that counts.
-- Nothing without rating_taxes.
CREATE OR REPLACE TEMPORARY TABLE rating_tax_charges
(
    account String, period_from Date, period_to Date, currency String, tax String, rate_text String, treatment String, listed_text String,
    date_rule String, is_included UInt8, service_from Date, service_to Date, rate Decimal(38, 9), place UInt32, base Decimal(38, 4),
    amount Decimal(38, 4), contained Decimal(38, 4), remainder Decimal(38, 21), is_circular UInt8, is_without_rate UInt8
)
AS
WITH
    taxed AS
    (
        SELECT
            account, period_from, period_to, currency, tax, rate_text, treatment, listed_text, any(rate) AS rate, any(listed_nano) AS rate_nano,
            min(service_from) AS service_from, max(service_to) AS service_to,
            max(tax_no) AS tax_no,
            groupUniqArrayArray(on_taxes) AS on_taxes,
            argMax((level, step, round_mode, date_rule, is_included), written_no) AS rule,
            sumIf(net_amount, is_of) AS of_amount,
            sumIf(toInt256(reinterpret(net_amount, 'Int128')), is_of AND divisor = 1000000000) AS beside,
            groupArrayIf((divisor, toInt256(reinterpret(net_amount, 'Int128'))), is_of AND divisor != 1000000000) AS inside,
            sumIf(
                if(
                    level = 'line',
                    meterfold_in_steps(
                        toInt256(reinterpret(net_amount, 'Int128')) * listed_nano * 100000000000000000, step * divisor, round_mode
                    ) * intDiv(step, 100000000000000000),
                    toInt256(0)
                ),
                is_of
            ) AS of_lines,
            max(rate_no = 0) AS is_without_rate
        FROM rating_taxed
        GROUP BY account, period_from, period_to, currency, tax, rate_text, treatment, listed_text
    ),
    listed AS
    (
        SELECT
            account,
            period_from,
            period_to,
            currency,
            arraySort(groupArray((
                tax_no, tax, rate_text, treatment, listed_text, toInt256(reinterpret(of_amount, 'Int128')) AS of_nano, rate_nano, on_taxes, rule,
                if(
                    empty(inside), toInt256(1000000000),
                    arrayFold(
                        (product, one) -> product * one,
                        arrayDistinct(if(beside = 0, inside.1, arrayPushBack(inside.1, toInt256(1000000000)))), toInt256(1)
                    )
                ) AS divisor,
                -- in 10⁻²¹ × divisor
                (
                    beside * intDiv(divisor, 1000000000)
                    + if(empty(inside), toInt256(0), arraySum(arrayMap((one, part) -> part * intDiv(divisor, one), inside.1, inside.2)))
                ) * rate_nano * 100000000000000000 AS exact,
                of_lines, service_from, service_to, rate, is_without_rate
            ))) AS written,
            -- as they are written, but each after those that it is on: another version of the tariff may number them otherwise
            if(length(written) = 1, [toInt64(1)], arrayFold(
                (places, step) -> arrayMap(
                    (row, place) -> arrayMax(arrayMap(
                        (below, its) -> if(has(row.8, (below.2, below.3, below.4)), greatest(place, its + 1), place), written, places
                    )),
                    written, places
                ),
                written, arrayMap(place -> toInt64(place), arrayEnumerate(written))
            )) AS places,
            arraySort((row, place) -> (place, row.1, row.2, row.3, row.4), written, places) AS rows
        FROM taxed
        GROUP BY account, period_from, period_to, currency
    ),
    rowed AS
    (
        SELECT
            account,
            period_from,
            period_to,
            currency,
            rows,
            -- (name, rate, treatment, base, amount, contained in 10⁻⁴; remainder in 10⁻²¹)
            arrayFold(
                (billed, row) -> arrayPushBack(
                    billed,
                    arrayMap(
                        on_amount -> arrayMap(
                            rounded -> (
                                row.2, row.3, row.4, row.6 + on_amount,
                                if(row.4 = '', rounded, toInt256(0)),
                                if((row.9).5, rounded, toInt256(0)),
                                if(
                                    row.4 = '', intDiv(row.11, row.10) + on_amount * row.7 * 100000000 - rounded * 100000000000000000, toInt256(0)
                                )
                            ),
                            [if(
                                (row.9).1 = 'line',
                                row.12 + meterfold_in_steps(on_amount * row.7 * 100000000, (row.9).2, (row.9).3)
                                    * intDiv((row.9).2, 100000000000000000),
                                meterfold_in_steps(row.11 + on_amount * row.7 * 100000000 * row.10, (row.9).2 * row.10, (row.9).3)
                                    * intDiv((row.9).2, 100000000000000000)
                            )]
                        )[1],
                        [arraySum(arrayMap(
                            before -> if(has(row.8, (before.1, before.2, before.3)), before.5, toInt256(0)), billed
                        ))]
                    )[1]
                ),
                rows,
                CAST([], 'Array(Tuple(String, String, String, Int256, Int256, Int256, Int256))')
            ) AS amounts
        FROM listed
    )
SELECT
    account,
    period_from,
    period_to,
    currency,
    row.2 AS tax,
    row.3 AS rate_text,
    row.4 AS treatment,
    row.5 AS listed_text,
    (row.9).4 AS date_rule,
    (row.9).5 AS is_included,
    row.13 AS service_from,
    row.14 AS service_to,
    row.15 AS rate,
    place,
    reinterpret(toInt128(billed.4), 'Decimal(38, 4)') AS base,
    reinterpret(toInt128(billed.5), 'Decimal(38, 4)') AS amount,
    reinterpret(toInt128(billed.6), 'Decimal(38, 4)') AS contained,
    reinterpret(toInt128(billed.7), 'Decimal(38, 21)') AS remainder,
    NOT hasAll(arrayMap(before -> (before.1, before.2, before.3), arraySlice(amounts, 1, place - 1)), row.8) AS is_circular,
    row.16 AS is_without_rate
FROM rowed
ARRAY JOIN rows AS row, amounts AS billed, arrayEnumerate(rows) AS place
