"""Issued documents as CSV or JSON for finance: every line of every document, amounts as exact text."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, Line, documents
from meterfold.billing.rows import decimal_text

Format = Literal["csv", "json"]

_HEAD: Final = (
    "number", "kind", "corrects", "legal_entity", "account", "party_id", "period_from", "period_to", "currency", "issued_at", "run_id",
    "rule_version", "lines_sha256",
)  # fmt: skip
_LINE: Final = tuple(item.name for item in fields(Line))
_MONEY: Final = frozenset(("amount_should", "amount_was", "amount", "net", "tax", "total", "withheld"))


def export_bills(store: Store, format: Format) -> str:
    """All issued documents, in order of series and number. CSV: one row a line, with its document in front; JSON: one object a document."""
    issued = sorted(
        documents(store, "documents.status = 'issued'"),
        key=lambda item: (item.legal_entity, len(item.number), item.number),
    )
    if format == "json":
        return json.dumps([_document(document) for document in issued], indent=2, ensure_ascii=False) + "\n"
    if format != "csv":
        raise ValueError(f"bills are exported as csv or json, not {format!r}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_HEAD, *_LINE))
    for document in issued:
        head = [_text(name, getattr(document, name), document.minor_digits) for name in _HEAD]
        for line in document.lines:
            writer.writerow((*head, *(_text(name, getattr(line, name), document.minor_digits) for name in _LINE)))
    return text.getvalue()


def _document(document: Document) -> dict[str, Any]:
    digits = document.minor_digits
    names = (*_HEAD, "net", "tax", "total", "withheld")
    body: dict[str, Any] = {name: _text(name, getattr(document, name), digits) for name in names if name != "corrects"}
    body["corrects"] = list(document.corrects)
    body["lines"] = [{name: _text(name, getattr(line, name), digits) for name in _LINE} for line in document.lines]
    return body


def _text(name: str, value: Any, digits: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return decimal_text(value, digits if name in _MONEY else 0)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)
