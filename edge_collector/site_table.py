"""A table of `site.toml`: what `profile_table` reads, and what only a site has — defaults, switches, and a guess at a misspelt key."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from edge_collector.profile_rules import Fault
from edge_collector.profile_table import Table


class SiteTable(Table):
    """Every reader returns null, or the default, when it has noted a fault."""

    def __init__(self, content: dict[str, Any], place: str, faults: list[Fault]) -> None:
        super().__init__(content, place, faults)
        self.place = place

    def has(self, key: str) -> bool:
        return key in self._content

    def allow(self, *keys: str) -> None:
        """Note every key that is none of these."""
        for key in self._content:
            if key not in keys:
                close = get_close_matches(key, keys, 1)
                known = ", ".join(sorted(keys))
                self.fault(
                    key, "means nothing here", f"write {close[0]}" if close else f"take it out; known are {known}"
                )

    def number(self, key: str, low: int, high: int, default: int) -> int:
        """An integer that may be left out."""
        found = self.integer(key, low, high, default)
        return default if found is None else found

    def name(self, key: str) -> str | None:
        """A text that may be left out."""
        return self.text(key) if self.has(key) else None

    def switch(self, key: str, default: bool) -> bool:
        """true or false; may be left out."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            self.fault(key, f"{value!r} is neither true nor false", "write one of them, without quotes")
            return default
        return value

    def names(self, key: str) -> list[str]:
        """A list of texts; empty when the key is not there."""
        values = self.values(key)
        if not all(isinstance(value, str) for value in values):
            self.fault(key, "is no list of texts", 'write it like ["active_import"]')
            return []
        return values

    def section(self, key: str) -> SiteTable:
        """A table that may be left out: then it is empty."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            self.fault(key, "is no table", f"write [{self._at(key)}] and its keys below")
            value = {}
        return SiteTable(value, self._at(key), self._faults)

    def sections(self, key: str) -> Iterator[SiteTable]:
        """Each table of a list. Places count from 1."""
        for number, value in enumerate(self.values(key), 1):
            place = f"{key}[{number}]"
            if isinstance(value, dict):
                yield SiteTable(value, self._at(place), self._faults)
            else:
                self.fault(place, "is no table", f"write [[{self._at(key)}]] and its keys below")
