-- One row per net charge and tax of its tariff version, also where the tax is not of the charge: at the rate of the day that counts (rate_no 0: there
-- is none), and how the account is treated then. Tax of an amount = amount × rate / divisor, both in 10⁻⁹: the divisor of a tax beside the price
-- is 1, of one inside it what it is inside of. `on_taxes`: (name, rate, treatment) of the taxes before it that it is on too.
-- `written_no` numbers the taxes of all tariff versions, later versions higher.
-- Nothing without rating_taxes.
CREATE OR REPLACE TEMPORARY TABLE rating_taxed
(
    account String, period_from Date, period_to Date, currency String, element String, service_from Date, service_to Date,
    net_amount Decimal(38, 4), is_of UInt8, tax_no UInt32, tax String, label String, on_names Array(String), date_rule String,
    level String, is_included UInt8, is_of_gross UInt8, written_no UInt32, digits UInt8, step Int256, round_mode String, rate_day Date,
    rate_no UInt32, listed_text String, listed_rate Decimal(38, 9), listed_nano Int256, treatment String, rate_text String,
    rate Decimal(38, 9), on_taxes Array(Tuple(String, String, String)), divisor Int256
)
AS
WITH
    taxes AS
    (
        SELECT
            *,
            toUInt32(row_number() OVER (ORDER BY effective_from, tariff, tariff_version, tax_no)) AS written_no,
            max(notEmpty(on_names) OR is_included OR is_of_gross) OVER (PARTITION BY tariff, tariff_version) AS is_beside_others
        FROM rating_taxes
        WHERE complaint = ''
    ),
    accounts AS (SELECT account, tax_treatments FROM rating_accounts),
    invoiced AS
    (
        SELECT account, period_from, period_to, currency, min(issued_on) AS day
        FROM bill_issued FINAL
        WHERE billing_offset < {known_billing_offset:UInt64} AND account IN (SELECT account FROM rating_accounts)
        GROUP BY account, period_from, period_to, currency
    ),
    met AS
    (
        SELECT
            charges.account AS account, charges.period_from AS period_from, charges.period_to AS period_to, charges.currency AS currency,
            charges.element AS element, charges.service_from AS service_from, charges.service_to AS service_to, charges.amount AS net_amount,
            empty(taxes.of_charges) OR has(taxes.of_charges, charges.charge) AS is_of,
            taxes.is_beside_others AS is_beside_others, taxes.tax_no AS tax_no, taxes.tax AS tax, taxes.label AS label, taxes.on_names AS on_names, taxes.date_rule AS date_rule,
            taxes.level AS level, taxes.is_included AS is_included, taxes.is_of_gross AS is_of_gross,
            taxes.written_no AS written_no,
            if(currencies.currency = '', 2, currencies.minor_digits) AS digits,
            if(taxes.has_rounding, reinterpret(taxes.round_to, 'Int256') * 1000000000000, toInt256(intExp10(19 - digits)) * 100) AS step,
            taxes.round_mode AS round_mode,
            multiIf(
                date_rule = 'supply', charges.service_from,
                date_rule = 'period_end', charges.period_to - 1,
                invoiced.account = '', toDate(fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')),
                invoiced.day
            ) AS rate_day,
            arrayLastIndex(day -> day <= rate_day, taxes.rate_from) AS rate_no,
            taxes.rate_texts[rate_no] AS listed_text,
            toDecimal128OrZero(listed_text, 9) AS listed_rate,
            toInt256(reinterpret(listed_rate, 'Int128')) AS listed_nano,
            if(
                taxes.tax_object = '', '',
                arrayFirst(
                    treated -> treated.1 = taxes.tax_object AND treated.3 <= rate_day AND rate_day < treated.4, accounts.tax_treatments
                ).2
            ) AS treatment,
            if(treatment = '', listed_text, '0') AS rate_text,
            if(treatment = '', listed_rate, toDecimal128(0, 9)) AS rate
        FROM rating_net_charges AS charges
        INNER JOIN taxes ON taxes.tariff = charges.tariff AND taxes.tariff_version = charges.tariff_version
        LEFT JOIN invoiced
            ON invoiced.account = charges.account AND invoiced.period_from = charges.period_from AND invoiced.period_to = charges.period_to
                AND invoiced.currency = charges.currency
        LEFT JOIN accounts ON accounts.account = charges.account
        LEFT JOIN rating_currencies AS currencies ON currencies.currency = charges.currency
    )
SELECT * EXCEPT is_beside_others, CAST([], 'Array(Tuple(String, String, String))') AS on_taxes, toInt256(1000000000) AS divisor
FROM met
WHERE NOT is_beside_others

UNION ALL
-- Nothing without rating_taxes WHERE notEmpty(on_names) OR is_included OR is_of_gross.
SELECT
    * EXCEPT (is_beside_others, beside),
    arrayMap(other -> (other.3, other.4, other.5), arrayFilter(other -> other.1 < tax_no AND has(on_names, other.2), beside)) AS on_taxes,
    toInt256(1000000000) + multiIf(
        is_included AND NOT is_of_gross,
        sum(if(is_of AND is_included, listed_nano, 0)) OVER (PARTITION BY account, period_from, currency, element),
        NOT is_included AND is_of_gross,
        -sum(if(is_of AND is_of_gross AND treatment = '', listed_nano, 0)) OVER (PARTITION BY account, period_from, currency, element),
        toInt256(0)
    ) AS divisor
FROM
(
    SELECT *, groupArray((tax_no, label, tax, rate_text, treatment)) OVER (PARTITION BY account, period_from, currency, element) AS beside
    FROM met
    WHERE is_beside_others
)
