"""ClickHouse through clickhouse-connect: one store, one client, one lock.

Embedded mode is chDB: `Store(path)` owns the directory for this process. What the wrapper is for:

- **A client that has failed is thrown away.** After an error in mid-stream chDB answers the *next* query of that client with the rows
  of the failed one, without an error. So nothing is ever asked of a client after any exception.
- **One lock.** The dataflow threads and the commands share one store; their calls are serialised, but for sessions that stand beside it.
- **One owner.** chDB takes one path per process and one process per path; a second owner gets `StoreIsOwned`, not "Code: 36".
- **Exact numbers.** Columns go in as ClickHouse keeps them: an int64 of 10⁻⁹ stays an int64 (and is bounded), a `Decimal` is scaled
  exactly or refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO, NamedTuple, Self, cast

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from connectors.clickhouse_columns import Column
from connectors.clickhouse_native import native_block
from connectors.clickhouse_pieces import Pieces
from connectors.clickhouse_texts import texts_of
from connectors.texts import Texts

DATABASE = "meterfold"

_INSERT_SETTINGS = {"optimize_on_insert": 0}
"""Rows that replace one another within an insert are left to `FINAL` and to merges, as those of two inserts are: to look for them there
took longer than all the rest."""

_READS = re.compile(r"(\s|--[^\n]*\n)*(SELECT|WITH)\b", re.IGNORECASE)


class StoreIsOwned(RuntimeError):
    """Another process has the directory open; or this process has another directory open."""


class UnableToQuery(RuntimeError):
    """ClickHouse refused or failed a statement. `code` is ClickHouse's number for the error, None when unknown."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.code = code


class UnknownTable(LookupError):
    """No such table, or a column the table does not have."""


class Rows(NamedTuple):
    """The answer to a query: column names, and one tuple a row (Decimal for decimals, UTC-aware datetimes, None for NULL)."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """One dictionary a row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Session:
    """Several statements on one client, with nobody in between: temporary tables live as long as it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> Rows:
        """As Store.query."""
        bound = _named_in(sql, params)
        result = self._client.query(sql, parameters=bound)
        columns = tuple(result.column_names)
        if not columns and _READS.match(sql):
            # chDB sends nothing at all for no rows, not even the names
            described = self._client.query(f"DESCRIBE TABLE ({sql.rstrip().rstrip(';')}\n)", parameters=bound)
            columns = tuple(name for name, *_ in described.result_rows)
        return Rows(columns, list(map(tuple, result.result_rows)))

    def texts(self, sql: str, params: Mapping[str, Any] | None = None) -> Texts:
        """The texts of a SELECT of two columns, `toUInt32(length(text)), text`: for many and long ones, none of which becomes an object."""
        return texts_of(self._client.raw_query(sql, parameters=_named_in(sql, params), fmt="Native"))

    def insert(self, table: str, types: Mapping[str, str], columns: Mapping[str, Column]) -> None:
        """As Store.insert, into a temporary table, whose columns and their types the caller knows."""
        rows, pieces = native_block(table, types, [columns])
        if rows:
            self._client.raw_insert(table, list(columns), cast(BinaryIO, Pieces(pieces)), _INSERT_SETTINGS, "Native")

    def command(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """As Store.command."""
        self._client.command(sql, parameters=_named_in(sql, params))

    @contextmanager
    def listed(self, name: str, texts: Sequence[str]) -> Iterator[None]:
        """Have `texts` as a temporary table of this name with one column, `value`, for lists of any length.

        As a parameter they would be part of the statement, and one of more than a megabyte takes minutes to be read.
        """
        self.command(f"CREATE OR REPLACE TEMPORARY TABLE {name} (value String)")
        self.insert(name, {"value": "String"}, {"value": texts})
        yield
        self.command(f"DROP TEMPORARY TABLE {name}")


class Store:
    """The tables of one data directory. Thread-safe. Close it, or use it as a context, to release the directory."""

    def __init__(self, path: Path | str, database: str = DATABASE) -> None:
        self.path = Path(path)
        self.database = database
        self._lock = RLock()
        self._client: Client | None = None
        self._types: dict[str, dict[str, str]] = {}
        self.path.mkdir(parents=True, exist_ok=True)
        with self._asking(database=None) as client:
            client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            client.database = database  # opening another client would take a quarter of a second

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> Rows:
        """Rows of one SELECT. `params` fill `{name:Type}` on the server's side. Raises UnableToQuery."""
        with self.session() as session:
            return session.query(sql, params)

    def command(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """Run one statement that answers nothing. Raises UnableToQuery."""
        with self.session() as session:
            session.command(sql, params)
        self._types.clear()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Several statements in a row, alone with the store. Raises UnableToQuery from inside; temporary tables are then gone."""
        with self._asking() as client:
            yield Session(client)

    @contextmanager
    def beside(self) -> Iterator[Session]:
        """As `session`, on a client of its own: for long work, beside whatever else is asked of the store meanwhile."""
        with self._asking():
            client = _open(self.path, self.database)
        try:
            yield Session(client)
        except clickhouse_connect.driver.exceptions.Error as error:
            raise UnableToQuery(_first_line(error), getattr(error, "code", None)) from error
        finally:
            client.close()

    def insert(self, table: str, columns: Mapping[str, Column]) -> int:
        """Append rows given as one block of columns, as `insert_blocks`."""
        return self.insert_blocks(table, [columns])

    def insert_blocks(self, table: str, blocks: Sequence[Mapping[str, Column]]) -> int:
        """Append rows given as blocks of the same columns, each of equal length; returns how many.

        A column may be a numpy array, a numpy masked array (masked = NULL), Words, Slices, Lists or a sequence
        (None = NULL).
        Names and units are the table's: `*_ms` are int64 milliseconds, `*_nano` int64 counts of 10⁻⁹. Raises UnknownTable for a
        name the table does not have, ValueOutOfRange for a number that does not fit (nothing is inserted then), UnableToQuery for
        what ClickHouse refuses.
        """
        types = self.column_types(table)
        for columns in blocks:
            _refuse_strangers(table, types, columns)
        rows, pieces = native_block(table, types, blocks)
        if rows:
            body = cast(BinaryIO, Pieces(pieces))  # nothing but read() is asked of it
            with self._asking() as client:
                client.raw_insert(f"`{table}`", list(blocks[0]), body, _INSERT_SETTINGS, "Native")
        return rows

    def column_types(self, table: str) -> dict[str, str]:
        """The stored columns of a table (no aliases) and their ClickHouse types, in table order. Raises UnknownTable."""
        with self._lock:
            if table not in self._types:
                found = self.query(
                    "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String} "
                    "AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position",
                    {"database": self.database, "table": table},
                )
                if not found.rows:
                    raise UnknownTable(f"there is no table {table} in {self.path}; has the store been migrated?")
                self._types[table] = dict(found.rows)
            return self._types[table]

    def close(self) -> None:
        """Release the directory. The store opens it again when asked something."""
        with self._lock:
            self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _asking(self, database: str | None = "") -> Iterator[Client]:
        """The client, alone with it; whatever is raised meanwhile costs the client its life."""
        with self._lock:
            if self._client is None:
                self._client = _open(self.path, self.database if database == "" else database)
            try:
                yield self._client
            except BaseException as error:
                self._discard()
                if isinstance(error, clickhouse_connect.driver.exceptions.Error):
                    raise UnableToQuery(_first_line(error), getattr(error, "code", None)) from error
                raise

    def _discard(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _refuse_strangers(table: str, types: Mapping[str, str], columns: Iterable[str]) -> None:
    strangers = [name for name in columns if name not in types]
    if strangers:
        raise UnknownTable(f"{table} has no column {', '.join(strangers)}; it has {', '.join(types)}")


def _open(path: Path, database: str | None) -> Client:
    try:
        return clickhouse_connect.get_client(interface="chdb", path=str(path), database=database, tz_mode="aware")
    except clickhouse_connect.driver.exceptions.Error as error:
        text = str(error)
        if "EmbeddedServer" in text or "Unable to open the chdb engine" in text:
            raise StoreIsOwned(
                f"{path} is open in another process (or this process has another store open: chDB allows one directory a "
                "process and one process a directory). Stop that process, or send the command to it."
            ) from error
        raise


def _named_in(sql: str, params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The parameters that the statement has as `{name:Type}`. Given any others, the client would take each % for a place to fill."""
    return {name: value for name, value in (params or {}).items() if f"{{{name}:" in sql} or None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
