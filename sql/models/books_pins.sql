-- One row: what a month's determinants extract may see (now_), and what was in those of the months before (before_): the pins of the closing record;
-- of a month that is open, what is given, and where that is nothing, what is stored. A month whose predecessor is not closed is looked at by its own
-- pins alone.
CREATE OR REPLACE VIEW books_pins AS
WITH
    closings AS (SELECT * FROM bill_periods_closed FINAL WHERE legal_entity = {legal_entity:String}),
    stored AS
    (
        SELECT
            groupArrayIf(partition, kind = 'fold') AS partitions,
            groupArrayIf(next_offset, kind = 'fold') AS next_offsets,
            maxIf(next_offset, kind = 'billing') AS known_billing_offset
        FROM (SELECT * FROM frontier FINAL ORDER BY kind, partition)
    ),
    pinned AS
    (
        SELECT
            countIf(period = {period:String}) > 0 AS is_closed,
            countIf(period = formatDateTime(addMonths(toDate({period:String} || '-01'), -1), '%Y-%m')) > 0 AS is_after_closed,
            anyIf((frontier_partitions, frontier_offsets, known_billing_offset), period = {period:String}) AS its,
            anyIf(
                (frontier_partitions, frontier_offsets, known_billing_offset),
                period = formatDateTime(addMonths(toDate({period:String} || '-01'), -1), '%Y-%m')
            ) AS of_the_one_before
        FROM closings
    )
SELECT
    multiIf(
        is_closed, its,
        {known_billing_offset:UInt64} > 0,
            ({partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, {known_billing_offset:UInt64}),
        (stored.partitions, stored.next_offsets, stored.known_billing_offset)
    ) AS pins_now,
    if(is_after_closed, of_the_one_before, pins_now) AS pins_before,
    arrayZip(pins_now.1, pins_now.2) AS now_offsets,
    arrayZip(pins_before.1, pins_before.2) AS before_offsets,
    pins_now.3 AS now_billing_offset,
    pins_before.3 AS before_billing_offset
FROM pinned
CROSS JOIN stored
