"""A bill as a person reads it in a terminal."""

from datetime import date, timedelta
from decimal import Decimal

from rich import box
from rich.table import Table

from meterfold.billing.documents import CREDIT_NOTE, Document, Line
from meterfold.session import session


def show_document(document: Document) -> None:
    """Print one document: whose it is, its lines, its sums, and what it corrects."""
    out = session().out
    title = "CREDIT NOTE" if document.kind == CREDIT_NOTE else "INVOICE"
    number = document.number or f"draft {document.document_id}"
    out.print()
    out.print(f"[bold]{document.legal_entity_name or document.legal_entity}[/]   {title} [bold]{number}[/]")
    out.print(
        f"account {document.account}, party {document.party_id}   {_period(document.period_from, document.period_to)}"
    )
    if document.issued_at is not None:
        out.print(f"issued {document.issued_at:%Y-%m-%d %H:%M}Z")
    if document.corrects:
        out.print(f"corrects {', '.join(document.corrects)}, for the same period")
    out.print(_lines(document))
    for name, amount in (("net", document.net), ("tax", document.tax), ("total", document.total)):
        style = "bold" if name == "total" else ""
        out.print(f"{name:>8} {money(amount, document):>12} {document.currency}", style=style)
    estimated = sum((line.estimated_quantity for line in document.lines), Decimal(0))
    if estimated:
        whole = sum((line.quantity_should for line in document.lines if line.kind == "energy"), Decimal(0))
        share = f" ({estimated / whole:.1%} of the use)" if whole else ""
        out.print(
            f"Of this, {_estimated(document)} lie in intervals that were estimated in part or whole{share}.",
            style="dim",
        )


def _lines(document: Document) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("line", style="dim")
    table.add_column("what", overflow="fold")
    for name in (
        ("quantity", "rate", "was", "should be", "amount") if document.corrects else ("quantity", "rate", "amount")
    ):
        table.add_column(name, justify="right")
    whole = (document.period_from, document.period_to)
    for line in document.lines:
        amounts = [line.amount_was, line.amount_should, line.amount] if document.corrects else [line.amount]
        table.add_row(
            str(line.position),
            _what(line, whole),
            "" if line.kind == "tax" else quantity(line.quantity, line.unit),
            f"{trim(line.rate * 100)} %" if line.kind == "tax" else trim(line.rate),
            *(money(amount, document) for amount in amounts),
        )
    return table


def _what(line: Line, whole: tuple[date, date]) -> str:
    """What a line charges; its days only where they are not those of the bill."""
    if line.kind == "tax":
        return line.band or "tax"
    served = (line.service_from, line.service_to)
    span = "" if served == whole else f", {_period(*served)}"
    if line.kind == "standing":
        return f"standing charge {line.supply_point}{span}"
    return f"{line.supply_point} {line.channel} {line.band}{span}"


def _period(first: date, end: date) -> str:
    return f"{first:%d %b %Y} – {end - timedelta(days=1):%d %b %Y}"


def money(amount: Decimal, document: Document) -> str:
    """An amount with the decimals of its currency."""
    return f"{amount:,.{document.minor_digits}f}"


def quantity(number: Decimal, unit: str) -> str:
    """A quantity with its unit; days are counted."""
    return f"{trim(number)} {'days' if unit == 'day' and abs(number) != 1 else unit}"


def _estimated(document: Document) -> str:
    """What is estimated, by unit."""
    units = sorted({line.unit for line in document.lines if line.estimated_quantity})
    return " and ".join(
        quantity(sum((line.estimated_quantity for line in document.lines if line.unit == unit), Decimal(0)), unit)
        for unit in units
    )


def trim(number: Decimal) -> str:
    """Without trailing zeros, never in exponent form."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
