"""An explanation as a person reads it: the amount, the price, what changed, and where the reads stand."""

from collections import Counter, defaultdict
from decimal import Decimal

from rich import box
from rich.console import JustifyMethod
from rich.table import Table

from meterfold.bill_text import quantity, trim
from meterfold.billing.explain import Adjustment, Evidence, Explanation, Window
from meterfold.render import cell_text
from meterfold.session import session

READS_SHOWN = 12
PEAKS_SHOWN = 12
_METHODS = {
    "same_weekday": "each the mean of its time on the same weekday in the eight weeks before",
    "same_time": "each the mean of its time on the days of the eight weeks before",
}


def show_explanation(found: Explanation, *, everything: bool) -> None:
    """Print an explanation; `everything` lists each interval and read instead of the first ones."""
    _amount(found)
    _origin(found)
    _taxed(found)
    _tiers(found)
    _demands(found)
    _windows(found)
    _adjustments(found.adjustments)
    _reads(found, None if everything else READS_SHOWN)


def _amount(found: Explanation) -> None:
    line = found.line
    out = session().out
    what = " ".join(filter(None, (line["kind"], line["supply_point"], line["channel"], line["band"])))
    out.print(f"\n[bold]{found.number or 'draft'}[/] line {line['position']}: {what}")
    unit, currency = line["unit"], line["currency"]
    if line["is_withheld"]:
        out.print(
            f"  [bold]not charged[/]: {line['withheld_reason']}; borne by {line['withheld_bearer']}. Of what should be charged, "
            f"{_money(line['amount_should'], found)} {currency} is withheld"
        )
    elif line["kind"] in ("tax", "contained", "percentage"):
        out.print(
            f"  {trim(line['rate'] * 100)} % of {_money(line['quantity_should'], found)} {currency}{_divided(found)}, "
            "the rounded lines below"
        )
    elif line["kind"] in ("minimum", "maximum"):
        least = "at least" if line["kind"] == "minimum" else "at most"
        out.print(
            f"  the lines below, {_money(line['quantity_should'], found)} {currency}, are to be {least} {trim(line['rate'])} {currency} "
            "a period, in proportion to its days unless the tariff says otherwise"
        )
    else:
        fees = " + fees" if any(tier.fee for tier in found.tiers) else ""
        out.print(
            f"  {quantity(line['quantity_should'], unit)} × {trim(line['rate'])} {currency}{fees} = "
            f"{_money(line['amount_should'], found)} {currency}"
        )
    if line["amount_was"] or found.earlier_lines:
        before = ", ".join(f"{item.document_number} ({_money(item.amount, found)})" for item in found.earlier_lines)
        out.print(
            f"  already {'withheld' if line['is_withheld'] else 'billed'} {_money(line['amount_was'], found)} {currency} on {before}; "
            f"the difference is [bold]{_money(line['amount'], found)} {currency}[/]"
        )


def _divided(found: Explanation) -> str:
    """What a tax inside the price, or of the gross, is divided by."""
    divisors = [divisor for divisor in found.tax_divisors if divisor != 1]
    return f" ÷ {' or '.join(map(trim, divisors))}" if divisors else ""


def _origin(found: Explanation) -> None:
    out = session().out
    line = found.line
    rules = sorted({window.rule_version for window in found.windows})
    fold = f", fold rules {', '.join(map(str, rules))}" if rules else ""
    tariff = f"tariff {line['tariff']} version {line['tariff_version']}, " if line["tariff"] else ""
    out.print(f"  {tariff}billing rules {found.rule_version}{fold}; run {found.run_id}", style="dim")
    for item in found.configurations:
        out.print(
            f"  configuration {item.version} of {item.device}: raw log {item.raw_partition}/{item.raw_offset}, "
            f"{item.received_utc:%Y-%m-%d %H:%M}Z",
            style="dim",
        )
    names = ", ".join(f"{item.kind} {item.id} v{item.version}" for item in found.references)
    out.print(f"  reference data: {names}", style="dim", soft_wrap=True)


def _taxed(found: Explanation) -> None:
    for charge in found.taxed_charges:
        what = " ".join(filter(None, (charge.kind, charge.supply_point, charge.channel, charge.band)))
        session().out.print(f"  on {_money(charge.amount, found):>10} {found.line['currency']}  {what}")


def _tiers(found: Explanation) -> None:
    for tier in found.tiers:
        bound = f"up to {quantity(tier.up_to, tier.unit)}" if tier.up_to is not None else "without bound"
        fee = f", fee {trim(tier.fee)}" if tier.fee else ""
        session().out.print(
            f"  tier {tier.tier}, above {trim(tier.above)} {bound}: {quantity(tier.quantity, tier.unit)} × {trim(tier.rate)}{fee} "
            f"({tier.service_from} to {tier.service_to})"
        )


def _demands(found: Explanation) -> None:
    unit = found.line["unit"]
    for demand in found.demands:
        parts = [f"measured {quantity(demand.measured, unit)}"]
        if demand.minimum:
            parts.append(f"minimum {quantity(demand.minimum, unit)}")
        if demand.highest_before is not None:
            parts.append(
                f"ratchet {trim(demand.ratchet_share)} × {quantity(demand.highest_before, unit)} of the period from "
                f"{demand.highest_period_from}"
            )
        share = f", for {demand.days} of {demand.of_days} days" if demand.days != demand.of_days else ""
        session().out.print(f"  {', '.join(parts)}: billed {quantity(demand.billed, unit)}{share}")
        for window in [item for item in found.windows if demand.service_from <= item.local_date < demand.service_to][
            :PEAKS_SHOWN
        ]:
            session().out.print(
                f"    {window.start_utc:%Y-%m-%d %H:%M}Z to {window.end_utc:%H:%M}Z, {window.channel} {window.role}: "
                f"{quantity(window.quantity, window.unit)}, {window.quality}",
                style="dim",
            )


def _windows(found: Explanation) -> None:
    for role, channel in dict.fromkeys((window.role, window.channel) for window in found.windows):
        chosen = [window for window in found.windows if (window.role, window.channel) == (role, channel)]
        _share_of(chosen, "" if role == "counted" else f" of {channel}, {role}")


def _share_of(windows: list[Window], whose: str) -> None:
    qualities = Counter(window.quality for window in windows)
    by_quality: dict[str, Decimal] = defaultdict(Decimal)
    for window in windows:
        by_quality[window.quality] += window.quantity
    unit = windows[0].unit
    parts = ", ".join(
        f"{count:,} {quality} ({trim(by_quality[quality])} {unit})" for quality, count in qualities.most_common()
    )
    total = sum((window.quantity for window in windows), Decimal(0))
    session().out.print(f"\n{len(windows):,} determinants{whose}, {trim(total)} {unit}: {parts}")
    _guesses(windows)
    _prices(windows)


def _guesses(windows: list[Window]) -> None:
    """What nobody knew when the bill was made, and how it was estimated."""
    guessed = [window for window in windows if window.of_windows]
    for method in sorted({method for window in guessed for method in window.methods}):
        found = [window for window in guessed if method in window.methods]
        total = sum((window.quantity for window in found), Decimal(0))
        session().out.print(
            f"  {len(found):,} of them were not known: {quantity(total, windows[0].unit)} from {found[0].start_utc:%Y-%m-%d %H:%M}Z on, "
            f"{_METHODS[method]}; a later bill takes the difference to what was metered"
        )


def _prices(windows: list[Window]) -> None:
    """The dearest windows of a line at the prices of a series."""
    priced = [(window.quantity * window.price, window) for window in windows if window.price is not None]
    for value, window in sorted(priced, key=lambda item: (-item[0], item[1].start_utc))[:PEAKS_SHOWN]:
        session().out.print(
            f"  {window.start_utc:%Y-%m-%d %H:%M}Z  {quantity(window.quantity, window.unit)} × {trim(window.price or Decimal(0))} "
            f"= {trim(value)}",
            style="dim",
        )
    if len(priced) > PEAKS_SHOWN:
        session().out.print(f"  … the dearest of {len(priced):,}; --json has them all", style="dim")


def _adjustments(adjustments: tuple[Adjustment, ...]) -> None:
    if not adjustments:
        return
    groups: dict[tuple[str, bool], list[Adjustment]] = defaultdict(list)
    for item in adjustments:
        groups[item.reason, item.is_new].append(item)
    table = Table(title="adjustments", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("reason", "since the last bill", "intervals", "from", "to", "change"):
        justify: JustifyMethod = "right" if name in ("intervals", "change") else "left"
        table.add_column(name, justify=justify, no_wrap=name in ("reason", "from", "to"))
    for (reason, is_new), items in sorted(groups.items()):
        change = sum((item.delta for item in items), Decimal(0))
        first, last = min(item.start_utc for item in items), max(item.end_utc for item in items)
        table.add_row(
            reason, "yes" if is_new else "no", str(len(items)), cell_text(first), cell_text(last),
            f"{trim(change)} {items[0].unit}",
        )  # fmt: skip
    session().out.print(table)


def _reads(found: Explanation, limit: int | None) -> None:
    changed = {item.start_utc for item in found.adjustments if item.is_new}
    reads = [item for item in found.evidence if not changed or item.start_utc in changed or item.end_utc in changed]
    shown = sorted(reads, key=lambda item: (item.start_utc, item.raw_partition, item.raw_offset, item.raw_sub))[:limit]
    if not shown:
        return
    title = "the reads behind what changed" if changed else "the reads"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("start", "read", "verdict", "in force", "raw log", "file and line"):
        table.add_column(name, justify="right" if name == "read" else "left", overflow="fold")
    for item in shown:
        table.add_row(
            cell_text(item.start_utc), _value(item, found), item.verdict, "yes" if item.is_in_force else "no",
            f"{item.raw_partition}/{item.raw_offset}/{item.raw_sub}", f"{item.file}:{item.line}" if item.file else "–",
        )  # fmt: skip
    session().out.print(table)
    if len(reads) > len(shown):
        session().out.print(f"… and {len(reads) - len(shown):,} more; --all lists them", style="dim")


def _value(item: Evidence, found: Explanation) -> str:
    if item.quantity is not None:
        return quantity(item.quantity, found.windows[0].unit) if found.windows else trim(item.quantity)
    if item.count is not None:
        return f"total {trim(Decimal(item.count).scaleb(-(item.decimals or 0)))}"
    return "–"


def _money(amount: Decimal, found: Explanation) -> str:
    """An amount with the decimals of its currency."""
    return f"{amount:,.{found.line['minor_digits']}f}"
