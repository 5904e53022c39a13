"""DuckDB on the same curated readings: one batch in SQL, from lines of JSON to determinants in a table.

For each half-hour it takes the best reading by version, quality and order in the log, adds up what the window holds, counts
qualities, and finds stretches without a reading against a generated series. Of registers it takes differences and spreads
what lies between two reads over the half-hours, as the fold does.
"""

from pathlib import Path
from typing import Any, Final

import duckdb

from benchmarks.measuring import Stopwatch
from benchmarks.sizes import INTERPOLATE_MAX_S, SLOT_MS, START_MS, Size
from benchmarks.stage import lines_of

_RANK: Final = "CASE quality WHEN 'ACTUAL' THEN 5 WHEN 'CALCULATED' THEN 4 WHEN 'SUBSTITUTED' THEN 3 WHEN 'ESTIMATED' THEN 2 ELSE 1 END"
_INTERVALS: Final = f"""
CREATE TABLE slots AS
WITH elements AS (
    SELECT supply_point, register AS channel, version, {_RANK} AS rank, raw[2] AS raw_offset,
           unnest(quantities_nano) AS nano, start_ms + unnest(range(len(quantities_nano))) * {SLOT_MS} AS start_ms
    FROM read_json($lines, format = 'newline_delimited', columns = {{
        supply_point: 'VARCHAR', register: 'VARCHAR', start_ms: 'BIGINT', quantities_nano: 'BIGINT[]', quality: 'VARCHAR',
        version: 'BIGINT', raw: 'BIGINT[]'}})
)
SELECT supply_point, channel, start_ms, nano, rank FROM elements WHERE nano IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY supply_point, channel, start_ms ORDER BY version DESC, rank DESC, raw_offset) = 1
"""
_REGISTERS: Final = f"""
CREATE TABLE slots AS
WITH reads AS (
    SELECT supply_point, register AS channel, at_ms, count * 1000 AS total, {_RANK} AS rank
    FROM read_json($lines, format = 'newline_delimited', columns = {{
        supply_point: 'VARCHAR', register: 'VARCHAR', at_ms: 'BIGINT', count: 'BIGINT', quality: 'VARCHAR',
        version: 'BIGINT', raw: 'BIGINT[]'}})
    QUALIFY row_number() OVER (PARTITION BY supply_point, channel, at_ms ORDER BY version DESC, rank DESC, raw[2]) = 1
), segments AS (
    SELECT supply_point, channel, lag(at_ms) OVER stream AS from_ms, total - lag(total) OVER stream AS total,
           (at_ms - lag(at_ms) OVER stream) // {SLOT_MS} AS number, least(rank, lag(rank) OVER stream) AS rank
    FROM reads WINDOW stream AS (PARTITION BY supply_point, channel ORDER BY at_ms)
), spread AS (
    SELECT *, unnest(range(number)) AS step FROM segments WHERE total >= 0
)
SELECT supply_point, channel, from_ms + step * {SLOT_MS} AS start_ms,
       total * (step + 1) // number - total * step // number AS nano,
       least(rank, CASE WHEN number = 1 THEN 5 WHEN number <= {INTERPOLATE_MAX_S * 1000 // SLOT_MS} THEN 4 ELSE 2 END) AS rank
FROM spread
"""
_DETERMINANTS: Final = f"""
CREATE TABLE determinants AS
WITH expected AS (
    SELECT supply_point, channel, unnest(range({START_MS}, $end_ms, {SLOT_MS})) AS start_ms
    FROM (SELECT DISTINCT supply_point, channel FROM slots)
)
SELECT supply_point, channel, start_ms // {SLOT_MS} * {SLOT_MS} AS start_ms, coalesce(sum(nano), 0) AS quantity_nano,
       count_if(rank = 5) AS n_actual, count_if(rank = 4) AS n_calculated, count_if(rank = 3) AS n_substituted,
       count_if(rank = 2) AS n_estimated, count_if(rank IS NULL) AS n_missing
FROM expected LEFT JOIN slots USING (supply_point, channel, start_ms)
GROUP BY ALL
"""
_MISSING: Final = f"""
CREATE TABLE missing AS
WITH holes AS (
    SELECT supply_point, channel, start_ms,
           start_ms - {SLOT_MS} * row_number() OVER (PARTITION BY supply_point, channel ORDER BY start_ms) AS stretch
    FROM determinants WHERE n_missing > 0
)
SELECT supply_point, channel, min(start_ms) AS start_ms, max(start_ms) + {SLOT_MS} AS end_ms
FROM holes GROUP BY supply_point, channel, stretch
"""


def measure(size: Size, root: Path) -> dict[str, Any]:
    """Run it, with as many threads as it likes; then (not timed) add up what half-hours with a reading came to."""
    watch = Stopwatch()
    shape = _REGISTERS if size.shape == "register" else _INTERVALS
    with duckdb.connect(":memory:") as connection:
        with watch.running():
            connection.execute(shape, {"lines": str(lines_of(root))})
            connection.execute(_DETERMINANTS, {"end_ms": size.end_ms})
            connection.execute(_MISSING)
        return watch.figure(0, current=_sums(connection))


def _sums(connection: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    found = connection.execute(
        "SELECT supply_point || '/' || channel, count(*), sum(quantity_nano)::HUGEINT FROM determinants "
        "WHERE n_actual + n_calculated > 0 GROUP BY ALL"
    )
    return {key: [number, int(nano)] for key, number, nano in found.fetchall()}
