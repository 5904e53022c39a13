"""Tables of the fold: rows put into them, and those of two data directories compared row for row, each read in a process of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from connectors.clickhouse import Store
from dataflows.stretches import in_stretches
from meterfold.store import sql_folder
from state.outputs import COLUMNS, Block

TABLES = (
    "raw_records", "evidence_stretches", "determinant_stretches",
    "evidence", "determinants", "adjustments", "findings", "quarantine", "dead_letters", "ledger",
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


def insert_rows(store: Store, stream: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Put rows of the fold into the store as its dataflow does: columns that are not given are what the table gives them."""
    count = len(next(iter(columns.values())))
    rows: Block = {name: list(columns.get(name, [_DEFAULTS.get(name, 0)] * count)) for name in COLUMNS[stream]}
    table, blocks = in_stretches(stream, [rows])
    store.insert_blocks(table, blocks)


_DEFAULTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("supply_point", "channel", "device", "register", "kind", "quality", "verdict", "unit"), ""),
    "missing_reason": "", "hardened_by": "",
    **dict.fromkeys(("checks_failed", "checks_not_run", "methods"), ()), "count": None, "decimals": None,
}  # fmt: skip


SAMPLE: Final = """
CREATE TABLE sample
(
    supply_point  LowCardinality(String),
    raw_partition UInt16,
    raw_offset    UInt64,
    device        LowCardinality(String),
    start_ms      Int64,
    quantity_nano Nullable(Int64),
    count         Nullable(Int64),
    decimals      Nullable(Int32),
    version       Int64,
    checks_failed Array(LowCardinality(String)),
    start_utc     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(least(greatest(start_ms, -2208988800000), 10413791999999), 'UTC'),
    quantity      Nullable(Decimal(18, 9)) ALIAS reinterpret(quantity_nano, 'Decimal(18, 9)')
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, raw_partition, raw_offset)
"""
"""A table with a column of every type that the fold's tables have."""


@contextmanager
def sampled(store: Store) -> Iterator[Store]:
    """The store with the sample."""
    store.command(SAMPLE)
    yield store
    store.command("DROP TABLE sample")


def tables_made() -> set[str]:
    """The tables that the migrations leave behind."""
    texts = [path.read_text("utf-8") for path in (sql_folder() / "schema").glob("*.sql")]
    found = [
        re.findall(rf"^{what} (\w+)", text, re.MULTILINE)
        for what in ("CREATE TABLE", "DROP TABLE IF EXISTS")
        for text in texts
    ]
    made = [name for names in found[: len(texts)] for name in names]
    return set(made) - {name for names in found[len(texts) :] for name in names}
