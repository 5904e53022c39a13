"""The register reads of a bill as a person reads them in a terminal, below its sums."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from meterfold.bill_text import quantity
from meterfold.billing.register_reads import ReadPair
from meterfold.session import session


def show_read_pairs(pairs: Sequence[ReadPair]) -> None:
    """Opening and closing totals with what lies between them; a sentence for each that does not agree. Nothing without any."""
    if not pairs:
        return
    out = session().out
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="register reads", title_justify="left")
    for name in ("register", "opening", "closing"):
        table.add_column(name, overflow="fold")
    for name in ("advance", "metered between"):
        table.add_column(name, justify="right")
    for pair in pairs:
        table.add_row(
            f"{pair.supply_point} {pair.channel}, {pair.device} {pair.register}",
            f"{pair.opening}\n{pair.opening_at:%d %b %Y %H:%M}",
            f"{pair.closing}\n{pair.closing_at:%d %b %Y %H:%M}",
            "?" if pair.advance is None else quantity(pair.advance, pair.unit),
            quantity(pair.metered, pair.unit),
        )
    out.print(table)
    for pair in pairs:
        if remark := _remark(pair):
            out.print(remark, soft_wrap=True, markup=False)


def _remark(pair: ReadPair) -> str:
    """What a reader must know before comparing the two quantities."""
    name = f"{pair.device} {pair.register}"
    if pair.advance is None:
        return f"{name}: its totals fall, and its digits are not known, so that it cannot be compared."
    found = pair.disagreements
    checked = f" (finding sum_register, {found} time{'s' if found > 1 else ''})" if found else ""
    if not pair.is_covered:
        return f"{name}: not all of the time between its reads was metered; {_gap(pair) or 'the rest agrees'}{checked}."
    return f"{name}: {_gap(pair)}{checked}." if pair.gap is not None else ""


def _gap(pair: ReadPair) -> str:
    if pair.gap is None:
        return ""
    more = "more" if pair.gap > 0 else "less"
    return f"the register advanced by {quantity(abs(pair.gap), pair.unit)} {more} than was metered"
