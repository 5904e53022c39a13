-- A step of an edition of a tariff stands in the log where none like it may follow, or who proposed it approved it: it rates all the same.
WITH
    steps AS (SELECT * FROM tariff_changes FINAL),
    paired AS
    (
        SELECT
            *,
            lagInFrame(toString(action), 1, '') OVER (
                PARTITION BY tariff, edition ORDER BY billing_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS action_before,
            lagInFrame(person, 1, '') OVER (
                PARTITION BY tariff, edition ORDER BY billing_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS person_before
        FROM steps
    )
SELECT tariff, edition, action, person, action_before, person_before, billing_offset
FROM paired
WHERE NOT multiIf(
    action = 'drafted', action_before = '',
    action = 'proposed', action_before = 'drafted',
    action = 'approved', action_before = 'proposed' AND lowerUTF8(trim(person)) != lowerUTF8(trim(person_before)),
    action = 'withdrawn', action_before NOT IN ('', 'withdrawn'),
    action_before IN ('approved', 'staged')
)
ORDER BY tariff, edition, billing_offset
