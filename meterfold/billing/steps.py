"""The steps of a rating: the tables of sql/billing in order, and what of them need not be planned.

To plan a statement takes longer than to run it. So a file may say of which rows of a step before its table, or a part of it, is made:

    -- Nothing without rating_tiles.
    -- Nothing without rating_prices WHERE kind = 'demand'.

In the head of the file it is said of the table, which is made empty when there is no such row; below a `UNION ALL` that begins a line,
of the branch that follows, which is then left out. The first branch always stays. A statement must be right without this, too.

A file declares the columns of its table: else ClickHouse would plan the statement twice, once to find them out.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Final, NamedTuple

from connectors.clickhouse import Session
from connectors.clickhouse_schema import ordered, sql_files
from meterfold.store import sql_folder

_NEED: Final = re.compile(r"-- Nothing without (.+)\.\n")
_DECLARED: Final = re.compile(
    r"^CREATE OR REPLACE TEMPORARY TABLE \w+\n\(\n.+?\n\)(?=\nAS\n)", re.MULTILINE | re.DOTALL
)
_BETWEEN: Final = "\nUNION ALL\n"


class Step(NamedTuple):
    """A table. `empty`: what makes it without rows; `need`: rows without which it has none, or ""; `branches`: of the statement that
    fills it, each with its need; `reads`: other steps."""

    name: str
    empty: str
    need: str
    branches: tuple[tuple[str, str], ...]
    reads: tuple[str, ...] = ()

    def statement(self, there: Rows) -> str:
        """What makes the table from those before it, without what has nothing to do."""
        if self.need and not there.any_of(self.need):
            there.is_empty(self.name)
            return self.empty
        return _BETWEEN.join(text for text, need in self.branches if not need or there.any_of(need))


class Rows:
    """Whether steps have rows of a kind; asked once each, as a step does not change any more when a later one is made."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[str, bool] = {}

    def any_of(self, need: str) -> bool:
        """`need`: a table, or a table and a condition."""
        if need not in self._found:
            self._found[need] = bool(self._session.query(f"SELECT 1 FROM {need} LIMIT 1").rows)
        return self._found[need]

    def is_empty(self, table: str) -> None:
        """A table is made without any."""
        self._found[table] = False


@cache
def steps() -> tuple[Step, ...]:
    """In an order in which each stands after those it names."""
    files = sql_files(sql_folder() / "billing")
    return tuple(_step(name, files[name], files) for name in ordered(files))


@cache
def last_uses() -> dict[str, tuple[str, ...]]:
    """Of each step the tables that no later one reads or asks about, itself included where none does."""
    last = {step.name: step.name for step in steps()}
    for step in steps():
        needs = " ".join((step.need, *(need for _, need in step.branches)))
        last |= dict.fromkeys((*step.reads, *(set(re.findall(r"\w+", needs)) & set(last))), step.name)
    return {step.name: tuple(table for table, user in last.items() if user == step.name) for step in steps()}


def _step(name: str, text: str, names: Collection[str]) -> Step:
    declared = _DECLARED.search(text)
    if declared is None:
        raise ValueError(f"sql/billing/{name}.sql does not declare the columns of its table")
    first, *others = text.split(_BETWEEN)
    head = _NEED.search(first)
    branches = [(first, "")]
    for other in others:
        found = _NEED.match(other)
        branches.append((other, found[1] if found else ""))
    words = set(re.findall(r"\w+", re.sub(r"--[^\n]*", "", text)))
    return Step(name, declared[0], head[1] if head else "", tuple(branches), tuple(sorted(words & set(names) - {name})))
