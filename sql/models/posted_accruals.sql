-- One row per leg that an accrual posts on the last day of its month, and takes back on the first day of the next, debit above zero. Without tax:
-- none is due before its tax point.
CREATE OR REPLACE VIEW posted_accruals AS
WITH
    unbilled AS (SELECT *, toLastDayOfMonth(toDate(period || '-01')) AS last_day FROM accruals),
    turned AS (SELECT *, arrayJoin([(0, 0), (0, 1), (1, 0), (1, 1)]) AS place, place.1 AS turn, place.2 AS side FROM unbilled)
SELECT
    legal_entity,
    if(turn = 0, period, formatDateTime(last_day + 1, '%Y-%m')) AS accounting_period,
    'accrual/' || legal_entity || '/' || period || '/' || account || '/' || currency || if(turn = 0, '', '/reversal') AS posting_id,
    toUInt32(side) AS leg,
    false AS is_memo,
    last_day + turn AS day,
    day AS tax_point,
    if(side = 0, 'accrued_income', 'accrued_revenue') AS role,
    '' AS detail,
    account,
    currency,
    if(side = turn, net, -net) AS amount,
    'accrued' AS source_type,
    period AS source,
    '' AS document_number,
    billing_offset AS booked_offset
FROM turned
