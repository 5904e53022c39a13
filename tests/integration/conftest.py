"""A migrated store for each test: one directory a session, emptied before use, open until a test comes that does not ask for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.clickhouse import Store
from meterfold.store import open_store
from tests.kept_store import OPEN, let_go


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("store")
    open_store(folder).close()
    yield folder
    let_go()


@pytest.fixture
def store(store_folder: Path) -> Store:
    if not OPEN:
        OPEN.append(Store(store_folder))
    empty(OPEN[0])
    return OPEN[0]


def empty(store: Store) -> None:
    """No rows in any table; schema and views stay."""
    tables = store.query(
        "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' "
        "AND name != 'schema_applied' AND total_rows > 0 ORDER BY name",
        {"database": store.database},
    )
    for (table,) in tables.rows:
        store.command(f"TRUNCATE TABLE {table}")
