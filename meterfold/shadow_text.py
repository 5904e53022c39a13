"""A shadow run as a person reads it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from meterfold.billing.rating import Pins
from meterfold.render import show_rows
from meterfold.session import session
from meterfold.tariffs.shadow import NotCompared, Shadow, ShadowRun


def show_shadow(run: ShadowRun) -> None:
    """What each tenant pays now and would pay with the edition, totals, what could not be compared, and what was seen."""
    columns = ("account", "period from", "now", run.edition, "difference", "share", "currency")
    rows = [(row.account, row.period_from, *_amounts(row), row.currency) for row in run.rows]
    rows += [("all", row.period_from, *_amounts(row), row.currency) for row in run.totals]
    show_rows(f"{run.edition} in place of what rates now, taxes included; nothing is written", columns, rows, False)
    if run.not_compared:
        names = ("account", "period from", "cannot be billed", "why", "what is lacking, first")
        show_rows("not compared", names, [_stuck(items, run.edition) for items in _in_a_row(run.not_compared)], False)
    session().out.print(f"pinned: {pins_text(run.pins)}", style="dim", soft_wrap=True)


def _in_a_row(items: Iterable[NotCompared]) -> list[list[NotCompared]]:
    """Periods that follow on each other and are stuck for the same reason, together."""
    ordered = sorted(items, key=lambda item: (item.account, item.side, item.reason, item.period_from))
    found: list[list[NotCompared]] = []
    for item in ordered:
        last = found[-1][-1] if found else None
        alike = last and (last.account, last.side, last.reason) == (item.account, item.side, item.reason)
        if last and alike and last.period_to == item.period_from:
            found[-1].append(item)
        else:
            found.append([item])
    return found


def _stuck(items: list[NotCompared], edition: str) -> tuple[str, str, str, str, str]:
    first, last = items[0], items[-1]
    side = {"now": "as things stand", "edition": f"with {edition}", "both": "either way"}[first.side]
    more = f"\n{len(items)} periods,\nto {last.period_to - timedelta(days=1)}" if len(items) > 1 else ""
    return first.account, f"{first.period_from}{more}", side, first.reason, first.detail


def _amounts(row: Shadow) -> tuple[Decimal, Decimal, Decimal, str]:
    share = "" if row.share is None else f"{row.share * 100:+.2f} %"
    now, edition, difference = (round(amount, row.minor_digits) for amount in (row.now, row.edition, row.difference))
    return now, edition, difference, share


def pins_text(pins: Pins) -> str:
    """What was seen: the same answer follows from it for ever."""
    reads = ", ".join(f"{partition}/{offset}" for partition, offset, _ in pins.frontier) or "none"
    as_of = datetime.fromtimestamp(pins.as_of_ms / 1000, UTC)
    return (
        f"billing log below {pins.known_billing_offset}, reads.curated below {reads} (partition/offset), "
        f"periods that ended by {as_of:%Y-%m-%d %H:%M}Z"
    )
