"""From one state of knowledge to another, change by change, rated after each: the parts add up to the whole, element by element.

First the periods that ended in between, then the billing log in its order, then the reads in the order in which they became known. The
order decides which of two changes to one amount gets what of it, not the sum. A period that cannot be billed counts as nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from connectors.clickhouse import Store
from meterfold.billing.diff.changes import Change, changes_between
from meterfold.billing.diff.knowledge import Knowledge, Scope, scope_of
from meterfold.billing.diff.reads import groups_between, said, slices
from meterfold.billing.rated import ElementKey, PeriodKey, Rated, RatedCharge, rated
from meterfold.billing.rating import NOT_ENDED, Pins

Charges = Mapping[ElementKey, RatedCharge]


class NotLater(ValueError):
    """The second state does not know everything that the first one knows."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What should be charged for one charge element of a period, before and after. The words are those of `after`, where it is there."""

    charge: RatedCharge
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Part:
    """A change, or several that only together can be rated, and what it moved. `kind`: time, reference, hardened or adjusted."""

    kind: str
    what: tuple[str, ...]
    words: tuple[str, ...]
    at_ms: int | None
    moved: tuple[Moved, ...]

    def totals(self) -> dict[str, Decimal]:
        """Difference by currency."""
        return sums(self.moved)


@dataclass(frozen=True, slots=True)
class BillDiff:
    """`whole`: what moved from the first state to the second; per element the parts add up to it. `ratings`: how many it took."""

    account: str
    since: Knowledge
    until: Knowledge
    parts: tuple[Part, ...]
    whole: tuple[Moved, ...]
    ratings: int


def sums(moved: tuple[Moved, ...]) -> dict[str, Decimal]:
    """Difference by currency, in order."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for item in moved:
        totals[item.charge.currency] += item.difference
    return dict(sorted(totals.items()))


def bill_diff(store: Store, account: str, since: Knowledge, until: Knowledge) -> BillDiff:
    """What moved the account's amounts. Raises UnknownAccount, NotLater, and what the store raises."""
    _refuse_unless_later(since, until)
    return _Walk(store, scope_of(store, account, until.billing_offset), since, until).done()


def _refuse_unless_later(since: Knowledge, until: Knowledge) -> None:
    high = dict(until.frontier)
    if (
        since.billing_offset > until.billing_offset
        or since.as_of_ms > until.as_of_ms
        or any(offset > high.get(partition, 0) for partition, offset in since.frontier)
    ):
        raise NotLater(f"{until.label} does not know all that {since.label} knows; name the earlier one with --from")


@dataclass
class _Walk:
    store: Store
    scope: Scope
    since: Knowledge
    until: Knowledge
    ratings: int = 0
    parts: list[Part] = field(default_factory=list)

    def done(self) -> BillDiff:
        first = self._rated(self.since.billing_offset, self.since.frontier)
        begun = first.as_of(self.since.as_of_ms)
        self._add("time", ("periods ended",), _periods(begun, first.charges), None, begun, first.charges)
        reached = self._reference(first)
        last = self._reads(reached)
        whole = _moved(begun, last.charges)
        return BillDiff(self.scope.account, self.since, self.until, tuple(self.parts), whole, self.ratings)

    def _rated(self, billing_offset: int, frontier: tuple[tuple[int, int], ...]) -> Rated:
        self.ratings += 1
        seen = tuple((partition, offset, 0) for partition, offset in frontier)
        return rated(
            self.store, Pins(self.scope.legal_entity, self.scope.account, seen, billing_offset, self.until.as_of_ms)
        )

    def _add(
        self,
        kind: str,
        what: tuple[str, ...],
        words: tuple[str, ...],
        at_ms: int | None,
        before: Charges,
        after: Charges,
    ) -> None:
        """Note a change, unless it moved nothing."""
        moved = _moved(before, after)
        if moved:
            self.parts.append(Part(kind, what, words, at_ms, moved))

    def _reference(self, first: Rated) -> Rated:
        """Record by record; records after which a period cannot be billed for a while are taken with those that follow."""
        changes = changes_between(self.store, self.scope, self.since.billing_offset, self.until.billing_offset)
        if not changes:
            return first
        last = self._rated(changes[-1].billing_offset + 1, self.since.frontier)
        before, pending = first, list[Change]()
        for position, change in enumerate(changes, 1):
            pending.append(change)
            is_last = position == len(changes)
            after = last if is_last else self._rated(change.billing_offset + 1, self.since.frontier)
            if not is_last and _shut(after) - _shut(before) - _shut(last):
                continue
            words = tuple(word for item in pending for word in item.words) + _newly_shut(before, after)
            self._add(
                "reference",
                tuple(item.what for item in pending),
                words,
                pending[0].at_ms,
                before.charges,
                after.charges,
            )
            before, pending = after, []
        return last

    def _reads(self, first: Rated) -> Rated:
        low, high = dict(self.since.frontier), dict(self.until.frontier)
        groups = groups_between(self.store, self.scope, first.spans, low, high)
        settled = {span.period for span in first.spans} - _shut(first)
        before = first
        for part in slices(groups, settled, low, high) if groups else ():
            after = self._rated(self.until.billing_offset, part.frontier)
            opened = _shut(before) - _shut(after)
            for period in sorted(opened):
                words = said(
                    group for group in groups if group.period == period and group.place <= part.groups[-1].place
                )
                self._add(
                    "hardened", (f"period from {period[1]} can be billed",), words, None,
                    _of({period}, before.charges), _of({period}, after.charges),
                )  # fmt: skip
            others = {key[:2] for key in (*before.charges, *after.charges)} - opened
            adjusting = [group for group in part.groups if group.period in settled]
            self._add(
                "adjusted",
                tuple(sorted({group.reason for group in adjusting})) or ("periods that they look back on",),
                said(adjusting) + _newly_shut(before, after),
                None,
                _of(others, before.charges),
                _of(others, after.charges),
            )
            settled |= opened
            before = after
        return before


def _of(periods: set[PeriodKey], charges: Charges) -> Charges:
    return {key: charge for key, charge in charges.items() if key[:2] in periods}


def _moved(before: Charges, after: Charges) -> tuple[Moved, ...]:
    """Elements whose amount differs, in the order of a bill."""
    found = []
    for key in [*after, *(key for key in before if key not in after)]:
        amounts = [side[key].amount if key in side else Decimal(0) for side in (before, after)]
        if amounts[0] != amounts[1]:
            found.append(Moved(after[key] if key in after else before[key], *amounts))
    return tuple(sorted(found, key=lambda item: (item.charge.period_from, item.charge.currency)))


def _periods(before: Charges, after: Charges) -> tuple[str, ...]:
    come: set[tuple[date, date]] = {
        (item.period_from, item.period_to) for key, item in after.items() if key not in before
    }
    return tuple(f"{first} to {end}" for first, end in sorted(come))


def _shut(state: Rated) -> set[PeriodKey]:
    """Periods that have ended and cannot be billed."""
    running = {(item.account, item.period_from) for item in state.blocked if item.reason == NOT_ENDED}
    return {(item.account, item.period_from) for item in state.blocked} - running


def _newly_shut(before: Rated, after: Rated) -> tuple[str, ...]:
    reasons = after.shut()
    return tuple(
        f"{period[1]} cannot be billed any more: {reasons[period].reason} {reasons[period].detail}"
        for period in sorted(_shut(after) - _shut(before))
        if any(key[:2] == period for key in before.charges)
    )
