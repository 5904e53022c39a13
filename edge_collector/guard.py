"""What a line still owes: answers that were asked for and did not come in time. Pure.

An answer names its unit and function and, by its length, how many registers were asked for: nothing more, in RTU framing. So these three
are all that an answer can be recognised by, and a request is sent only in a form to which no answer is owed. `link.py` has the argument.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from edge_collector.covering import OtherWays, Way
from edge_collector.profile import Span

FORGOTTEN_AFTER_TIMEOUTS: Final = 120
SOONEST_FORGOTTEN_MS: Final = 5000
"""An answer later than this is taken to never come: two minutes where a second is the timeout. Radio bridges, and gateways that queue,
are known to need tens of seconds, and want a longer timeout too."""

YOUNG_MS: Final = 5000
"""So long after a restart, an answer may come that another process asked for."""

QUIET_BEYOND_LONGEST: Final = 1.5
"""Quiet lasts so many times the longest answer seen."""

LONGEST_QUIET_TIMEOUTS: Final = 4
"""Quiet is bounded by so many timeouts, unless the site asks for more: one slow answer must not cost the line its boundary."""


class Form(NamedTuple):
    """What an answer can be recognised by."""

    unit: int
    function: int
    length: int


class Guard:
    """The debts of one line. It outlives connections, and a link that is configured anew. Times are ms of the event loop's clock: what is
    under way on a wire is not moved by any other.

    `echoes_ids`: the other side returns transaction ids; null while that is not known. They tell nothing of a serial line behind it,
    on which the gateway itself may take a late answer for another's: so forms count where ids do, too, as long as one is free.
    """

    def __init__(self, forgotten_after_ms: float | None = None, follows_another: bool = False) -> None:
        """`forgotten_after_ms` null: by the timeout. `follows_another`: a process before this one asked here, perhaps a moment ago."""
        self.echoes_ids: bool | None = None
        self.longest_answer_ms = 0.0
        self.last_transaction = 0
        self._forgotten_after_ms = forgotten_after_ms
        self._owed: dict[Form, float] = {}
        self._address_of: dict[Form, int] = {}
        self._refused: set[tuple[int, Span]] = set()
        self._follows_another = follows_another
        self._begun_ms: float | None = None

    def quiet_ms(self, least_ms: float, timeout_ms: float) -> float:
        """How long a failed line is left alone: longer than the longest answer, at least `least_ms`."""
        bound_ms = max(least_ms, LONGEST_QUIET_TIMEOUTS * timeout_ms)
        return min(max(least_ms, QUIET_BEYOND_LONGEST * self.longest_answer_ms), bound_ms)

    def choose(self, unit: int, planned: Way, others: OtherWays, now_ms: float, timeout_ms: float) -> Way | None:
        """The planned way, or the first other one, to which no answer is owed, rather one whose lengths were never another address's; null
        when there is none.

        Shortly after a restart rather another, as the process before this one may have asked in the planned one; where ids are echoed and
        no way is free, the planned one.
        """
        self._forget(now_ms, timeout_ms)
        is_free = self._is_free(unit, planned)
        if is_free and self._is_own(unit, planned) and not self._is_young(unit, now_ms):
            return planned
        free = [way for way in others() if self._is_free(unit, way)]
        best = next((way for way in free if self._is_own(unit, way)), planned if is_free else None)
        return best or next(iter(free), planned if self.echoes_ids else None)

    def refused(self, unit: int, way: Way) -> None:
        """The unit has no such registers: whatever holds them is no way to read others."""
        self._refused.update((unit, span) for span in way)

    def _is_free(self, unit: int, way: Way) -> bool:
        is_refused = any(unit == other and span.covers(bad) for other, bad in self._refused for span in way)
        return not is_refused and not any(form_of(unit, span) in self._owed for span in way)

    def _is_own(self, unit: int, way: Way) -> bool:
        """Whether none of its lengths was another address's."""
        return all(self._address_of.get(form_of(unit, span), span.address) == span.address for span in way)

    def _is_young(self, unit: int, now_ms: float) -> bool:
        if self._begun_ms is None:
            self._begun_ms = now_ms
        return self._follows_another and now_ms - self._begun_ms < YOUNG_MS and not self.owes(unit)

    def owes(self, unit: int) -> bool:
        """Whether any answer of the unit may still come."""
        return any(form.unit == unit for form in self._owed)

    def sent(self, unit: int, span: Span) -> None:
        self._address_of[form_of(unit, span)] = span.address

    def answered(self, latency_ms: float) -> None:
        self.longest_answer_ms = max(self.longest_answer_ms, latency_ms)

    def unanswered(self, unit: int, span: Span, sent_ms: float) -> None:
        """From now on an answer to this request is owed."""
        self._owed[form_of(unit, span)] = sent_ms

    def came(self, form: Form, now_ms: float) -> None:
        """An answer that was owed came after all, and was not believed."""
        sent_ms = self._owed.pop(form, None)
        if sent_ms is not None:
            self.answered(now_ms - sent_ms)

    def _forget(self, now_ms: float, timeout_ms: float) -> None:
        """Only while the line is open and flushed: the caller sees to it."""
        by_timeout_ms = max(FORGOTTEN_AFTER_TIMEOUTS * timeout_ms, SOONEST_FORGOTTEN_MS)
        after_ms = by_timeout_ms if self._forgotten_after_ms is None else self._forgotten_after_ms
        self._owed = {form: sent_ms for form, sent_ms in self._owed.items() if now_ms - sent_ms < after_ms}


def form_of(unit: int, span: Span) -> Form:
    return Form(unit, span.function, span.count)
