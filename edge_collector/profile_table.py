"""A TOML table, read key by key: what is not as it should be is noted with its place, and reading goes on."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from edge_collector.profile_rules import Fault

_Choice = TypeVar("_Choice", bound=StrEnum)
_REQUIRED: Final = object()


class Table:
    """One table of a file. Every reader returns null when it has noted a fault."""

    def __init__(self, content: dict[str, Any], place: str, faults: list[Fault], fallback: Table | None = None) -> None:
        self._content = content
        self._place = place
        self._faults = faults
        self._fallback = fallback

    def falling_back_on(self, other: Table | None) -> Table:
        """The same table; keys that it does not have are looked for in the other."""
        return Table(self._content, self._place, self._faults, other)

    def fault(self, key: str, wrong: str, do: str) -> None:
        self._faults.append(Fault(self._at(key), wrong, do))

    def allow(self, *keys: str) -> None:
        """Note every key that is none of these."""
        for key in self._content:
            if key not in keys:
                self.fault(key, "means nothing here", f"take it out, or write one of {', '.join(sorted(keys))}")

    def integer(self, key: str, low: int, high: int, default: object = _REQUIRED) -> int | None:
        """`low` to `high`, both inclusive."""
        value = self._get(key, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault(key, f"{value!r} is no integer from {low} to {high}", "write one")
            return None
        return value

    def address(self, key: str) -> int | None:
        """As on the wire, 0-based."""
        return self.integer(key, 0, 0xFFFF)

    def function(self) -> int | None:
        return self.integer("function", 3, 4)

    def text(self, key: str) -> str | None:
        value = self._get(key)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self.fault(key, f"{value!r} is no text", "write some between quotes")
            return None
        return value

    def decimal(self, key: str) -> Decimal | None:
        """An exact decimal number; a TOML float would not be one."""
        value = self._get(key)
        if value is None:
            return None
        try:
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise InvalidOperation
            number = Decimal(value)
        except InvalidOperation:
            self.fault(key, f"{value!r} is no exact decimal number", 'write it as text, like "0.01"')
            return None
        if not number.is_finite() or number <= 0:
            self.fault(key, f"{value} is not above zero", "write a positive number")
            return None
        return number

    def choice(self, key: str, kind: type[_Choice], default: object = _REQUIRED) -> _Choice | None:
        value = self._get(key, default)
        if value is None:
            return None
        if value not in set(kind):
            self.fault(key, f"{value!r} is not known", f"write one of {', '.join(kind)}")
            return None
        return kind(value)

    def hexadecimal(self, key: str) -> bytes | None:
        value = self.text(key)
        if value is None:
            return None
        try:
            return bytes.fromhex(value)
        except ValueError:
            self.fault(key, "holds other characters than hexadecimal digits and blanks", "write pairs of digits")
            return None

    def values(self, key: str) -> list[Any]:
        """A list of anything; empty when the key is not there."""
        value = self._get(key, [])
        if not isinstance(value, list):
            self.fault(key, "is no list", "write it between [ and ]")
            return []
        return value

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts."""
        value = self._get(key)
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            if value is not None:
                self.fault(key, "is no table of texts", 'write it like { active_import = "12.3" }')
            return {}
        return cast(dict[str, str], value)

    def table(self, key: str, required: bool = True) -> Table | None:
        value = self._get(key, _REQUIRED if required else None)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fault(key, "is no table", f"write [{self._at(key)}] and its keys below")
            return None
        return Table(value, self._at(key), self._faults)

    def tables(self, key: str, required: bool = True) -> Iterator[tuple[str, Table]]:
        """(name, table) of each table in a table."""
        outer = self.table(key, required)
        if outer is None:
            return
        for name in outer._content:
            inner = outer.table(name)
            if inner is not None:
                yield name, inner

    def list_of_tables(self, key: str) -> Iterator[Table]:
        """Each table of a list; none when the key is not there. Places count from 1."""
        for number, value in enumerate(self.values(key), 1):
            place = f"{key}[{number}]"
            if isinstance(value, dict):
                yield Table(value, self._at(place), self._faults)
            else:
                self.fault(place, "is no table", f"write [[{key}]] and its keys below")

    def _get(self, key: str, default: object = _REQUIRED) -> Any:
        if key in self._content:
            return self._content[key]
        if self._fallback is not None and key in self._fallback._content:
            return self._fallback._content[key]
        if default is not _REQUIRED:
            return default
        self.fault(key, "is missing", "add it")
        return None

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key
