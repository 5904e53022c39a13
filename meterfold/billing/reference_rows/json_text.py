"""Values of a JSON body, whatever shape somebody gave them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

SIGNED: Final = re.compile(r"-?[0-9]{1,9}([.][0-9]{1,9})?")
UNSIGNED: Final = re.compile(r"[0-9]{1,9}([.][0-9]{1,9})?")
BOUND: Final = re.compile(r"[0-9]{1,12}([.][0-9]{1,9})?")
STEP: Final = re.compile(r"[0-9]{1,9}([.][0-9]{1,4})?")
"""What amounts are rounded to."""

MODES: Final = ("half_up", "half_even", "down", "up")

ZEROS: Final = re.compile(r"(\.[0-9]*?)0+\Z")

_INT64: Final = 2**63


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or nothing where it is no object."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value, or nothing where it is no list."""
    return value if isinstance(value, list) else []


def text(holder: Any, key: str) -> str:
    """The text under a key: '' where there is none, '?' where it is no text (a number may have been a float on the way)."""
    value = mapping(holder).get(key)
    return value if isinstance(value, str) else "" if value is None else "?"


def text_or(holder: Any, key: str, default: str) -> str:
    """As `text`, with a default for what is absent."""
    return default if mapping(holder).get(key) is None else text(holder, key)


def loose_text(value: Any) -> str:
    """Text, or a number or whatever it is as text: fields from before numbers had to be text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return raw(value)


def raw(value: Any) -> str:
    """A value as JSON again."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def whole(holder: Any, key: str) -> int:
    """The integer under a key, 0 where there is none that 64 bits hold."""
    value = mapping(holder).get(key)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_INT64 <= value < _INT64:
        return 0
    return int(value)


def without_zeros(number: str) -> str:
    """Without trailing zeros: 0.050 and 0.05 are the same."""
    return ZEROS.sub(r"\1", number, count=1).removesuffix(".")


def number_or_zero(number: str, form: re.Pattern[str] = SIGNED) -> str:
    """A number in a form that its column holds; one that cannot be read is 0."""
    return number if form.fullmatch(number) else "0"


def is_zero(number: str) -> bool:
    """Of a text that is a number."""
    return not number.strip("0.")


def is_list_or_absent(holder: Any, key: str) -> bool:
    return isinstance(mapping(holder).get(key), list | None)


class Rounding:
    """`round` of a charge or tax: what amounts are rounded to, and how."""

    def __init__(self, holder: Any) -> None:
        found = mapping(holder).get("round")
        self.is_given = found is not None
        self.to = text(found, "to") if self.is_given else "1"
        mode = mapping(found).get("mode")
        self.mode = "half_up" if mode is None else loose_text(mode)

    @property
    def is_misread(self) -> bool:
        return self.is_given and (not STEP.fullmatch(self.to) or is_zero(self.to) or self.mode not in MODES)

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "has_rounding": self.is_given,
            "round_to": number_or_zero(self.to, UNSIGNED),
            "round_mode": self.mode,
        }
