"""The tables of a rating, each filled by one planning of its statement.

To plan a statement takes longer than to run it, and `CREATE TABLE … AS SELECT` plans it twice: for its columns, and for its rows. The
columns follow from the statement and from those of the tables it reads, so they are learnt the first time, and from then on the table is
made of them and filled by an `INSERT`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors.clickhouse import Session
from meterfold.billing.steps import Rows, Step

_MAKES: Final = re.compile(r"^CREATE OR REPLACE TEMPORARY TABLE (\w+) AS$", re.MULTILINE)

_COLUMNS: Final[dict[tuple[str, ...], str]] = {}
"""Of the table that a statement makes, by that statement and the columns of the tables of sql/billing that it names."""

_EMPTY: Final[dict[str, str]] = {}
"""Columns of a step that has been made before, for when it has no rows."""


class Tables:
    """The tables of one rating in one session, made in the order of their steps."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._there = Rows(session)
        self._columns: dict[str, str] = {}

    def make(self, step: Step, params: Mapping[str, Any]) -> None:
        """Make a step's table from those before it. Raises UnableToQuery."""
        if step.need and step.name in _EMPTY and not self._there.any_of(step.need):
            self._create(step.name, _EMPTY[step.name])
            self._there.is_empty(step.name)
            return
        statement = step.statement(self._there)
        key = (statement, *(self._columns[name] for name in step.reads))
        if key in _COLUMNS:
            self._create(step.name, _COLUMNS[key])
            self._session.command(_MAKES.sub(r"INSERT INTO \1", statement), params)
            return
        self._session.command(statement, params)
        found = self._session.query(f"DESCRIBE TABLE {step.name}").rows
        columns = ", ".join(f"`{name}` {kind}" for name, kind, *_ in found)
        self._columns[step.name] = _COLUMNS[key] = _EMPTY[step.name] = columns

    def _create(self, table: str, columns: str) -> None:
        self._session.command(f"CREATE OR REPLACE TEMPORARY TABLE {table} ({columns})")
        self._columns[table] = columns
