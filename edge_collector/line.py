"""One line of the site while the collector runs: waits for its boundaries, polls, commits; between them it reads what somebody asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, Protocol

from edge_collector.answering import UnableToReadAgain
from edge_collector.breaker import Breaker
from edge_collector.clock import Clock
from edge_collector.guard import Guard
from edge_collector.link import Link
from edge_collector.metrics import Metrics
from edge_collector.outbox import UnableToCommit
from edge_collector.poll import Occasion, Poller, Unit
from edge_collector.reading import Cycle, Flag, RegisterReading, StatusKind, StatusReport
from edge_collector.rereading import read_entries, read_totals, stored_boundaries
from edge_collector.round import Round
from edge_collector.schedule import Boundaries, ClockMark, Due, boundary_before
from edge_collector.site import LinkSite, Pace
from edge_collector.trust import Trust

LONGEST_SLEEP_MS: Final = 20_000
"""The clock is looked at so often: a step is noticed soon, also one backwards, which would prolong a sleep until an instant."""

RESTART_AFTER_MS: Final = 5_000

logger = logging.getLogger(__name__)


class WorkingClock(Clock, Protocol):
    """A clock that may stand still while one of its participants works (`simulate.clock`)."""

    def participant(self) -> AbstractContextManager[None]: ...

    def waiting(self) -> AbstractContextManager[None]: ...


class Store(Protocol):
    """The outbox, as far as a line needs it. `commit` may be called from any thread; it raises `UnableToCommit`, and holds the cycle."""

    def commit(self, cycle: Cycle, memory: Mapping[str, str] | None = None, again: int = 0) -> None: ...

    def recall(self, key: str) -> str | None: ...


class Line:
    """The worker of one link. `run` until `stop`; a cycle that has begun is finished and committed."""

    def __init__(
        self,
        site: LinkSite,
        pace: Pace,
        clock: WorkingClock,
        store: Store,
        metrics: Metrics,
        guard: Guard | None = None,
        longest_sleep_ms: float = LONGEST_SLEEP_MS,
    ) -> None:
        self.site = site
        self.pace = pace
        self._clock = clock
        self._longest_sleep_ms = longest_sleep_ms
        self._store = store
        self._metrics = metrics
        polled = store.recall(self._polled_key)
        guard = guard or Guard(follows_another=polled is not None)
        self.link = Link(site.transport, site.timing, clock, guard, lambda kind: metrics.guarded(site.name, kind))
        self.units = [Unit(unit, Trust(unit.device, unit.serial, store.recall), Breaker()) for unit in site.units]
        self._poller = Poller(site.name, self.link, clock, metrics)
        self._boundaries = Boundaries(pace.interval_ms, int(polled) if polled else None)
        self._measuring = Boundaries(pace.telemetry_ms)
        self._mark = ClockMark(clock.now_ms(), clock.monotonic_ms())
        self._stepped_ms = 0
        self._turn = asyncio.Lock()
        self._is_stopping = False
        self._is_asleep = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"line {self.site.name}")

    async def stop(self) -> None:
        """After the cycle that has begun."""
        self._is_stopping = True
        if self._task is not None:
            if self._is_asleep:
                self._task.cancel()
            with self._clock.waiting():
                await asyncio.wait({self._task})
        await self.link.close()

    async def read_now(self, unit: Unit) -> list[RegisterReading]:
        """The unit's billing registers at this moment. Raises `UnableToReadAgain`."""
        async with self._between():
            now_ms = self._clock.now_ms()
            return await read_totals(self._round(now_ms, (Flag.REREAD,), [unit]), unit)

    async def reread(self, unit: Unit, from_ms: int, to_ms: int) -> list[RegisterReading]:
        """What the unit's load profile holds of boundaries in [from, to). Raises `UnableToReadAgain`."""
        readings: list[RegisterReading] = []
        for boundary_ms in stored_boundaries(unit.site, from_ms, to_ms, self._clock.now_ms()):
            try:
                async with self._between():
                    readings += await read_entries(self._round(boundary_ms, (Flag.REREAD,), [unit]), unit, boundary_ms)
            except UnableToReadAgain:
                if not readings:
                    raise
                break
        return readings

    def _between(self) -> _Turn:
        return _Turn(self._turn, self._clock)

    # -- the worker -------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """A mistake of ours costs one cycle; the line goes on."""
        with self._clock.participant():
            while not self._is_stopping:
                try:
                    await self._work()
                except Exception as why:
                    logger.exception("%s: the worker failed, and starts again", self.site.name)
                    await self._say(f"the collector failed, and starts again: {why!r}")
                    await self._clock.sleep(RESTART_AFTER_MS)

    async def _work(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - boundary_before(now_ms, self.pace.interval_ms) > self.pace.tolerance_ms:
            self._boundaries.pass_over(now_ms)
            self._measuring.pass_over(now_ms)
            await self._identify()
            await self._sleep()
        while not self._is_stopping:
            self._note_step()
            now_ms = self._clock.now_ms()
            due, measuring = self._boundaries.due(now_ms), self._measuring.due(now_ms)
            if due or measuring:
                await self._poll(due, measuring)
            elif any(unit.held for unit in self.units):
                await self._settle()
            if not self._is_stopping:
                await self._sleep()

    def _note_step(self) -> None:
        """Look whether the wall clock was moved since the last look."""
        now = ClockMark(self._clock.now_ms(), self._clock.monotonic_ms())
        self._stepped_ms += self._mark.stepped_ms(now)
        self._mark = now

    async def _sleep(self) -> None:
        """Until the next boundary, or a little."""
        now_ms = self._clock.now_ms()
        next_ms = min(self._boundaries.next_ms(now_ms), self._measuring.next_ms(now_ms))
        self._is_asleep = True
        try:
            await self._clock.sleep(min(next_ms - now_ms, self._longest_sleep_ms))
        finally:
            self._is_asleep = False

    async def _poll(self, due: Due | None, measuring: Due | None) -> None:
        boundary_ms = due.boundary_ms if due else measuring.boundary_ms if measuring else 0
        async with self._turn:
            turn = self._round(boundary_ms, (), self.units)
            cycle = await turn.run(has_energy=due is not None, has_telemetry=measuring is not None)
            self._note_step()
            await self._commit(self._stamped(cycle, due) if due else cycle)
        self._metrics.clock(self._clock.quality())
        if due:
            self._metrics.polled(self.site.name, boundary_ms)

    def _stamped(self, cycle: Cycle, due: Due) -> Cycle:
        """The cycle with what is to be said of the clock, as every device of the line should know it."""
        step_ms, self._stepped_ms = self._stepped_ms, 0
        said: list[tuple[StatusKind, str, int | None, int | None]] = []
        if due.skipped:
            first_ms, last_ms = due.skipped
            detail = "nothing was read at the boundaries of this time"
            said.append((StatusKind.COMMUNICATION, detail, first_ms, last_ms + self.pace.interval_ms))
        readings = cycle.readings
        if step_ms:
            self._metrics.stepped()
            said.append((StatusKind.CLOCK, f"the collector's clock was moved by {step_ms / 1000:+g} s", None, None))
            readings = tuple(replace(one, flags=(*one.flags, Flag.CLOCK_STEPPED)) for one in readings)
        now_ms = self._clock.now_ms()
        reports = [
            StatusReport(unit.device, now_ms, kind, detail, None, from_ms, to_ms)
            for unit in self.units
            for kind, detail, from_ms, to_ms in said
        ]
        return replace(cycle, readings=readings, reports=(*cycle.reports, *reports))

    def _round(self, boundary_ms: int, flags: tuple[Flag, ...], units: list[Unit]) -> Round:
        now_ms = self._clock.now_ms()
        spare_ms = self.site.timing.timeout_ms + self.site.timing.quiet_ms
        left_ms = self._boundaries.next_ms(now_ms) - now_ms - spare_ms
        occasion = Occasion(boundary_ms, self.pace.tolerance_ms, self._clock.quality(), flags)
        until_ms = self._clock.monotonic_ms() + left_ms
        return Round(self._poller, units, occasion, until_ms, left_ms, self._clock, self._metrics)

    async def _identify(self) -> None:
        """Who is there, before the first boundary is."""
        async with self._turn:
            turn = self._round(self._clock.now_ms(), (), self.units)
            await turn.identify(self.units)
            if turn.reports:
                await self._commit(Cycle(turn.occasion.boundary_ms, (), tuple(turn.reports), ()))

    async def _settle(self) -> None:
        """Totals that wait for an identity go out as soon as it is known."""
        async with self._turn:
            cycle = await self._round(self._clock.now_ms(), (), self.units).settle()
            if cycle.polled or cycle.reports:
                await self._commit(cycle)

    async def _commit(self, cycle: Cycle) -> None:
        memory = {key: text for unit in self.units for key, text in unit.trust.take_memory().items()}
        if self._boundaries.last_ms is not None:
            memory[self._polled_key] = str(self._boundaries.last_ms)
        try:
            await asyncio.to_thread(self._store.commit, cycle, memory)
        except UnableToCommit as why:
            logger.error("%s: %s", self.site.name, why)

    async def _say(self, detail: str) -> None:
        now_ms = self._clock.now_ms()
        reports = [StatusReport(unit.device, now_ms, StatusKind.COMMUNICATION, detail) for unit in self.units]
        try:
            await self._commit(Cycle(now_ms, (), tuple(reports), ()))
        except Exception:  # perhaps the very thing that failed
            logger.exception("%s: that could not be reported", self.site.name)

    @property
    def _polled_key(self) -> str:
        return f"polled/{self.site.name}"


class _Turn:
    """The line for one request between boundaries; a clock that stands still does not wait for who waits for it."""

    def __init__(self, lock: asyncio.Lock, clock: WorkingClock) -> None:
        self._lock = lock
        self._clock = clock

    async def __aenter__(self) -> None:
        with self._clock.waiting():
            await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
