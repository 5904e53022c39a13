"""The steps of a rating: the tables of sql/billing in order, and what of them need not be planned.

To plan a statement takes longer than to run it. So a file may say of which rows of a step before its table, or a part of it, is made:

    -- Nothing without rating_tiles.
    -- Nothing without rating_prices WHERE kind = 'demand'.

In the head of the file it is said of the table, which is made empty when there is no such row; below a `UNION ALL` that begins a line,
of the branch that follows, which is then left out. The first branch always stays: it gives the columns their names and types. A
statement must be right without this, too: the first of a process is run in any case.
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
_BETWEEN: Final = "\nUNION ALL\n"


class Step(NamedTuple):
    """A table. `need`: rows without which it has none, or ""; `branches`: of its statement, each with its need; `reads`: other steps."""

    name: str
    need: str
    branches: tuple[tuple[str, str], ...]
    reads: tuple[str, ...] = ()

    def statement(self, there: Rows) -> str:
        """What makes the table, without the branches that have nothing to do."""
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
        """A table has just been made without any."""
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
    first, *others = text.split(_BETWEEN)
    head = _NEED.search(first)
    branches = [(first, "")]
    for other in others:
        found = _NEED.match(other)
        branches.append((other, found[1] if found else ""))
    words = set(re.findall(r"\w+", re.sub(r"--[^\n]*", "", text)))
    return Step(name, head[1] if head else "", tuple(branches), tuple(sorted(words & set(names) - {name})))
