"""A clock that stands still while anybody works and leaps when all sleep: days of virtual time in seconds, the same every run.

Real sockets, threads and timeouts are in flight while a participant is awake, so time must not move then; when every participant
sleeps, nothing can happen before the earliest of them wakes, so time goes there at once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from edge_collector.reading import ClockQuality

SETTLING_PASSES: Final = 4
"""Turns of the event loop between the last participant's falling asleep and the leap: whoever was just told of an event gets to
run first, and may wake up by it."""

GOOD: Final = ClockQuality(is_synchronised=True, offset_ms=0, uncertainty_ms=1)


@dataclass(eq=False, slots=True)
class _Participant:
    """One who works between sleeps. `resting` counts its sleeps and waits, also those of tasks that it began."""

    takes_part: bool = True
    resting: int = 0


@dataclass(eq=False, slots=True)
class _Sleeper:
    """`until_ms` by the wall clock when `by_wall`, else by the monotonic one."""

    until_ms: float
    by_wall: bool
    who: _Participant
    woken: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


_current: ContextVar[_Participant | None] = ContextVar("participant", default=None)


class SteppedClock:
    """A `Clock` whose time moves only when all its participants are asleep.

    A participant is a task within `participant()`; a task that sleeps without saying anything is one from its first sleep to its
    end. Tasks begun by a participant rest for it (`asyncio.wait_for(clock.sleep(…))` is the task asleep), so a task that works
    beside the one that began it opens a `participant()` of its own. Whoever waits for another participant, or for anything else that needs
    time to pass, does so within `waiting()`. Servers and their like stand within `bystander()`: they are woken when their time comes, but
    neither hold time nor move it.
    """

    def __init__(self, now_ms: int, quality: ClockQuality = GOOD) -> None:
        self._start_ms = now_ms
        self._elapsed_ms = 0.0
        self._stepped_ms = 0
        self._quality = quality
        self._participants: set[_Participant] = set()
        self._sleepers: list[_Sleeper] = []

    def now_ms(self) -> int:
        return math.floor(self._wall(self._elapsed_ms))

    def monotonic_ms(self) -> float:
        return self._elapsed_ms

    def quality(self) -> ClockQuality:
        return self._quality

    def set_quality(self, quality: ClockQuality) -> None:
        """Say from now on that the clock is held so well."""
        self._quality = quality

    def step(self, span_ms: int) -> None:
        """Move the wall clock, forward or back, without time passing; who slept until an instant now past wakes."""
        self._stepped_ms += span_ms
        self._settle()

    async def sleep(self, span_ms: float) -> None:
        if span_ms <= 0:
            await asyncio.sleep(0)
            return
        await self._sleep(self._elapsed_ms + span_ms, by_wall=False)

    async def sleep_until(self, at_ms: int) -> None:
        if self.now_ms() >= at_ms:
            await asyncio.sleep(0)
        while self.now_ms() < at_ms:  # again when the clock was stepped back between waking and running
            await self._sleep(at_ms, by_wall=True)

    @contextmanager
    def participant(self) -> Iterator[None]:
        """Time stands still while the task in here is not asleep."""
        who = _Participant()
        self._participants.add(who)
        token = _current.set(who)
        try:
            yield
        finally:
            _current.reset(token)
            self._leave(who)

    @contextmanager
    def bystander(self) -> Iterator[None]:
        """Tasks in here, and those begun in here, sleep and wake but count for nothing."""
        token = _current.set(_Participant(takes_part=False))
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A participant in here waits for something that comes with time: it does not hold time."""
        who = self._who()
        who.resting += 1
        self._settle()
        try:
            yield
        finally:
            who.resting -= 1

    async def _sleep(self, until_ms: float, by_wall: bool) -> None:
        who = self._who()
        sleeper = _Sleeper(until_ms, by_wall, who)
        self._sleepers.append(sleeper)
        who.resting += 1
        self._settle()
        try:
            await sleeper.woken
        finally:
            if sleeper in self._sleepers:  # cancelled; who is woken has been counted awake already
                self._rouse(sleeper)

    def _rouse(self, sleeper: _Sleeper) -> None:
        self._sleepers.remove(sleeper)
        sleeper.who.resting -= 1

    def _who(self) -> _Participant:
        """Whom the running task counts for; a task that has not said so takes part from now to its end."""
        who = _current.get()
        if who is not None and (who in self._participants or not who.takes_part):
            return who
        who = _Participant()
        self._participants.add(who)
        _current.set(who)
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _, who=who: self._leave(who))  # type: ignore[misc]
        return who

    def _leave(self, who: _Participant) -> None:
        self._participants.discard(who)
        self._settle()

    def _all_rest(self) -> bool:
        return bool(self._participants) and all(who.resting > 0 for who in self._participants)

    def _settle(self, passes: int = SETTLING_PASSES) -> None:
        """Leap if all still rest after so many turns of the loop."""
        if not self._all_rest() or not self._sleepers:
            return
        if passes:
            asyncio.get_running_loop().call_soon(self._settle, passes - 1)
        else:
            self._leap()

    def _leap(self) -> None:
        """To the earliest sleeper; all whose time has come wake, in the order in which they fell asleep."""
        self._elapsed_ms = max(self._elapsed_ms, min(map(self._due, self._sleepers)))
        for sleeper in [one for one in self._sleepers if self._due(one) <= self._elapsed_ms]:
            self._rouse(sleeper)
            if not sleeper.woken.done():
                sleeper.woken.set_result(None)
        self._settle()  # bystanders alone may have been woken

    def _due(self, sleeper: _Sleeper) -> float:
        """When the sleeper wakes, by the monotonic clock."""
        return sleeper.until_ms - self._wall(0) if sleeper.by_wall else sleeper.until_ms

    def _wall(self, elapsed_ms: float) -> float:
        return self._start_ms + self._stepped_ms + elapsed_ms
