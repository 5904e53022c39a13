-- One row per account, billing period, tenancy and tariff version in force: a stretch of local days with one price list.
CREATE OR REPLACE TEMPORARY TABLE rating_segments AS
WITH
    tenancies AS (SELECT * FROM rating_tenancies),
    tariff_versions AS
    (
        SELECT *
        FROM ref_tariff_versions_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    priced AS
    (
        SELECT
            tenancies.* EXCEPT (tariff, currency, service_from, service_to, service_start_ms, service_end_ms),
            tenancies.tariff AS tariff,
            tenancies.currency AS currency,
            greatest(tenancies.service_from, tariff_versions.effective_from) AS service_from,
            least(tenancies.service_to, tariff_versions.effective_to) AS service_to,
            tariff_versions.tariff_version AS tariff_version,
            tariff_versions.currency AS tariff_currency,
            tariff_versions.is_ambiguous AS is_ambiguous,
            notEmpty(tariff_versions.energy) AS is_metered,
            tariff_versions.standing_text AS standing_text,
            tariff_versions.standing_per_day AS standing_per_day,
            tariff_versions.tax_name AS tax_name,
            tariff_versions.tax_rate_text AS tax_rate_text,
            tariff_versions.tax_rate AS tax_rate
        FROM tenancies
        INNER JOIN tariff_versions ON tariff_versions.tariff = tenancies.tariff
        WHERE service_from < service_to
    )
SELECT
    *,
    if(empty(offset_s), 0, meterfold_day_start_ms(service_from, offset_from_ms, offset_until_ms, offset_s)) AS service_start_ms,
    if(empty(offset_s), 0, meterfold_day_start_ms(service_to, offset_from_ms, offset_until_ms, offset_s)) AS service_end_ms
FROM priced
