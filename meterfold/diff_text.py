"""What moved an account's bills, as a person and as a script read it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table

from meterfold.billing.diff.knowledge import Knowledge
from meterfold.billing.diff.walk import BillDiff, Moved, Part, sums
from meterfold.render import utc_text
from meterfold.session import session

_LEADS = {"time": "", "reference": "", "hardened": "reads: ", "adjusted": "reads: "}


def show_diff(found: BillDiff) -> None:
    """Each change with the amounts that it moved, then the whole."""
    out = session().out
    out.print(f"{found.account}: what should be charged, from {found.since.label} to {found.until.label}", markup=False)
    for number, part in enumerate(found.parts, 1):
        when = f", {utc_text(part.at_ms)}" if part.at_ms is not None else ""
        what = f"{_LEADS[part.kind]}{' + '.join(part.what)}"
        out.print(f"\n{number}. {what}{when}: {_totals(part.moved)}", markup=False, soft_wrap=True)
        for word in part.words:
            out.print(f"     {word}", style="dim", markup=False, soft_wrap=True)
        out.print(_table(part.moved))
    if not found.parts:
        out.print("nothing moved")
        return
    out.print(f"in all: {_totals(found.whole)}", style="bold", markup=False)
    out.print(_table(found.whole))
    out.print(_seen(found.since), style="dim", soft_wrap=True)
    out.print(_seen(found.until), style="dim", soft_wrap=True)


def _table(moved: Iterable[Moved]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("period from", no_wrap=True)
    table.add_column("what", overflow="fold")
    for name in ("before", "after", "change", ""):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for item in moved:
        charge = item.charge
        amounts = [f"{amount:,.{charge.minor_digits}f}" for amount in (item.before, item.after)]
        table.add_row(
            str(charge.period_from),
            _what(item),
            *amounts,
            _signed(item.difference, charge.minor_digits),
            charge.currency,
        )
    return table


def _what(item: Moved) -> str:
    charge = item.charge
    return " ".join(filter(None, (charge.kind, charge.supply_point, charge.channel, charge.band)))


def _totals(moved: tuple[Moved, ...]) -> str:
    digits = {item.charge.currency: item.charge.minor_digits for item in moved}
    totals = (f"{_signed(total, digits[currency])} {currency}" for currency, total in sums(moved).items())
    return ", ".join(totals) or "nothing, in sum"


def _signed(amount: Decimal, digits: int) -> str:
    return f"{amount:+,.{digits}f}" if amount else f"{amount:.{digits}f}"


def _seen(state: Knowledge) -> str:
    reads = ", ".join(f"{partition}/{offset}" for partition, offset in state.frontier) or "none"
    return (
        f"{state.label}: billing log below {state.billing_offset}, reads.curated below {reads}, "
        f"periods that ended by {utc_text(state.as_of_ms)}"
    )


def diff_json(found: BillDiff) -> dict[str, Any]:
    """For scripts: amounts as text with the decimals of their currency."""
    return {
        "account": found.account,
        "from": _state(found.since),
        "to": _state(found.until),
        "ratings": found.ratings,
        "parts": [_part(part) for part in found.parts],
        "moved": [_plain(item) for item in found.whole],
    }


def _state(state: Knowledge) -> dict[str, Any]:
    return {
        "label": state.label,
        "billing_offset": state.billing_offset,
        "frontier": [list(row) for row in state.frontier],
        "as_of_ms": state.as_of_ms,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "what": list(part.what),
        "words": list(part.words),
        "at_ms": part.at_ms,
        "moved": [_plain(item) for item in part.moved],
    }


def _plain(item: Moved) -> dict[str, str]:
    charge = item.charge
    names = ("kind", "supply_point", "channel", "tariff", "tariff_version", "band", "element", "currency")
    amounts = {"before": item.before, "after": item.after, "difference": item.difference}
    return {
        "period_from": charge.period_from.isoformat(),
        "period_to": charge.period_to.isoformat(),
        **{name: getattr(charge, name) for name in names},
        **{name: f"{amount:.{charge.minor_digits}f}" for name, amount in amounts.items()},
    }
