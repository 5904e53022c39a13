"""Billing events to rows: what each record type of the billing log becomes in which table.

The record shapes (all have `v` 1 and `type`; numbers that are money or quantities are text):

- `reference`   kind, id, version, body, ended (null, or reason and optionally `withdrawn`)
- `run_opened`  run_id, legal_entity, account ("" = all), frontier [[partition, next offset, known_at_ms], …], billing_offset,
                rule_version, as_of_ms, lease_until_ms
- `line`        the columns of `bill_lines` up to `amount`
- `run_closed`  run_id, lines, total {currency: amount}
- `issued`      the columns of `bill_issued` up to `issued_ms`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import orjson

VERSION: Final = 1

LINE_TEXT: Final = (
    "line_id", "document_id", "run_id", "legal_entity", "account", "kind", "element", "supply_point", "channel", "tariff",
    "tariff_version", "band", "currency", "unit",
)  # fmt: skip
LINE_DAYS: Final = ("period_from", "period_to", "service_from", "service_to")
LINE_NUMBERS: Final = (
    "rate", "quantity_should", "quantity_was", "quantity", "quantity_estimated", "amount_should", "amount_was", "amount",
)  # fmt: skip


class UnableToProject(ValueError):
    """The billing log holds a record that this version does not know, or that is not one; nothing was stored of it or after it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the billing log."""

    offset: int
    append_ms: int
    payload: bytes


Row = tuple[str, dict[str, Any]]
"""A table and the values of one row of it."""


def row_of(place: Place) -> Row:
    """The row that a record becomes. Raises UnableToProject."""
    try:
        record = orjson.loads(place.payload)
        if record.get("v") != VERSION:
            raise UnableToProject(
                f"the billing record at {place.offset} has version {record.get('v')!r}, this program knows 1"
            )
        make = _MAKERS.get(record.get("type"))
        if make is None:
            raise UnableToProject(
                f"the billing record at {place.offset} is of type {record.get('type')!r}, which is unknown"
            )
        return make(record, place)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise UnableToProject(f"the billing record at {place.offset} is not one: {error!r}") from error


def _reference(record: Mapping[str, Any], place: Place) -> Row:
    ended = record.get("ended")
    return "reference_objects", {
        "kind": record["kind"],
        "id": record["id"],
        "version": record["version"],
        "body": orjson.dumps(record["body"], option=orjson.OPT_SORT_KEYS).decode(),
        "ended_reason": ended["reason"] if ended else None,
        "is_withdrawn": bool(ended and ended.get("withdrawn")),
        "billing_offset": place.offset,
        "appended_ms": place.append_ms,
    }


def _run_opened(record: Mapping[str, Any], place: Place) -> Row:
    frontier = record["frontier"]
    return "bill_runs", {
        "run_id": record["run_id"],
        "legal_entity": record["legal_entity"],
        "account": record["account"],
        "frontier_partitions": [row[0] for row in frontier],
        "frontier_offsets": [row[1] for row in frontier],
        "frontier_known_at_ms": [row[2] for row in frontier],
        "known_billing_offset": record["billing_offset"],
        "rule_version": record["rule_version"],
        "as_of_ms": record["as_of_ms"],
        "lease_until_ms": record["lease_until_ms"],
        "billing_offset": place.offset,
    }


def _line(record: Mapping[str, Any], place: Place) -> Row:
    return "bill_lines", {
        **{name: record[name] for name in LINE_TEXT},
        **{name: date.fromisoformat(record[name]) for name in LINE_DAYS},
        **{name: record[name] for name in LINE_NUMBERS},
        "position": record["position"],
        "payload": place.payload,
        "billing_offset": place.offset,
    }


def _run_closed(record: Mapping[str, Any], place: Place) -> Row:
    currencies = sorted(record["total"])
    return "bill_run_closed", {
        "run_id": record["run_id"],
        "lines": record["lines"],
        "currencies": currencies,
        "totals": [Decimal(record["total"][currency]) for currency in currencies],
        "billing_offset": place.offset,
    }


def _issued(record: Mapping[str, Any], place: Place) -> Row:
    names = (
        "document_id", "legal_entity", "series", "number", "document_number", "kind", "account", "run_id", "currency", "total",
        "lines_sha256", "corrects", "issued_ms",
    )  # fmt: skip
    return "bill_issued", {
        **{name: record[name] for name in names},
        "period_from": date.fromisoformat(record["period_from"]),
        "period_to": date.fromisoformat(record["period_to"]),
        "billing_offset": place.offset,
    }


_MAKERS: Final[dict[str, Callable[[Mapping[str, Any], Place], Row]]] = {
    "reference": _reference,
    "run_opened": _run_opened,
    "line": _line,
    "run_closed": _run_closed,
    "issued": _issued,
}


def encode(record: Mapping[str, Any]) -> bytes:
    """A record as it is appended: compact JSON, keys sorted, so that the same record has the same bytes and hash."""
    return orjson.dumps(dict(record), option=orjson.OPT_SORT_KEYS)


def decimal_text(number: Decimal, places: int = 0) -> str:
    """A number in plain notation, without zeros at the end beyond `places` decimal places."""
    text = f"{number:f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
