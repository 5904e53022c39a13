"""Months of the books, per legal entity: which are closed, and which takes what is booked now.

A month is text, `YYYY-MM`, so that months compare as text. They close in order: what is closed is everything up to the last that was.
"""

from __future__ import annotations

from datetime import date, timedelta

from connectors.clickhouse import Store


class UnknownBooks(LookupError):
    """There is no such legal entity, or no such month."""


def refuse_unknown(store: Store, legal_entity: str, month: str | None = None) -> None:
    """Raises UnknownBooks for a legal entity that is not in the portfolio, or a text that is no month."""
    names = [name for (name,) in store.query("SELECT legal_entity FROM ref_legal_entities ORDER BY legal_entity").rows]
    if legal_entity not in names:
        raise UnknownBooks(f"legal entity {legal_entity} is not in the portfolio; it has {', '.join(names) or 'none'}")
    try:
        first_day(month or "2000-01")
    except ValueError as error:
        raise UnknownBooks(f"{month!r} is no month; write it like 2026-01") from error


def month_of(day: date) -> str:
    """The month that a day lies in."""
    return f"{day:%Y-%m}"


def first_day(month: str) -> date:
    """The first day of a month. Raises ValueError for what is none."""
    day = date.fromisoformat(f"{month}-01")
    if month_of(day) != month:
        raise ValueError(f"{month!r} is no month like 2026-01")
    return day


def month_after(month: str) -> str:
    """The next month."""
    return month_of(first_day(month) + timedelta(days=31))


def last_closed(store: Store, legal_entity: str) -> str | None:
    """The last month that a legal entity closed; None before the first."""
    (last,) = store.query(
        "SELECT max(period) FROM bill_periods_closed WHERE legal_entity = {entity:String}", {"entity": legal_entity}
    ).rows[0]
    return str(last) or None


def open_month(store: Store, legal_entity: str, day: date) -> str:
    """The month into which something about `day` is booked: the first that is not closed, and not before the month of the day."""
    closed = last_closed(store, legal_entity)
    month = month_of(day)
    return month if closed is None else max(month, month_after(closed))
