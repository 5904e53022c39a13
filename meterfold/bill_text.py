"""A bill as a person reads it in a terminal."""

from datetime import date, timedelta
from decimal import Decimal

from rich import box
from rich.table import Table

from meterfold.billing.documents import CREDIT_NOTE, Document, Line
from meterfold.session import session

_ON_MONEY = ("tax", "contained", "percentage", "minimum", "maximum")
_USES = ("energy", "tiers", "demand")


def show_document(document: Document) -> None:
    """Print one document: whose it is, its lines, its sums, and what it corrects."""
    out = session().out
    title = "CREDIT NOTE" if document.kind == CREDIT_NOTE else "INVOICE"
    number = document.number or ("preview" if document.status == "preview" else f"draft {document.document_id}")
    out.print()
    out.print(f"[bold]{document.legal_entity_name or document.legal_entity}[/]   {title} [bold]{number}[/]")
    out.print(
        f"account {document.account}, party {document.party_id}   {_period(document.period_from, document.period_to)}"
    )
    if document.issued_at is not None:
        out.print(f"issued {document.issued_at:%Y-%m-%d %H:%M}Z")
    if document.corrects:
        out.print(f"corrects {', '.join(document.corrects)}, for the same period")
    charged = tuple(line for line in document.lines if not line.is_withheld)
    if charged:
        out.print(_lines(document, charged))
    for why in dict.fromkeys(_why_withheld(line) for line in document.lines if line.is_withheld):
        out.print(f"not charged: {why}", style="bold")
        out.print(
            _lines(document, tuple(line for line in document.lines if line.is_withheld and _why_withheld(line) == why))
        )
    for name, amount in (("net", document.net), ("tax", document.tax), ("total", document.total)):
        style = "bold" if name == "total" else ""
        out.print(f"{name:>8} {money(amount, document):>12} {document.currency}", style=style)
    if document.withheld:
        out.print(f"{'withheld':>8} {money(document.withheld, document):>12} {document.currency}", style="dim")
    estimated = sum((line.estimated_quantity for line in charged), Decimal(0))
    if estimated:
        whole = sum((line.quantity_should for line in charged if line.kind in _USES), Decimal(0))
        share = f" ({estimated / whole:.1%} of the use)" if whole else ""
        out.print(
            f"Of this, {_estimated(document)} lie in intervals that were estimated in part or whole{share}.",
            style="dim",
        )


def _why_withheld(line: Line) -> str:
    return f"{line.withheld_reason}; borne by {line.withheld_bearer}"


def _lines(document: Document, lines: tuple[Line, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("line", style="dim")
    table.add_column("what", overflow="fold")
    for name in (
        ("quantity", "rate", "was", "should be", "amount") if document.corrects else ("quantity", "rate", "amount")
    ):
        table.add_column(name, justify="right")
    whole = (document.period_from, document.period_to)
    for line in lines:
        amounts = [line.amount_was, line.amount_should, line.amount] if document.corrects else [line.amount]
        table.add_row(
            str(line.position),
            _what(line, whole),
            "" if line.kind in _ON_MONEY else quantity(line.quantity, line.unit),
            f"{trim(line.rate * 100)} %" if line.kind in ("tax", "contained", "percentage") else trim(line.rate),
            *(money(amount, document) for amount in amounts),
        )
    return table


def _what(line: Line, whole: tuple[date, date]) -> str:
    """What a line charges; its days only where they are not those of the bill."""
    served = (line.service_from, line.service_to)
    span = "" if served == whole else f", {_period(*served)}"
    if line.kind == "tax":
        return line.band or "tax"
    if line.kind == "contained":
        return f"{line.band}, contained in the above"
    if line.kind in ("minimum", "maximum"):
        return f"{line.band} ({line.kind}) {line.supply_point}{span}"
    if line.kind == "percentage":
        return f"{line.band} {line.supply_point}{span}"
    if line.kind == "standing":
        return f"{line.band or 'standing charge'} {line.supply_point}{span}"
    return f"{line.supply_point} {line.channel} {line.band}{span}"


def _period(first: date, end: date) -> str:
    return f"{first:%d %b %Y} – {end - timedelta(days=1):%d %b %Y}"


def money(amount: Decimal, document: Document) -> str:
    """An amount with the decimals of its currency."""
    return f"{amount:,.{document.minor_digits}f}"


def quantity(number: Decimal, unit: str) -> str:
    """A quantity with its unit; days, months and periods are counted."""
    return f"{trim(number)} {unit}{'s' if unit in ('day', 'month', 'period') and abs(number) != 1 else ''}"


def _estimated(document: Document) -> str:
    """What is estimated, by unit."""
    charged = [line for line in document.lines if not line.is_withheld]
    units = sorted({line.unit for line in charged if line.estimated_quantity})
    return " and ".join(
        quantity(sum((line.estimated_quantity for line in charged if line.unit == unit), Decimal(0)), unit)
        for unit in units
    )


def trim(number: Decimal) -> str:
    """Without trailing zeros, never in exponent form."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
