"""When a band or a `when` holds: months, days and minutes of the local day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from meterfold.billing.reference_rows.json_text import is_list_or_absent, items, mapping, text

_FROM: Final = re.compile(r"(([01][0-9]|2[0-3]):[0-5][0-9])?")
_TO: Final = re.compile(r"(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)?")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")


class Condition(NamedTuple):
    """Empty months or days are all of them; minutes count from local midnight; from > to wraps midnight."""

    months: list[int]
    days: list[str]
    from_minute: int
    to_minute: int


ALWAYS: Final = Condition([], [], 0, 24 * 60)


def condition_of(item: Any) -> Condition:
    """What the item stands for; of what cannot be read, nothing."""
    months = [month for month in items(mapping(item).get("months")) if type(month) is int and 1 <= month <= 12]
    days = [day for day in items(mapping(item).get("days")) if isinstance(day, str)]
    return Condition(months, days, _minute(text(item, "from"), 0), _minute(text(item, "to"), 24 * 60))


def is_time(item: Any) -> bool:
    """Whether months, days, from and to can be read; what is absent stands for all."""
    found = mapping(item)
    return (
        _FROM.fullmatch(text(item, "from")) is not None
        and _TO.fullmatch(text(item, "to")) is not None
        and all(is_list_or_absent(item, key) for key in ("months", "days"))
        and all(type(month) is int and 1 <= month <= 12 for month in items(found.get("months")))
        and all(isinstance(day, str) and day in _DAYS for day in items(found.get("days")))
    )


def condition_columns(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Side by side, as the view puts them together again."""
    return {
        "condition_months": [condition.months for condition in conditions],
        "condition_days": [condition.days for condition in conditions],
        "condition_from_minutes": [condition.from_minute for condition in conditions],
        "condition_to_minutes": [condition.to_minute for condition in conditions],
        # a holiday keeps its weekday unless some band of the list names holidays
        "names_holiday": any("holiday" in condition.days for condition in conditions),
        "has_times": any(condition[2:] != ALWAYS[2:] for condition in conditions),
    }


def _minute(clock: str, default: int) -> int:
    return int(clock[:2]) * 60 + int(clock[3:]) if clock and _TO.fullmatch(clock) else default
