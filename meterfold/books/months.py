"""Months of the books, per legal entity: which are closed, and which takes what is booked now.

A month is text, `YYYY-MM`, so that months compare as text. They close in order: what is closed is everything up to the last that was.
"""

from __future__ import annotations

from datetime import date, timedelta

from connectors.clickhouse import Store


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
