-- The day on which a tax by this date rule is due (NULL: when it is invoiced), from the ends (out) of service and of the billing period.
CREATE OR REPLACE FUNCTION meterfold_tax_point AS (date_rule, service_to, period_to) ->
    multiIf(date_rule = 'invoice', CAST(NULL, 'Nullable(Date)'), date_rule = 'period_end', period_to - 1, service_to - 1)
