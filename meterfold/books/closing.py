"""Closing a month: nothing is posted into it any more. What its extracts are is written down, and can be compared for ever."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal

from connectors.clickhouse import Store
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rows import VERSION, day_of, encode
from meterfold.billing.run import fold_frontier, one_at_a_time, refuse_while_open
from meterfold.books.extracts import BookPins, Extracted, fingerprints, together
from meterfold.books.months import first_day, last_closed, month_after, month_of, refuse_unknown


class UnableToClose(ValueError):
    """The month cannot be closed, or looked at. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Documents of one currency in a month."""

    currency: str
    documents: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Closed:
    """A month that was closed. `accrued`: whether it was said what was unbilled at its end."""

    legal_entity: str
    period: str
    sums: tuple[Sum, ...]
    accrued: bool
    extracts: tuple[Extracted, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Verified:
    """One extract of a closed month: as it was closed, and as it is now."""

    period: str
    name: str
    rows_then: int
    rows_now: int
    sha256_then: str
    sha256_now: str

    @property
    def is_same(self) -> bool:
        """It is what it was, byte for byte."""
        return (self.rows_then, self.sha256_then) == (self.rows_now, self.sha256_now)


def close_month(store: Store, log: BillingLog, legal_entity: str, period: str, person: str, now_ms: int) -> Closed:
    """Close the month for ever. Raises UnknownBooks, UnableToClose, RunInProgress, UnableToProject, and what log and store raise."""
    with one_at_a_time():
        known = project(store, log)
        refuse_misread(store)
        refuse_unknown(store, legal_entity, period)
        refuse_running(period, now_ms, "close")
        _refuse_out_of_order(store, legal_entity, period)
        refuse_while_open(store, legal_entity, now_ms)
        pins = BookPins(fold_frontier(store), known)
        extracts = fingerprints(store, legal_entity, period, pins)
        closed = Closed(
            legal_entity,
            period,
            _sums(store, legal_entity, period),
            _is_accrued(store, legal_entity, period),
            extracts,
            together(extracts),
        )
        log.append(legal_entity.encode(), encode(_record(closed, pins, person, now_ms)))
        log.flush()
        project(store, log)
        return closed


def verify_months(store: Store, legal_entity: str, period: str | None = None) -> tuple[Verified, ...]:
    """Every extract of a closed month, or of all that the legal entity closed, made again. Raises UnableToClose where nothing is closed."""
    found = store.query(
        "SELECT period, extract_names, extract_rows, extract_sha256 FROM bill_periods_closed FINAL "
        "WHERE legal_entity = {entity:String} AND {period:String} IN ('', period) ORDER BY period, billing_offset",
        {"entity": legal_entity, "period": period or ""},
    ).rows
    if not found:
        raise UnableToClose(f"{legal_entity} has not closed {period or 'any month'}; there is nothing to compare with")
    verified = []
    for month, names, rows, hashes in found:
        now = {item.name: item for item in fingerprints(store, legal_entity, month)}
        for name, rows_then, sha256_then in zip(names, rows, hashes, strict=True):
            item = now.get(name, Extracted(name, 0, ""))
            verified.append(Verified(month, name, rows_then, item.rows, sha256_then, item.sha256))
    return tuple(verified)


def refuse_running(period: str, now_ms: int, verb: str) -> None:
    """Raises UnableToClose for a month that is not over in UTC."""
    today = day_of(now_ms)
    if month_of(today) <= period:
        raise UnableToClose(
            f"{period} is not over (today is {today}, UTC); {verb} it from {first_day(month_after(period))} on"
        )


def _refuse_out_of_order(store: Store, legal_entity: str, period: str) -> None:
    last = last_closed(store, legal_entity)
    if last is not None and period <= last:
        raise UnableToClose(f"{period} of {legal_entity} is closed already: everything up to {last} is, and stays so")
    if last is not None and period != month_after(last):
        raise UnableToClose(f"months close in order: the next one of {legal_entity} is {month_after(last)}")
    if last is None:
        (first,) = store.query(
            "SELECT min(accounting_period) FROM journal WHERE legal_entity = {entity:String}", {"entity": legal_entity}
        ).rows[0]
        if first and first < period:
            raise UnableToClose(
                f"months close in order: the first of {legal_entity} in which something is booked is {first}"
            )


def _sums(store: Store, legal_entity: str, period: str) -> tuple[Sum, ...]:
    found = store.query(
        "SELECT currency, count(), sum(total) FROM bill_issued FINAL "
        "WHERE legal_entity = {entity:String} AND accounting_period = {period:String} GROUP BY currency ORDER BY currency",
        {"entity": legal_entity, "period": period},
    )
    return tuple(Sum(currency, int(documents), total) for currency, documents, total in found.rows)


def _is_accrued(store: Store, legal_entity: str, period: str) -> bool:
    return bool(
        store.query(
            "SELECT 1 FROM bill_accruals WHERE legal_entity = {entity:String} AND period = {period:String} LIMIT 1",
            {"entity": legal_entity, "period": period},
        ).rows
    )


def _record(closed: Closed, pins: BookPins, person: str, now_ms: int) -> dict[str, object]:
    return {
        "v": VERSION,
        "type": "period_closed",
        "legal_entity": closed.legal_entity,
        "period": closed.period,
        "lines": sum(item.rows for item in closed.extracts),
        "sha256": closed.sha256,
        "frontier": [list(row) for row in pins.frontier],
        "billing_offset": pins.known_billing_offset,
        "extracts": [asdict(item) for item in closed.extracts],
        "person": person,
        "booked_ms": now_ms,
    }
