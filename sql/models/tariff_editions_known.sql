-- One row per edition of a tariff whose draft is in the billing log below the offset: where it stands, as far as that reader knows. `state`: drafted,
-- proposed, approved, staged, effective, superseded (a later edition is in effect everywhere) or withdrawn.
CREATE OR REPLACE VIEW tariff_editions_known AS
WITH
    steps AS (SELECT * FROM tariff_changes FINAL WHERE billing_offset < {known_billing_offset:UInt64}),
    editions AS
    (
        SELECT
            tariff,
            edition,
            tariff || '#' || toString(edition) AS price_list,
            argMax(action, billing_offset) AS last_action,
            argMaxIf(person, billing_offset, action = 'drafted') AS drafted_by,
            argMaxIf(person, billing_offset, action = 'proposed') AS proposed_by,
            argMaxIf(person, billing_offset, action = 'approved') AS approved_by,
            arraySort(groupUniqArrayArrayIf(sites, action = 'staged')) AS sites,
            arraySort(groupUniqArrayArrayIf(tenancies, action = 'staged')) AS tenancies,
            maxIf(billing_offset, action = 'effective') AS effective_offset,
            max(billing_offset) AS last_offset,
            max(booked_ms) AS last_booked_ms
        FROM steps
        GROUP BY tariff, edition
    ),
    standing AS
    (
        SELECT tariff, max(effective_offset) AS effective_offset
        FROM editions
        WHERE last_action != 'withdrawn'
        GROUP BY tariff
    )
SELECT
    editions.* EXCEPT (last_action, effective_offset),
    multiIf(
        last_action IN ('staged', 'effective') AND editions.last_offset < standing.effective_offset, 'superseded',
        last_action
    ) AS state,
    editions.effective_offset AS effective_offset
FROM editions
LEFT JOIN standing ON standing.tariff = editions.tariff
