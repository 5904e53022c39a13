-- The adjustments of a window do not chain: a revision is missing, one does not start where the one before ended, or delta is not new − old.
WITH
    first_rows AS (SELECT supply_point, channel, start_ms, end_ms, quantity_nano FROM determinants FINAL),
    changes AS (SELECT * FROM adjustments FINAL),
    steps AS
    (
        SELECT
            supply_point, channel, start_ms, end_ms, toUInt32(0) AS revision, quantity_nano AS old_nano, quantity_nano AS new_nano,
            toInt64(0) AS delta_nano, toUInt32(0) AS corrects_revision
        FROM first_rows
        UNION ALL
        SELECT supply_point, channel, start_ms, end_ms, revision, old_nano, new_nano, delta_nano, corrects_revision FROM changes
    ),
    chained AS
    (
        SELECT
            *,
            row_number() OVER chain AS place,
            lagInFrame(new_nano, 1, old_nano) OVER chain AS new_before_nano
        FROM steps
        WINDOW chain AS (PARTITION BY supply_point, channel, start_ms, end_ms ORDER BY revision ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
SELECT
    supply_point,
    channel,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    revision,
    multiIf(
        revision != place - 1, 'a revision, or the determinant, is missing before it',
        corrects_revision != revision - 1, 'it cites another revision than the one before',
        old_nano != new_before_nano, 'it does not start where the revision before ended',
        delta_nano != new_nano - old_nano, 'delta is not new − old',
        'it changes nothing'
    ) AS defect
FROM chained
WHERE revision != place - 1
    OR (revision > 0 AND (corrects_revision != revision - 1 OR old_nano != new_before_nano OR delta_nano != new_nano - old_nano OR delta_nano = 0))
ORDER BY supply_point, channel, start_ms, end_ms, revision
