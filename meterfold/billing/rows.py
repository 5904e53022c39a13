"""Billing events to rows: what each record type of the billing log becomes in which table.

The record shapes are in `shapes`, and in contracts/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson

from connectors.codec import UnableToDecode, check_shape
from meterfold.billing.reference_rows import rows_of_reference
from meterfold.billing.shapes import BODIES, LINE_DAYS, LINE_EMPTY, LINE_NOTHING, LINE_NUMBERS, LINE_TEXT, SHAPES

VERSION: Final = 1


class UnableToProject(ValueError):
    """The billing log holds a record that this version does not know, or that is not one. The message says where, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the billing log."""

    offset: int
    append_ms: int
    payload: bytes


Row = tuple[str, dict[str, Any]]
"""A table and the values of one row of it."""


def rows_of(place: Place) -> list[Row]:
    """All rows that a record becomes: its own, and for reference data what its body says. Raises UnableToProject and nothing else."""
    table, row = row_of(place)
    return [(table, row), *(rows_of_reference(table, row) if table in ("reference_objects", "tariff_changes") else ())]


def row_of(place: Place) -> Row:
    """The row that a record becomes, with values that its table takes. Raises UnableToProject and nothing else."""
    where = f"the billing record at {place.offset}"
    try:
        record = orjson.loads(place.payload)
    except orjson.JSONDecodeError as error:
        raise UnableToProject(f"{where} is not one: {error}") from error
    if not isinstance(record, dict):
        raise UnableToProject(f"{where} is not one, but {record!r:.60}")
    kind = record.get("type")
    if type(record.get("v")) is not int or record["v"] != VERSION:
        raise UnableToProject(f"{where} has version {record.get('v')!r:.60}, this program knows {VERSION}")
    if not isinstance(kind, str) or kind not in SHAPES:
        raise UnableToProject(f"{where} is of type {kind!r:.60}, which is unknown")
    try:
        check_shape(record, SHAPES[kind], kind)
        if kind == "reference":
            check_shape(record["body"], BODIES.get(record["kind"], {}), record["kind"])
        return _MAKERS[kind](record, place)
    except (UnableToDecode, orjson.JSONEncodeError) as error:
        raise UnableToProject(f"{where} is not one: {error}") from error


def _reference(record: Mapping[str, Any], place: Place) -> Row:
    ended = record.get("ended")
    return "reference_objects", {
        "kind": record["kind"],
        "id": record["id"],
        "version": record["version"],
        "body": orjson.dumps(record["body"], option=orjson.OPT_SORT_KEYS).decode(),
        "ended_reason": ended["reason"] if ended else None,
        "ended_at": ended.get("at", "") if ended else "",
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


def line_in_full(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of a line with what it leaves out because it follows from the rest."""
    document_id = "/".join(record[name] for name in ("run_id", "account", "period_from", "currency"))
    return {
        **dict.fromkeys(LINE_EMPTY, ""),
        **dict.fromkeys(LINE_NOTHING, "0"),
        "document_id": document_id,
        "line_id": f"{document_id}/{record['position']}",
        "service_from": record["period_from"],
        "service_to": record["period_to"],
        "quantity_should": record["quantity"],
        "amount_should": record["amount"],
        **record,
    }


def _line(short: Mapping[str, Any], place: Place) -> Row:
    record = line_in_full(short)
    withheld = record.get("withheld") or {"reason": "", "bearer": ""}
    return "bill_lines", {
        **{name: record[name] for name in LINE_TEXT},
        **{name: date.fromisoformat(record[name]) for name in LINE_DAYS},
        **{name: record[name] for name in LINE_NUMBERS},
        "position": record["position"],
        "tax_point": date.fromisoformat(record["tax_point"]) if record.get("tax_point") else None,
        "tax_remainder": record["tax_remainder"],
        "is_withheld": "withheld" in record,
        "withheld_reason": withheld["reason"],
        "withheld_bearer": withheld["bearer"],
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
    on = record.get("issued_on")
    issued_on = date.fromisoformat(on) if on else day_of(record["issued_ms"])
    return "bill_issued", {
        **{name: record[name] for name in names},
        "period_from": date.fromisoformat(record["period_from"]),
        "period_to": date.fromisoformat(record["period_to"]),
        # records from before there were books have neither
        "issued_on": issued_on,
        "accounting_period": record.get("accounting_period") or f"{issued_on:%Y-%m}",
        "billing_offset": place.offset,
    }


def _accrued(record: Mapping[str, Any], place: Place) -> Row:
    frontier, lines = record["frontier"], record["lines"]
    names = ("legal_entity", "period", "as_of_ms", "rule_version", "person", "booked_ms", "accounting_period")
    return "bill_accruals", {
        **{name: record[name] for name in names},
        "frontier_partitions": [row[0] for row in frontier],
        "frontier_offsets": [row[1] for row in frontier],
        "frontier_known_at_ms": [row[2] for row in frontier],
        "known_billing_offset": record["billing_offset"],
        "accounts": [line["account"] for line in lines],
        "currencies": [line["currency"] for line in lines],
        "nets": [Decimal(line["net"]) for line in lines],
        "taxes": [Decimal(line["tax"]) for line in lines],
        "billing_offset": place.offset,
    }


def _period_closed(record: Mapping[str, Any], place: Place) -> Row:
    frontier, extracts = record["frontier"], record["extracts"]
    return "bill_periods_closed", {
        **{name: record[name] for name in ("legal_entity", "period", "lines", "sha256", "person", "booked_ms")},
        "frontier_partitions": [row[0] for row in frontier],
        "frontier_offsets": [row[1] for row in frontier],
        "frontier_known_at_ms": [row[2] for row in frontier],
        "known_billing_offset": record["billing_offset"],
        "extract_names": [item["name"] for item in extracts],
        "extract_rows": [item["rows"] for item in extracts],
        "extract_sha256": [item["sha256"] for item in extracts],
        "billing_offset": place.offset,
    }


def _tariff_change(record: Mapping[str, Any], place: Place) -> Row:
    action = record["action"]
    for name, needed_by in (("body", "drafted"), ("scope", "staged")):
        if (name in record) != (action == needed_by):
            raise UnableToDecode(f"tariff_change: {name} goes with {needed_by}, and this is {action}")
    if "body" in record:
        check_shape(record["body"], BODIES["tariff"], "tariff")
    scope = record.get("scope", {})
    return "tariff_changes", {
        **{name: record[name] for name in ("tariff", "edition", "action", "person", "reason", "booked_ms")},
        "body": orjson.dumps(record["body"], option=orjson.OPT_SORT_KEYS).decode() if "body" in record else "",
        "sites": scope.get("sites", []),
        "tenancies": scope.get("tenancies", []),
        "billing_offset": place.offset,
    }


def _released(record: Mapping[str, Any], place: Place) -> Row:
    names = ("document_id", "legal_entity", "rules", "person", "reason", "booked_ms")
    return "bill_released", {**{name: record[name] for name in names}, "billing_offset": place.offset}


def _payment(record: Mapping[str, Any], place: Place) -> Row:
    names = (
        "payment_id",
        "legal_entity",
        "account",
        "currency",
        "amount",
        "reference",
        "person",
        "booked_ms",
        "accounting_period",
    )
    return "account_payments", {
        **{name: record[name] for name in names},
        "received_on": date.fromisoformat(record["received_on"]),
        "allocated_numbers": [item["document_number"] for item in record["allocations"]],
        "allocated_amounts": [Decimal(item["amount"]) for item in record["allocations"]],
        "reverses": record.get("reverses", ""),
        "billing_offset": place.offset,
    }


def _entry(record: Mapping[str, Any], place: Place) -> Row:
    names = (
        "entry_id", "legal_entity", "account", "kind", "currency", "amount", "concerns", "person", "reason", "booked_ms",
        "accounting_period",
    )  # fmt: skip
    return "account_entries", {
        **{name: record[name] for name in names},
        "booked_on": date.fromisoformat(record["on"]),
        "reverses": record.get("reverses", ""),
        "billing_offset": place.offset,
    }


def _dispute(record: Mapping[str, Any], place: Place) -> Row:
    names = ("dispute_id", "legal_entity", "account", "document_number", "state", "person", "reason", "booked_ms")
    return "bill_disputes", {
        **{name: record[name] for name in names},
        "amount": record.get("amount", "0"),
        "billing_offset": place.offset,
    }


_MAKERS: Final[dict[str, Callable[[Mapping[str, Any], Place], Row]]] = {
    "reference": _reference,
    "run_opened": _run_opened,
    "line": _line,
    "run_closed": _run_closed,
    "issued": _issued,
    "accrued": _accrued,
    "period_closed": _period_closed,
    "tariff_change": _tariff_change,
    "released": _released,
    "payment": _payment,
    "entry": _entry,
    "dispute": _dispute,
}


def day_of(instant_ms: int) -> date:
    """The UTC day of an instant, within what a Date holds."""
    return date(1970, 1, 1) + timedelta(days=min(max(instant_ms // 86_400_000, 0), 65_535))


def encode(record: Mapping[str, Any]) -> bytes:
    """A record as it is appended: compact JSON, keys sorted, so that the same record has the same bytes and hash."""
    return orjson.dumps(dict(record), option=orjson.OPT_SORT_KEYS)


def decimal_text(number: Decimal, places: int = 0) -> str:
    """A number in plain notation, without zeros at the end beyond `places` decimal places."""
    text = f"{number:f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
