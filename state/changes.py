"""What has changed of a fold since it was last asked, found by looking; and a fold put together again from such changes.

The first change holds everything, each further one what is not as it was then: applied one after the other they give the fold as it was
when the last of them was taken, every table and every object. Nothing marks what it writes: tables are compared page by page with
their checksums (`pages.py`), and heads with what they were (`heads.py`), those of the supply points that the scalar step had hold of.
"""

import json
from typing import Any, NamedTuple

from state.calendar import Calendar
from state.fold import Fold
from state.heads import LINES, Head, Heads, restore_point
from state.packing import pack_fold, unpack_fold
from state.pages import ChangedPages, lay
from state.tables import Tables


class Change(NamedTuple):
    """What has changed, as bytes to be kept."""

    heads: bytes
    """Lines of JSON: the fold's own numbers and its new calendars, then those of `heads.py`. Compresses well."""
    pages: bytes
    """Packed pages (`pages.py`). Does not compress much further."""


class Changes:
    """Finds what has changed of one fold. Who keeps what it gives must keep all of it: it is not given again."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._pages = ChangedPages()
        self._heads = Heads()
        fold.touched.update(fold.points)

    def take(self, *, whole: bool = False) -> Change:
        """What has changed since the last time; everything at first, and if `whole`."""
        if whole:
            self._pages.forget()
        calendars, lines = self._heads.take(self.fold, whole=whole)
        own = json.dumps({**pack_fold(self.fold), "calendars": calendars}, sort_keys=True, separators=(",", ":"))
        return Change(b"\n".join([own.encode(), *lines]), self._pages.take(self.fold.tables))

    def know(self, heads: Heads) -> None:
        """Take the fold for known as it is now, with these heads: it has just been restored."""
        self._heads = heads
        self._pages.look(self.fold.tables)
        self.fold.touched.clear()


class Restoring:
    """A fold on its way back: `apply` its changes in order, the first of which holds everything, then `done`."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._own = b""
        self._calendars: list[Any] = []
        self._heads: dict[bytes, Head] = {}

    def apply(self, change: Change) -> None:
        """Go on to the state that a change was taken of; ValueError if it is not one."""
        own, *lines = change.heads.split(b"\n")
        self._own = own
        self._calendars += json.loads(own)["calendars"]
        for at in range(0, len(lines), LINES):
            name, configured, course = lines[at : at + LINES]
            self._heads[name] = Head(configured, course)
        self._tables = lay(change.pages, self._tables)

    def done(self) -> Changes:
        """The fold, and what finds its further changes."""
        fold = unpack_fold(json.loads(self._own))
        fold.tables = self._tables
        calendars = [Calendar(source) for source in self._calendars]
        heads = Heads()
        heads.remember_calendars(self._calendars)
        for name, head in self._heads.items():
            heads.remember(restore_point(fold, json.loads(name), head, calendars), head)
        changes = Changes(fold)
        changes.know(heads)
        return changes
