"""What a billing record must look like, by type: the fields of contracts/README.md, each with a check that says whether a table takes it.

Whether its numbers are right is not judged here. Money and quantities are text, so that nothing ever made a float of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from connectors.codec import Check

LINE_TEXT: Final = (
    "line_id", "document_id", "run_id", "legal_entity", "account", "kind", "element", "supply_point", "channel", "tariff",
    "tariff_version", "band", "currency", "unit",
)  # fmt: skip
LINE_DAYS: Final = ("period_from", "period_to", "service_from", "service_to")
LINE_NUMBERS: Final = (
    "rate", "quantity_should", "quantity_was", "quantity", "quantity_estimated", "amount_should", "amount_was", "amount",
)  # fmt: skip
LINE_EMPTY: Final = ("supply_point", "channel", "tariff", "tariff_version", "band")
"""Texts that a record of a line leaves out where they are ""."""
LINE_NOTHING: Final = ("amount_was", "quantity_was", "quantity_estimated", "tax_remainder")
"""Numbers that it leaves out where they are 0."""
_LINE_FOLLOWS: Final = (
    "line_id", "document_id", "service_from", "service_to", "amount_should", "quantity_should", *LINE_EMPTY, *LINE_NOTHING,
)  # fmt: skip
"""All that it may leave out; `rows.line_in_full` says what they are then."""

_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
"""What a ClickHouse Date holds."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _like(pattern: str) -> Check:
    """Text that the pattern matches from end to end."""
    known = re.compile(pattern)
    return lambda value: isinstance(value, str) and known.fullmatch(value) is not None


def _between(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(digits: int, places: int) -> Check:
    """Text of a decimal with so many digits before the point and places after it, at most."""
    return _like(rf"-?[0-9]{{1,{digits}}}(\.[0-9]{{1,{places}}})?")


def _day(value: Any) -> bool:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return day.isoformat() == value and _FIRST_DAY <= day <= _LAST_DAY


def _day_or_none(value: Any) -> bool:
    return value is None or _day(value)


def _month(value: Any) -> bool:
    """A month, YYYY-MM."""
    return isinstance(value, str) and _day(f"{value}-01")


def _extract(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _name(value.get("name"))
        and _OFFSET(value.get("rows"))
        and _SHA256(value.get("sha256"))
    )


def _unbilled(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _name(value.get("account"))
        and _CURRENCY(value.get("currency"))
        and _AMOUNT(value.get("net"))
        and _AMOUNT(value.get("tax"))
    )


def _frontier(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, list) and len(row) == 3 and _PARTITION(row[0]) and _OFFSET(row[1]) and _INT64(row[2])
        for row in value
    )


def _totals(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_CURRENCY, value)) and all(map(_AMOUNT, value.values()))


def _ended(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    return _name(value.get("reason")) and _text(value.get("at", "")) and isinstance(value.get("withdrawn", False), bool)


def _scope(value: Any) -> bool:
    return isinstance(value, dict) and all(_list_of(_name)(value.get(key)) for key in ("sites", "tenancies"))


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _withheld(value: Any) -> bool:
    return isinstance(value, dict) and _name(value.get("reason")) and _name(value.get("bearer"))


def _optional(names: Sequence[str], shape: Mapping[str, Check]) -> dict[str, Check]:
    return {f"{name}?" if name in names else name: check for name, check in shape.items()}


def _allocation(value: Any) -> bool:
    return isinstance(value, dict) and _name(value.get("document_number")) and _AMOUNT(value.get("amount"))


_INT64 = _between(-(2**63), 2**63 - 1)
_OFFSET = _between(0, 2**63 - 1)
_PARTITION = _between(0, 2**16 - 1)
_UINT32 = _between(0, 2**32 - 1)
_SHA256 = _like("[0-9a-f]{64}")
_CURRENCY = _like("[A-Z]{3}")
_AMOUNT = _number(34, 4)
_QUANTITY = _number(26, 12)

SHAPES: Final[dict[str, dict[str, Check]]] = {
    "reference": {
        "kind": _name, "id": _name, "version": _INT64, "body": lambda value: isinstance(value, dict), "ended?": _ended,
    },
    "run_opened": {
        "run_id": _name, "legal_entity": _name, "account": _text, "frontier": _frontier, "billing_offset": _OFFSET,
        "rule_version": _name, "as_of_ms": _INT64, "lease_until_ms": _INT64,
    },
    "line": _optional(_LINE_FOLLOWS, {
        **dict.fromkeys(LINE_TEXT, _name),
        **dict.fromkeys(LINE_EMPTY, _text),
        **dict.fromkeys(LINE_DAYS, _day),
        **{name: _AMOUNT if name.startswith("amount") else _QUANTITY for name in LINE_NUMBERS},
        "rate": _number(29, 9), "position": _UINT32, "kind": _like("energy|tiers|demand|standing|minimum|maximum|percentage|contained|tax"),
        "currency": _CURRENCY, "tax_point?": _day_or_none, "withheld?": _withheld, "tax_remainder": _number(17, 21),
    }),
    "run_closed": {"run_id": _name, "lines": _UINT32, "total": _totals},
    "issued": {
        **dict.fromkeys(("document_id", "legal_entity", "series", "document_number", "account", "run_id"), _name),
        "kind": _like("invoice|credit_note"), "period_from": _day, "period_to": _day, "currency": _CURRENCY,
        "number": _between(1, 2**63 - 1), "total": _AMOUNT, "lines_sha256": _SHA256, "corrects": _list_of(_name),
        "issued_ms": _INT64, "issued_on?": _day, "accounting_period?": _month,
    },
    "accrued": {
        **dict.fromkeys(("legal_entity", "rule_version", "person"), _name), "period": _month, "frontier": _frontier,
        "billing_offset": _OFFSET, "as_of_ms": _INT64, "lines": _list_of(_unbilled), "booked_ms": _INT64, "accounting_period": _month,
    },
    "period_closed": {
        "legal_entity": _name, "period": _month, "lines": _between(0, 2**63 - 1), "sha256": _SHA256, "frontier": _frontier,
        "billing_offset": _OFFSET, "extracts": _list_of(_extract), "person": _name, "booked_ms": _INT64,
    },
    "tariff_change": {
        "tariff": _name, "edition": _between(1, 2**31 - 1), "action": _like("drafted|proposed|approved|staged|effective|withdrawn"),
        "body?": lambda value: isinstance(value, dict), "scope?": _scope, "person": _name, "reason": _name, "booked_ms": _INT64,
    },
    "released": {
        **dict.fromkeys(("document_id", "legal_entity", "person", "reason"), _name), "rules": _list_of(_name), "booked_ms": _INT64,
    },
    "payment": {
        **dict.fromkeys(("payment_id", "legal_entity", "account", "person"), _name), "currency": _CURRENCY, "amount": _AMOUNT,
        "received_on": _day, "reference": _text, "allocations": _list_of(_allocation), "reverses?": _name, "booked_ms": _INT64,
        "accounting_period": _month,
    },
    "entry": {
        **dict.fromkeys(("entry_id", "legal_entity", "account", "person", "reason"), _name),
        "kind": _like("goodwill|fee|deposit|write_off"), "currency": _CURRENCY, "amount": _AMOUNT, "on": _day, "concerns": _text,
        "reverses?": _name, "booked_ms": _INT64, "accounting_period": _month,
    },
    "dispute": {
        **dict.fromkeys(("dispute_id", "legal_entity", "account", "document_number", "person", "reason"), _name),
        "state": _like("opened|upheld|rejected|withdrawn"), "amount?": _AMOUNT, "booked_ms": _INT64,
    },
}  # fmt: skip
"""Per record type: field to check of its value; a name that ends in ? may be absent."""


def _dated(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and _day(item.get("from")) for item in value)


def _spans(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and _INT64(item.get("from_ms")) and _name(item.get("prices")) for item in value
    )


def _versions(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and _day(item.get("effective_from")) for item in value
    )


BODIES: Final[dict[str, dict[str, Check]]] = {
    "account": {"billing_from": _day, "opening_position?": _AMOUNT, "taxes?": _dated},
    "tax": {"rates": _dated},
    "series": {"step_s": _between(60, 86_400), "spans": _spans},
    "tenancy": {"from": _day, "to?": _day_or_none, "numbers?": _dated},
    "tariff": {"versions": _versions},
    "site": {"holidays?": _list_of(_day)},
}
"""Per kind of reference: the fields of its body that the ref_ views turn into days and numbers, where a bad one would fail every query."""
