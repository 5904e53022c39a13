-- One row per draft and rule of its legal entity that holds it, with the figure and the bound; is_released: a person released it from this rule.
-- ESTIMATED_SHARE of the metered quantity, unit by unit; CHANGE of the net a day against the issued documents of the periods before; AMOUNT of the total;
-- ACCOUNT_CLOSED: a correction after the account had ended. What is withheld counts in none. (CHECK_FAILED is added by the program, which runs sql/checks.)
CREATE OR REPLACE VIEW draft_holds AS
WITH
    runs AS (SELECT run_id, as_of_ms FROM bill_runs FINAL),
    entities AS (SELECT legal_entity, hold_estimated_share, hold_change, hold_amount FROM ref_legal_entities),
    ended AS
    (
        SELECT account, ended_reason, ifNull(ended_on, toDate(0)) AS ended_from
        FROM ref_accounts
        WHERE ended_reason IS NOT NULL
    ),
    currencies AS (SELECT * FROM ref_currencies),
    measured AS
    (
        SELECT
            document_id, min(first_day) AS first_day, max(last_day) AS last_day,
            maxIf(if(used = 0, toDecimal128(1, 4), toDecimal128(divideDecimal(estimated, used, 9), 4)), estimated > 0) AS share
        FROM
        (
            SELECT
                document_id, min(service_from) AS first_day, max(service_to) AS last_day,
                abs(sumIf(quantity_should, kind IN ('energy', 'tiers'))) AS used,
                sumIf(quantity_estimated, kind IN ('energy', 'tiers')) AS estimated
            FROM bill_lines FINAL
            WHERE NOT is_withheld
            GROUP BY document_id, unit
        )
        GROUP BY document_id
    ),
    of_periods AS
    (
        SELECT
            documents.account AS account, documents.currency AS currency, documents.period_from AS period_from,
            dateDiff('day', minIf(first_day, measured.document_id != ''), max(last_day)) AS days,
            sumIf(net, status = 'issued') AS issued_net, sum(net) AS whole_net, max(status = 'issued') AS is_billed,
            groupArrayIf(
                (documents.document_id, run_id, legal_entity, period_to, documents.total, measured.share), status = 'draft'
            ) AS drafts
        FROM bill_documents AS documents
        LEFT JOIN measured ON measured.document_id = documents.document_id
        WHERE status != 'replaced'
        GROUP BY account, currency, period_from
    ),
    compared AS
    (
        SELECT
            *,
            sum(if(is_billed, issued_net, toDecimal128(0, 4))) OVER before AS net_before,
            sum(if(is_billed, days, 0)) OVER before AS days_before
        FROM of_periods
        WINDOW before AS (PARTITION BY account, currency ORDER BY period_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    drafts AS
    (
        SELECT
            draft.1 AS document_id, draft.2 AS run_id, draft.3 AS legal_entity, account, period_from, draft.4 AS period_to, currency,
            draft.5 AS total, draft.6 AS share, is_billed,
            days > 0 AND days_before > 0 AS is_comparable,
            toDecimal128(divideDecimal(whole_net, toDecimal128(greatest(days, 1), 0), 9), 4) AS net_a_day,
            toDecimal128(divideDecimal(net_before, toDecimal128(greatest(days_before, 1), 0), 9), 4) AS net_a_day_before
        FROM compared
        ARRAY JOIN drafts AS draft
    ),
    -- per rule: its name, whether it holds, the figure, the bound, and both in words
    held AS
    (
        SELECT
            drafts.document_id AS document_id, drafts.run_id AS run_id, drafts.legal_entity AS legal_entity, drafts.account AS account,
            drafts.period_from AS period_from, drafts.period_to AS period_to, drafts.currency AS currency, drafts.total AS total,
            runs.as_of_ms AS as_of_ms,
            if(currencies.currency = '', 2, currencies.minor_digits) AS places,
            arrayJoin([
                (
                    'ESTIMATED_SHARE', ifNull(share > hold_estimated_share, false), share, toDecimal128(hold_estimated_share, 4),
                    toString(share) || ' of the metered quantity is estimated, more than ' || toString(toDecimal128(hold_estimated_share, 4))
                ),
                (
                    'CHANGE',
                    is_comparable AND ifNull(
                        toDecimal256(abs(net_a_day - net_a_day_before), 4)
                            > toDecimal256(hold_change, 9) * toDecimal256(abs(net_a_day_before), 4),
                        false
                    ),
                    net_a_day, toNullable(net_a_day_before),
                    'net a day is ' || toString(net_a_day) || ' ' || drafts.currency || ', was ' || toString(net_a_day_before)
                        || ' before: changed by more than ' || toString(hold_change) || ' of it'
                ),
                (
                    'AMOUNT', ifNull(abs(total) > hold_amount, false), total, toDecimal128(hold_amount, 4),
                    'the total is ' || meterfold_amount_text(total, places) || ' ' || drafts.currency || ', beyond '
                        || meterfold_amount_text(toDecimal128(hold_amount, 4), places)
                ),
                (
                    'ACCOUNT_CLOSED',
                    ended.account != '' AND is_billed AND ended.ended_from <= toDate(fromUnixTimestamp64Milli(runs.as_of_ms, 'UTC')),
                    total, toNullable(toDecimal128(0, 4)),
                    toNullable('it corrects what was billed, and the account has ended: ' || ifNull(ended.ended_reason, ''))
                )
            ]) AS rule
        FROM drafts
        INNER JOIN entities ON entities.legal_entity = drafts.legal_entity
        INNER JOIN runs ON runs.run_id = drafts.run_id
        LEFT JOIN ended ON ended.account = drafts.account
        LEFT JOIN currencies ON currencies.currency = drafts.currency
        WHERE rule.2
    ),
    released AS (SELECT document_id, rule FROM draft_releases)
SELECT
    document_id, run_id, legal_entity, account, period_from, period_to, currency, total,
    held.rule.1 AS rule,
    held.rule.3 AS figure,
    held.rule.4 AS bound,
    held.rule.5 AS detail,
    (document_id, held.rule.1) IN released AS is_released,
    fromUnixTimestamp64Milli(as_of_ms, 'UTC') AS drafted_utc
FROM held
