"""In which other lengths the same registers can be read. Pure.

A length to which an answer is still owed must not be asked for again (`guard.py`), so a request needs alternatives: the block a little
longer, or in two pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from edge_collector.plan import Request, Wanted
from edge_collector.profile import Limits, Span

Way = tuple[Span, ...]
"""Spans, to be read one after the other, that together hold a request's registers."""


OtherWays = Callable[[], Iterable[Way]]
"""Asked for when they are needed, which is seldom."""


class Piece(NamedTuple):
    """Words from an address on."""

    address: int
    words: Sequence[int]


def other_ways(request: Request, limits: Limits) -> Iterator[Way]:
    """All ways to read the request but the planned one, the best first: longer by the fewest words; cut in two; cut in two of one length,
    which a meter that answers twice could confuse."""
    if any(one.block for one in request.identity):  # the meter gives these only in one piece of this very length
        return
    yield from _longer(request, limits)
    yield from (way for way in _cut(request, limits) if way[0].count != way[1].count)
    yield from (way for way in _cut(request, limits) if way[0].count == way[1].count)


def words_of(span: Span, pieces: Sequence[Piece]) -> tuple[int, ...]:
    """The span's words out of the pieces that hold them. KeyError when a word is missing."""
    by_address = {piece.address + at: word for piece in pieces for at, word in enumerate(piece.words)}
    return tuple(by_address[address] for address in range(span.address, span.end))


def _longer(request: Request, limits: Limits) -> Iterator[Way]:
    """One way for each length that the meter's limits leave; more words behind rather than before."""
    step = limits.multiple_of
    for count in range(request.count + step - request.count % step, limits.most_words + 1, step):
        for before in range(0, count - request.count + 1, step):
            span = Span(request.function, request.address - before, count)
            if span.address >= 0 and limits.may_touch(span):
                yield (span,)
                break


def _cut(request: Request, limits: Limits) -> Iterator[Way]:
    """Never within a value: its halves would be of two instants."""
    whole = request.span
    for cut in range(whole.address + limits.multiple_of, whole.end, limits.multiple_of):
        first = Span(whole.function, whole.address, cut - whole.address)
        second = Span(whole.function, cut, whole.end - cut)
        is_within_value = any(one.span.address < cut < one.span.end for one in _values(request))
        if not is_within_value and limits.may_touch(first) and limits.may_touch(second):
            yield first, second


def _values(request: Request) -> tuple[Wanted, ...]:
    return (*request.registers, *request.identity, *request.scales)
