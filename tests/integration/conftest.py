"""A migrated store for each test: one directory a session, emptied before use, closed after (chDB opens one directory a process)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.clickhouse import Store
from meterfold.store import open_store


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    open_store(folder).close()
    return folder


@pytest.fixture
def store(store_folder: Path) -> Iterator[Store]:
    with Store(store_folder) as opened:
        empty(opened)
        yield opened


def empty(store: Store) -> None:
    """No rows in any table; schema and views stay."""
    tables = store.query(
        "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' "
        "AND name != 'schema_applied' AND total_rows > 0 ORDER BY name",
        {"database": store.database},
    )
    for (table,) in tables.rows:
        store.command(f"TRUNCATE TABLE {table}")
