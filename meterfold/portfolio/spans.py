"""Half-open spans [from, to) of integers (ms, or days since year 1), and what can be done with lists of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Span = tuple[int, int]

FOREVER: Final = 1 << 62
"""Stands for an open end."""


def closed(start: int, end: int | None) -> Span:
    """A span whose missing end is `FOREVER`."""
    return start, FOREVER if end is None else end


def open_end(end: int) -> int | None:
    """The other way round."""
    return None if end >= FOREVER else end


def common(one: Span, other: Span) -> Span | None:
    """What two spans share, if anything."""
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return (start, end) if start < end else None


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same points in as few spans as possible, ascending."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        elif start < end:
            result.append((start, end))
    return result


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The parts of `spans` that are in none of `taken`, ascending."""
    result = joined(spans)
    for hole in joined(taken):
        cut: list[Span] = []
        for start, end in result:
            cut.extend(part for part in ((start, min(end, hole[0])), (max(start, hole[1]), end)) if part[0] < part[1])
        result = cut
    return result


def shared(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The points in both lists, ascending."""
    listed = list(others)
    return joined(part for span in spans for other in listed if (part := common(span, other)))


def changed(before: Iterable[Span], after: Iterable[Span]) -> list[Span]:
    """The points in exactly one of the two lists, ascending."""
    old, new = list(before), list(after)
    return joined([*without(old, new), *without(new, old)])
