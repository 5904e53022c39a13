"""Documents as a story writes them: a heading, a line for each amount, the total. Cells stand two or more blanks apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from meterfold.billing.documents import Document, Line
from meterfold.billing.rating import Blocked

Row = tuple[str, ...]
_TAXES = ("tax", "contained")
_MONEY = (*_TAXES, "percentage", "minimum", "maximum")


def written(text: str) -> list[Row]:
    """The rows of a text; what follows a `#` is arithmetic for the reader."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [tuple(re.split(r"\s{2,}", line)) for line in lines if line]


def rows_of(documents: Iterable[Document], blocked: Iterable[Blocked] = ()) -> list[Row]:
    """What a run drafted, and what it could not bill."""
    rows = [row for document in documents for row in _document(document)]
    for block in blocked:
        where = "/".join(filter(None, (block.supply_point, block.channel)))
        rows.append(tuple(filter(None, ("blocked", block.account, str(block.period_from), block.reason, where))))
    return rows


def _document(document: Document) -> Iterable[Row]:
    heading = (document.account, f"{document.period_from} to {document.period_to}", document.kind.replace("_", " "))
    yield (*heading, f"corrects {' '.join(document.corrects)}") if document.corrects else heading
    for line in document.lines:
        yield _line(line, document)
    yield "total", f"{_money(document.total, document)} {document.currency}"


def _line(line: Line, document: Document) -> Row:
    cells = [_name(line, document)]
    if line.kind not in _MONEY:
        estimated = f", {_trim(line.estimated_quantity)} of it estimated" if line.estimated_quantity else ""
        cells.append(f"{_trim(line.quantity)} {line.unit}{estimated}")
    if line.kind not in ("minimum", "maximum"):
        cells.append(f"{_trim(line.rate * 100)} %" if line.kind in (*_TAXES, "percentage") else _trim(line.rate))
    if document.corrects:
        cells.append(f"{_money(line.amount_was, document)} → {_money(line.amount_should, document)}")
    cells.append(_money(line.amount, document))
    return (*cells, f"withheld, borne by {line.withheld_bearer}") if line.is_withheld else tuple(cells)


def _name(line: Line, document: Document) -> str:
    """What is charged, and its days where they are not those of the bill (the last one is inside)."""
    if line.kind in _TAXES:
        return line.band if line.kind == "tax" else f"{line.band} contained"
    name = " ".join(filter(None, (line.supply_point, line.band or "standing")))
    if (line.service_from, line.service_to) == (document.period_from, document.period_to):
        return name
    return f"{name} [{line.service_from:%d %b} – {line.service_to - timedelta(days=1):%d %b}]"


def _money(amount: Decimal, document: Document) -> str:
    return f"{amount:.{document.minor_digits}f}"


def _trim(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
