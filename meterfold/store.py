"""A store with the schema and the views of this version: `open_store(path)`."""

from __future__ import annotations

from pathlib import Path

from connectors.clickhouse import Store
from connectors.clickhouse_schema import apply_migrations, apply_models

_HERE = Path(__file__).resolve().parent


def sql_folder() -> Path:
    """The sql/ folder: beside the packages in a checkout, inside meterfold/ in a wheel."""
    inside = _HERE / "sql"
    return inside if inside.is_dir() else _HERE.parent / "sql"


def open_store(path: Path | str) -> Store:
    """The store at `path`, migrated. Raises StoreIsOwned, UnableToMigrate, UnableToQuery."""
    store = Store(path)
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return store


def migrate(store: Store) -> list[str]:
    """Bring schema and views to this version; returns the names of what was applied."""
    folder = sql_folder()
    return apply_migrations(store, folder / "schema") + apply_models(store, folder / "models")
