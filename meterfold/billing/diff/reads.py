"""What the fold added between two frontiers, cut where the reasons of adjustments change: each cut is a frontier that can be rated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.clickhouse import Store
from meterfold.billing.diff.knowledge import Scope, sql
from meterfold.billing.rated import PeriodKey, Span

HARDENED: Final = "HARDENED"
MOST_CUTS: Final = 20
"""Ratings that reads may take at most; beyond them, what is left is one change with all its reasons."""


@dataclass(frozen=True, slots=True)
class Group:
    """Windows of one stream that one record hardened or adjusted, in one billing period of the account (None: in none of them)."""

    place: tuple[int, int, int]
    reason: str
    supply_point: str
    channel: str
    period: PeriodKey | None
    unit: str
    windows: int
    quantity: Decimal
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Slice:
    """What the fold knows up to `frontier` and not before. `reasons`: of the adjustments to periods that could be billed already."""

    frontier: tuple[tuple[int, int], ...]
    reasons: tuple[str, ...]
    groups: tuple[Group, ...]


def groups_between(
    store: Store, scope: Scope, spans: Iterable[Span], low: dict[int, int], high: dict[int, int]
) -> list[Group]:
    """In the order in which they became known: (known at, partition, offset)."""
    listed = [span for span in spans if span.supply_point in scope.supply_points]
    partitions = sorted(high)
    params: dict[str, Any] = {
        "supply_points": list(scope.supply_points),
        "span_points": [span.supply_point for span in listed],
        "span_starts": [span.start_ms for span in listed],
        "span_ends": [span.end_ms for span in listed],
        "partitions": partitions or [0],
        "from_offsets": [low.get(partition, 0) for partition in partitions] or [0],
        "until_offsets": [high[partition] for partition in partitions] or [0],
    }
    return [
        Group(
            place=(int(known_at_ms), int(partition), int(offset)),
            reason=reason,
            supply_point=point,
            channel=channel,
            period=listed[span - 1].period if span else None,
            unit=unit,
            windows=int(windows),
            quantity=quantity,
            first_ms=int(first_ms),
            last_ms=int(last_ms),
        )
        for known_at_ms, partition, offset, reason, point, channel, span, unit, windows, quantity, first_ms, last_ms in (
            store.query(sql("reads_between"), params).rows
        )
    ]


def slices(groups: list[Group], settled: set[PeriodKey], low: dict[int, int], high: dict[int, int]) -> list[Slice]:
    """Runs of records that adjust `settled` periods (those that could be billed before) for the same reasons; the last reaches `high`.

    What happens in other periods needs no cut of its own: they come in whole, with the slice in which they can be billed.
    """
    runs: list[tuple[tuple[str, ...], list[Group]]] = []
    for place in sorted({group.place for group in groups}):
        here = [group for group in groups if group.place == place]
        reasons = tuple(sorted({group.reason for group in here if group.period in settled}))
        last = runs[-1] if runs else None
        if last and (not reasons or not last[0] or last[0] == reasons or len(runs) == MOST_CUTS):
            merged = tuple(sorted({*last[0], *reasons}))
            runs[-1] = (merged, [*last[1], *here])
        else:
            runs.append((reasons, here))
    if not runs:
        return [Slice(tuple(sorted(high.items())), (), ())] if low != high else []
    found: list[Slice] = []
    reached = dict(low)
    for position, (reasons, here) in enumerate(runs, 1):
        for _, partition, offset in (group.place for group in here):
            reached[partition] = max(reached.get(partition, 0), offset + 1)
        frontier = high if position == len(runs) else reached
        found.append(Slice(tuple(sorted(frontier.items())), reasons, tuple(here)))
    return found


def said(groups: Iterable[Group]) -> tuple[str, ...]:
    """Groups in words: how many windows, how much, why, where, and from when to when; one line a reason and stream."""
    totals: dict[tuple[str, str, str, str], list[Any]] = {}
    for group in groups:
        key = (group.reason, group.supply_point, group.channel, group.unit)
        row = totals.setdefault(key, [0, Decimal(0), group.first_ms, group.last_ms])
        row[0] += group.windows
        row[1] += group.quantity
        row[2], row[3] = min(row[2], group.first_ms), max(row[3], group.last_ms)
    return tuple(
        f"{count:,} interval{'s' if count != 1 else ''} of {point} {channel} {reason}, "
        f"{_sign(reason, quantity)} {unit}, {_utc(first)} to {_utc(last)}"
        for (reason, point, channel, unit), (count, quantity, first, last) in sorted(totals.items())
    )


def _sign(reason: str, quantity: Decimal) -> str:
    text = f"{quantity.normalize():f}" if quantity else "0"
    return text if reason == HARDENED or quantity < 0 else f"+{text}"


def _utc(instant_ms: int) -> str:
    return f"{datetime.fromtimestamp(instant_ms / 1000, UTC):%Y-%m-%d %H:%M}Z"
