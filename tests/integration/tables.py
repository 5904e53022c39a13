"""Dumping a data directory's tables in a process of their own, so that two directories can be compared row for row."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TABLES = (
    "raw_records", "evidence", "determinants", "adjustments", "findings", "quarantine", "dead_letters", "ledger",
    "ingest_ledger", "reference_objects", "bill_runs", "bill_lines", "bill_run_closed", "bill_issued", "bill_periods_closed",
    "bill_accruals", "bill_refused", "tariff_changes", "account_payments", "account_entries",
    "reference_charges", "reference_taxes", "reference_tax_objects",
)  # fmt: skip
"""Every table of rows. The frontier says how far, not what; after a run it is compared by what these hold."""

PLACES = frozenset({"known_at_ms", "curated_offset", "billing_offset"})
"""Where a row stands in the curated log, and when: what a crash that made ingest repeat itself may change."""

_ASK = """
import json, sys
from pathlib import Path
from connectors.clickhouse import Store
store = Store(Path(sys.argv[1]))
print(json.dumps({name: store.query(sql).dicts() for name, sql in json.loads(sys.argv[2]).items()}, default=str))
"""


def dump(data: Path) -> dict[str, list[str]]:
    """Every table's rows as sorted texts, places left out."""
    return rows_of(data, {name: f"SELECT * FROM {name} FINAL" for name in TABLES})


def rows_of(data: Path, queries: dict[str, str]) -> dict[str, list[str]]:
    """The rows of each query as sorted texts, places left out."""
    command = [sys.executable, "-c", _ASK, str(data / "clickhouse"), json.dumps(queries)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    tables: dict[str, list[dict[str, Any]]] = json.loads(result.stdout)
    return {name: sorted(map(_text, rows)) for name, rows in tables.items()}


def _text(row: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in row.items() if name not in PLACES}, sort_keys=True)


def assert_same(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    """Equal row for row; the first difference is shown."""
    for name in TABLES:
        only_one, only_other = sorted(set(one[name]) - set(other[name])), sorted(set(other[name]) - set(one[name]))
        assert not only_one and not only_other, f"{name}: {only_one[:2]} against {only_other[:2]}"
        assert one[name] == other[name], f"{name}: rows are repeated"
