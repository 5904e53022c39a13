-- One row per account, billing period, tenancy and tariff version in force: a stretch of local days with one price list. `segment` numbers them,
-- `first_segment` is the first of those whose uses of one charge make one line.
-- Where the rate or treatment of a tax by the day of supply changes, a stretch is cut (`tax_from`: the day of the last such change in the period, or
-- its first day), so that a line has one rate; where a number of the tenancy changes, too.
CREATE OR REPLACE TEMPORARY TABLE rating_segments
(
    segment UInt32, account String, period_no UInt32, period_days UInt16, period_from Date, period_to Date, tenancy String,
    supply_point String, edition String, numbers Array(Tuple(String, Date, Int256)), is_ended_without_date UInt8, site String,
    gate_after_days Int64, gate_at String, tariff String, currency String, tariff_version String, effective_from Date,
    tariff_currency String, estimate_after_days Nullable(UInt16), is_ambiguous UInt8, is_misshapen UInt8, is_metered UInt8,
    service_from Date, service_to Date, tax_from Date, service_days UInt16, is_without_clock UInt8, service_start_ms Int64,
    service_end_ms Int64, first_segment UInt32
)
AS
WITH
    tariff_versions AS
    (
        SELECT *
        FROM ref_tariff_versions_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    metered AS (SELECT tariff, tariff_version FROM rating_prices WHERE is_metered),
    cuts AS
    (
        SELECT
            tariff AS cut_tariff, tariff_version AS cut_version, groupUniqArrayArray(rate_from) AS days, groupUniqArray(tax_object) AS tax_objects
        FROM rating_taxes
        WHERE tax_object != '' AND date_rule = 'supply' AND complaint = ''
        GROUP BY tariff, tariff_version
    ),
    named AS
    (
        SELECT tariff AS number_tariff, tariff_version AS number_version, groupUniqArray(number) AS number_names
        FROM rating_prices
        WHERE number != ''
        GROUP BY tariff, tariff_version
    ),
    accounts AS (SELECT account AS treated_account, tax_treatments FROM rating_accounts),
    priced AS
    (
        SELECT
            tenancies.* EXCEPT (tariff, currency, service_from, service_to, service_start_ms, service_end_ms),
            tenancies.tariff AS tariff,
            tenancies.currency AS currency,
            greatest(tenancies.service_from, tariff_versions.effective_from) AS service_from,
            least(tenancies.service_to, tariff_versions.effective_to) AS service_to,
            tariff_versions.tariff_version AS tariff_version,
            tariff_versions.effective_from AS effective_from,
            tariff_versions.currency AS tariff_currency,
            tariff_versions.estimate_after_days AS estimate_after_days,
            tariff_versions.is_ambiguous AS is_ambiguous,
            tariff_versions.is_misshapen AS is_misshapen,
            (tariff, tariff_version) IN metered AS is_metered
        FROM rating_tenancies AS tenancies
        INNER JOIN tariff_versions ON tariff_versions.tariff = tenancies.tariff
        WHERE service_from < service_to
    ),
    taxed AS
    (
        SELECT
            priced.* EXCEPT (service_from, service_to),
            arraySort(arrayDistinct(arrayFilter(
                day -> day > priced.period_from AND day < priced.period_to,
                arrayConcat(
                    cuts.days,
                    arrayFlatten(arrayMap(
                        treated -> [treated.3, treated.4], arrayFilter(treated -> has(cuts.tax_objects, treated.1), accounts.tax_treatments)
                    ))
                )
            ))) AS cut_days,
            -- a number of the tenancy cuts segments too, but no lines
            arrayMap(item -> item.2, arrayFilter(item -> has(named.number_names, item.1), priced.numbers)) AS number_days,
            arrayPushFront(
                arraySort(arrayDistinct(arrayFilter(
                    day -> day > priced.service_from AND day < priced.service_to, arrayConcat(cut_days, number_days)
                ))),
                priced.service_from
            ) AS starts,
            arrayPushBack(arrayPopFront(starts), priced.service_to) AS ends,
            part_from AS service_from,
            part_to AS service_to,
            arrayMax(arrayPushBack(arrayFilter(day -> day <= service_from, cut_days), priced.period_from)) AS tax_from
        FROM priced
        LEFT JOIN cuts ON cut_tariff = priced.tariff AND cut_version = priced.tariff_version
        LEFT JOIN named ON number_tariff = priced.tariff AND number_version = priced.tariff_version
        LEFT JOIN accounts ON treated_account = priced.account
        ARRAY JOIN starts AS part_from, ends AS part_to
    ),
    numbered AS
    (
        SELECT
            toUInt32(row_number() OVER (ORDER BY account, period_from, tenancy, tariff_version, service_from)) AS segment,
            * EXCEPT (offset_from_ms, offset_until_ms, offset_s, holidays, cut_days, number_days, starts, ends),
            toUInt16(dateDiff('day', service_from, service_to)) AS service_days,
            empty(offset_s) AS is_without_clock,
            if(empty(offset_s), 0, meterfold_day_start_ms(service_from, offset_from_ms, offset_until_ms, offset_s)) AS service_start_ms,
            if(empty(offset_s), 0, meterfold_day_start_ms(service_to, offset_from_ms, offset_until_ms, offset_s)) AS service_end_ms
        FROM taxed
    )
SELECT
    *,
    min(segment) OVER (PARTITION BY account, period_from, period_to, currency, supply_point, tax_from) AS first_segment
FROM numbered
