-- One row per account of the ledger: its default name, and what its balance is. With by_detail there is one a kind of charge, tax or bearer.
CREATE OR REPLACE VIEW ledger_defaults AS
SELECT
    row.1 AS role,
    row.2 AS by_detail,
    row.3 AS ledger_account,
    row.4 AS says
FROM
(
    SELECT arrayJoin([
        ('receivable', false, 'receivable', 'what accounts owe; credit: what is owed to them'),
        ('revenue', true, 'revenue', 'charged, without tax, by kind of charge'),
        ('tax', true, 'tax', 'tax charged, by its name: owed to the state'),
        ('bank', false, 'bank', 'money received'),
        ('deposits', false, 'deposits', 'deposits asked for: owed back'),
        ('goodwill', false, 'goodwill', 'given without being owed'),
        ('fees', false, 'fees', 'asked for by no tariff'),
        ('bad_debt', false, 'bad_debt', 'written off'),
        ('accrued_income', false, 'accrued_income', 'delivered by the end of a month and not billed by then, without tax'),
        ('accrued_revenue', false, 'accrued_revenue', 'the other side of accrued_income'),
        ('withheld_cost', true, 'withheld_cost', 'memo: what may not be charged any more, by who bears it'),
        ('withheld_revenue', true, 'withheld_revenue', 'memo: the other side of withheld_cost, by kind of charge'),
        ('opening', false, 'opening', 'the other side of what was owed when billing began')
    ]) AS row
)
