"""Two bodies of one object, compared field by field: what a person reads before a load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from meterfold.portfolio.calendar import iso_utc

ABSENT: Final = "—"
_IDENTITY: Final = ("supply_point", "register", "channel", "role", "version", "name")
_WIDEST: Final = 100


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `versions[2].standing_per_day`, its old and its new value; `ABSENT` where there is none."""

    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        if self.field == "calendar_sha256":
            return "calendar: that of its site, which has changed"
        if self.field.endswith("utc_offsets") and isinstance(self.old, list) and isinstance(self.new, list):
            first = next((pair for pair in zip(self.old, self.new, strict=False) if pair[0] != pair[1]), None)
            since = f", different from {iso_utc(min(first[0][0], first[1][0]))}" if first else ""
            return f"{self.field}: {len(self.old)} rows -> {len(self.new)} rows{since}"
        if isinstance(self.old, list) and isinstance(self.new, list) and not self.field.endswith(".order"):
            gone = [f"-{item}" for item in self.old if item not in self.new]
            come = [f"+{item}" for item in self.new if item not in self.old]
            return f"{self.field}: {_cut(' '.join([*gone, *come]))}"
        return f"{self.field}: {shown(self.field, self.old)} -> {shown(self.field, self.new)}"


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[FieldChange]:
    """Every field that differs, in the order of the old body. Lists of objects are compared by the objects' names."""
    return list(_compare("", old, new))


def _compare(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _compare(f"{path}.{key}" if path else key, old.get(key, ABSENT), new.get(key, ABSENT))
    elif _are_objects(old) and _are_objects(new):
        before, after = _named(old), _named(new)
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _compare(f"{path}[{name}]", before.get(name, ABSENT), after.get(name, ABSENT))
        if set(before) == set(after) and list(before) != list(after):
            yield FieldChange(f"{path}.order", list(before), list(after))
    else:
        yield FieldChange(path, old, new)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _named(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Objects by what names them, or else by their place from 1; the second of a name is `name#2`."""
    seen: Counter[str] = Counter()
    named = {}
    for place, item in enumerate(items, start=1):
        name = "/".join(str(item[key]) for key in _IDENTITY if key in item) or str(place)
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name}#{seen[name]}"] = item
    return named


def shown(field: str, value: Any) -> str:
    """A value for people: instants as UTC, objects without their empty fields, long ones cut."""
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool) and field.endswith("_ms"):
        return iso_utc(value)
    if isinstance(value, dict):
        parts = (f"{key} {shown(key, item)}" for key, item in value.items() if item not in (None, [], {}))
        return _cut(", ".join(parts))
    if isinstance(value, list):
        return _cut(", ".join(shown("", item) for item in value)) or "none"
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
