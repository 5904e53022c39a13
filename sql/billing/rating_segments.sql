-- One row per account, billing period, tenancy and tariff version in force: a stretch of local days with one price list. `segment` numbers them.
CREATE OR REPLACE TEMPORARY TABLE rating_segments AS
WITH
    tenancies AS (SELECT * FROM rating_tenancies),
    tariff_versions AS
    (
        SELECT *
        FROM ref_tariff_versions_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    metered AS (SELECT tariff, tariff_version FROM rating_prices WHERE is_metered),
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
            tariff_versions.is_ambiguous AS is_ambiguous,
            tariff_versions.is_misshapen AS is_misshapen,
            (tariff, tariff_version) IN metered AS is_metered
        FROM tenancies
        INNER JOIN tariff_versions ON tariff_versions.tariff = tenancies.tariff
        WHERE service_from < service_to
    )
SELECT
    toUInt32(row_number() OVER (ORDER BY account, period_from, tenancy, tariff_version)) AS segment,
    * EXCEPT (offset_from_ms, offset_until_ms, offset_s, holidays),
    toUInt16(dateDiff('day', service_from, service_to)) AS service_days,
    empty(offset_s) AS is_without_clock,
    if(empty(offset_s), 0, meterfold_day_start_ms(service_from, offset_from_ms, offset_until_ms, offset_s)) AS service_start_ms,
    if(empty(offset_s), 0, meterfold_day_start_ms(service_to, offset_from_ms, offset_until_ms, offset_s)) AS service_end_ms
FROM priced
