-- One row per draft and rule of its legal entity that holds it, with the figure and the bound; is_released: a person released it from this rule.
-- ESTIMATED_SHARE of the metered quantity, unit by unit; CHANGE of the net a day against the issued documents of the periods before; AMOUNT of the total;
-- ACCOUNT_CLOSED: a correction after the account had ended. What is withheld counts in none. (CHECK_FAILED is added by the program, which runs sql/checks.)
CREATE OR REPLACE VIEW draft_holds AS
WITH
    currencies AS (SELECT * FROM ref_currencies),
    drafts AS
    (
        SELECT drawn.*, if(currencies.currency = '', 2, currencies.minor_digits) AS places
        FROM (SELECT * FROM bill_documents WHERE status = 'draft') AS drawn
        LEFT JOIN currencies ON currencies.currency = drawn.currency
    ),
    runs AS (SELECT run_id, as_of_ms FROM bill_runs FINAL),
    entities AS (SELECT legal_entity, hold_estimated_share, hold_change, hold_amount FROM ref_legal_entities),
    ended AS
    (
        SELECT account, ended_reason, ifNull(ended_on, toDate(0)) AS ended_from
        FROM ref_accounts
        WHERE ended_reason IS NOT NULL
    ),
    billed AS (SELECT DISTINCT account, period_from, currency FROM bill_issued),
    drafted_lines AS
    (
        SELECT * FROM bill_lines FINAL WHERE document_id IN (SELECT document_id FROM drafts) AND NOT is_withheld
    ),
    charged_lines AS (SELECT * FROM issued_lines WHERE NOT is_withheld AND account IN (SELECT account FROM drafts)),
    metered AS
    (
        SELECT document_id, unit, abs(sum(quantity_should)) AS used, sum(quantity_estimated) AS estimated
        FROM drafted_lines
        WHERE kind IN ('energy', 'tiers')
        GROUP BY document_id, unit
    ),
    shares AS
    (
        SELECT document_id, max(if(used = 0, toDecimal128(1, 4), toDecimal128(divideDecimal(estimated, used, 9), 4))) AS share
        FROM metered
        WHERE estimated > 0
        GROUP BY document_id
    ),
    of_periods AS
    (
        SELECT
            account, currency, period_from, dateDiff('day', min(service_from), max(service_to)) AS days,
            sumIf(net, is_issued) AS issued_net, sum(net) AS whole_net, max(is_issued) AS is_billed
        FROM
        (
            SELECT account, currency, period_from, service_from, service_to, if(kind = 'tax', toDecimal128(0, 4), amount) AS net, true AS is_issued
            FROM charged_lines
            UNION ALL
            SELECT account, currency, period_from, service_from, service_to, if(kind = 'tax', toDecimal128(0, 4), amount) AS net, false AS is_issued
            FROM drafted_lines
        )
        GROUP BY account, currency, period_from
    ),
    compared AS
    (
        SELECT
            account, currency, period_from, days, whole_net,
            sum(if(is_billed, issued_net, toDecimal128(0, 4))) OVER before AS net_before,
            sum(if(is_billed, days, 0)) OVER before AS days_before
        FROM of_periods
        WINDOW before AS (PARTITION BY account, currency ORDER BY period_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    changes AS
    (
        SELECT
            account, currency, period_from,
            toDecimal128(divideDecimal(whole_net, toDecimal128(days, 0), 9), 4) AS net_a_day,
            toDecimal128(divideDecimal(net_before, toDecimal128(days_before, 0), 9), 4) AS net_a_day_before
        FROM compared
        WHERE days > 0 AND days_before > 0
    ),
    held AS
    (
        SELECT
            drafts.document_id AS document_id, 'ESTIMATED_SHARE' AS rule, shares.share AS figure, toDecimal128(entities.hold_estimated_share, 4) AS bound,
            toString(figure) || ' of the metered quantity is estimated, more than ' || toString(bound) AS detail
        FROM drafts
        INNER JOIN entities ON entities.legal_entity = drafts.legal_entity
        INNER JOIN shares ON shares.document_id = drafts.document_id
        WHERE ifNull(shares.share > entities.hold_estimated_share, false)

        UNION ALL
        SELECT
            drafts.document_id AS document_id, 'CHANGE' AS rule, changes.net_a_day AS figure, changes.net_a_day_before AS bound,
            'net a day is ' || toString(figure) || ' ' || drafts.currency || ', was ' || toString(bound) || ' before: changed by more than '
                || toString(entities.hold_change) || ' of it' AS detail
        FROM drafts
        INNER JOIN entities ON entities.legal_entity = drafts.legal_entity
        INNER JOIN changes
            ON changes.account = drafts.account AND changes.currency = drafts.currency AND changes.period_from = drafts.period_from
        WHERE ifNull(toDecimal256(abs(figure - bound), 4) > toDecimal256(entities.hold_change, 9) * toDecimal256(abs(bound), 4), false)

        UNION ALL
        SELECT
            drafts.document_id AS document_id, 'AMOUNT' AS rule, drafts.total AS figure, toDecimal128(entities.hold_amount, 4) AS bound,
            'the total is ' || meterfold_amount_text(figure, drafts.places) || ' ' || drafts.currency || ', beyond '
                || meterfold_amount_text(bound, drafts.places) AS detail
        FROM drafts
        INNER JOIN entities ON entities.legal_entity = drafts.legal_entity
        WHERE ifNull(abs(drafts.total) > entities.hold_amount, false)

        UNION ALL
        SELECT
            drafts.document_id AS document_id, 'ACCOUNT_CLOSED' AS rule, drafts.total AS figure, toDecimal128(0, 4) AS bound,
            'it corrects what was billed, and the account has ended: ' || assumeNotNull(ended.ended_reason) AS detail
        FROM drafts
        INNER JOIN ended ON ended.account = drafts.account
        INNER JOIN runs ON runs.run_id = drafts.run_id
        WHERE (drafts.account, drafts.period_from, drafts.currency) IN billed
            AND ended.ended_from <= toDate(fromUnixTimestamp64Milli(runs.as_of_ms, 'UTC'))
    ),
    released AS (SELECT document_id, rule FROM draft_releases)
SELECT
    drafts.document_id AS document_id,
    drafts.run_id AS run_id,
    drafts.legal_entity AS legal_entity,
    drafts.account AS account,
    drafts.period_from AS period_from,
    drafts.period_to AS period_to,
    drafts.currency AS currency,
    drafts.total AS total,
    held.rule AS rule,
    held.figure AS figure,
    held.bound AS bound,
    held.detail AS detail,
    (held.document_id, held.rule) IN released AS is_released,
    fromUnixTimestamp64Milli(runs.as_of_ms, 'UTC') AS drafted_utc
FROM held
INNER JOIN drafts ON drafts.document_id = held.document_id
INNER JOIN runs ON runs.run_id = drafts.run_id
