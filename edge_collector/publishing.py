"""From the outbox into the log: fresh boundary reads never wait behind a backlog, and a backlog goes oldest first.

A crash between publishing and noting it publishes the same records again, under the same read ids: the fold calls them duplicates.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from random import Random
from typing import Any, Final, Protocol, TypeVar

from connectors.codec import encode
from edge_collector.clock import Clock
from edge_collector.entry import Entry, Kind
from edge_collector.heartbeats import Heartbeat
from edge_collector.outbox import Outbox
from edge_collector.records import READS, TELEMETRY, heartbeat_record

BATCH: Final = 500
IDLE_MS: Final = 5_000
LAST_ERROR: Final = "publishing/last_error"
"""The key under which the outbox remembers why a batch was refused last."""

Done = TypeVar("Done")
logger = logging.getLogger(__name__)


class UnableToPublish(Exception):
    """The log did not take a batch, or perhaps some of it: all of it is to be published again."""


class Publisher(Protocol):
    """One log. Whatever stands behind it, `publish` returns when all entries are durable, in their order within each key."""

    async def publish(self, entries: Sequence[Entry]) -> None:
        """All of one topic. Raises UnableToPublish; then any beginning of each key's entries may have arrived."""
        ...

    async def close(self) -> None:
        """Let go of the log."""
        ...


class Watcher(Protocol):
    """Who counts what happens here; called from the event loop."""

    def published(self, topic: str, entries: int) -> None:
        """A batch stands in the log, and the outbox knows."""
        ...

    def refused(self, topic: str, reason: str) -> None:
        """A batch did not; it is tried again."""
        ...


class Unwatched:
    """Nobody counts."""

    def published(self, topic: str, entries: int) -> None:
        """Not counted."""

    def refused(self, topic: str, reason: str) -> None:
        """Not counted."""


class Backoff:
    """How long to wait after failures in a row: doubling from `first_ms` to `limit_ms`, of which a random half to whole is waited."""

    def __init__(self, random: Random, first_ms: float = 500, limit_ms: float = 60_000) -> None:
        self._random, self._first_ms, self._limit_ms = random, first_ms, limit_ms
        self._whole_ms = first_ms

    def next_ms(self) -> float:
        """The wait after one more failure."""
        whole_ms, self._whole_ms = self._whole_ms, min(2 * self._whole_ms, self._limit_ms)
        return self._random.uniform(whole_ms / 2, whole_ms)

    def succeeded(self) -> None:
        """Start over."""
        self._whole_ms = self._first_ms


async def in_thread(work: Callable[..., Done], *given: Any) -> Done:
    """Where the disk is waited for, while the links go on."""
    return await asyncio.to_thread(work, *given)


class Drain:
    """Empties an outbox into a log, for ever and with unlimited patience; each topic by itself, so that none waits for the other."""

    def __init__(
        self,
        outbox: Outbox,
        publisher: Publisher,
        clock: Clock,
        random: Random,
        watcher: Watcher | None = None,
        batch: int = BATCH,
        idle_ms: float = IDLE_MS,
        is_told: bool = True,
    ) -> None:
        """`is_told`: a commit wakes it; else it looks every `idle_ms` only."""
        self._outbox, self._publisher, self._clock = outbox, publisher, clock
        self._watcher: Watcher = watcher or Unwatched()
        self._batch, self._idle_ms, self._is_told = batch, idle_ms, is_told
        self._backoffs = {topic: Backoff(random) for topic in (READS, TELEMETRY)}
        self._woken = {topic: asyncio.Event() for topic in self._backoffs}
        self._last_error: tuple[str, str] | None = None

    def wake(self) -> None:
        """There is something new; call it in the event loop."""
        for event in self._woken.values():
            event.set()

    async def run(self, participant: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Until cancelled; commits wake it. `participant`: a stepped clock's, so that no time passes while a batch is under way."""
        loop = asyncio.get_running_loop()
        if self._is_told:
            self._outbox.tell(partial(_call_in, loop, self.wake))
        try:
            async with asyncio.TaskGroup() as tasks:
                for topic in self._backoffs:
                    tasks.create_task(self._run(topic, participant), name=f"drain {topic}")
        finally:
            self._outbox.tell(None)

    async def empty(self) -> None:
        """Publish until nothing waits; raises UnableToPublish at the first failure."""
        for topic in self._backoffs:
            while await self.step(topic):
                pass

    async def step(self, topic: str) -> int:
        """One batch of a topic and the heartbeats it allows; how many records. Raises UnableToPublish."""
        entries = await in_thread(self._next, topic)
        if entries:
            await self._publisher.publish(entries)
            await in_thread(self._outbox.delivered, [entry.sequence for entry in entries])
        beats = await self._beat() if topic == READS else 0
        self._backoffs[topic].succeeded()
        if entries or beats:
            self._watcher.published(topic, len(entries) + beats)
        return len(entries) + beats

    async def _run(self, topic: str, participant: Callable[[], AbstractContextManager[None]]) -> None:
        with participant():
            while True:
                self._woken[topic].clear()
                try:
                    while await self.step(topic):
                        pass
                    await self._rest(topic)
                except (UnableToPublish, sqlite3.OperationalError) as error:
                    await self._refused(topic, str(error))

    async def _refused(self, topic: str, reason: str) -> None:
        logger.warning("%s: %s", topic, reason)
        self._watcher.refused(topic, reason)
        if self._last_error != (topic, reason):  # each is a write, and a broker may be down for days
            self._last_error = topic, reason
            with suppress(sqlite3.Error):
                await in_thread(self._outbox.remember, LAST_ERROR, f"{topic}: {reason}")
        await self._clock.sleep(self._backoffs[topic].next_ms())

    async def _rest(self, topic: str) -> None:
        """Until woken, or for a while: what was written by another process wakes nobody."""
        waiters = [
            asyncio.ensure_future(self._woken[topic].wait()),
            asyncio.ensure_future(self._clock.sleep(self._idle_ms)),
        ]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()

    def _next(self, topic: str) -> list[Entry]:
        """Half a batch at most of what is fresh, the rest from the oldest on; in order of sequence."""
        fresh = self._outbox.fresh(self._batch // 2) if topic == READS else []
        oldest = self._outbox.backlog(topic, self._batch - len(fresh))
        together = {entry.sequence: entry for entry in (*fresh, *oldest)}
        return [together[sequence] for sequence in sorted(together)]

    async def _beat(self) -> int:
        """After what they speak for."""
        due = await in_thread(self._outbox.heartbeats_due)
        if due:
            await self._publisher.publish([_as_entry(each) for each in due])
            await in_thread(self._outbox.heartbeats_sent, due)
        return len(due)


def _call_in(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(work)


def _as_entry(heartbeat: Heartbeat) -> Entry:
    record = heartbeat_record(heartbeat.device, heartbeat.complete_through_ms, heartbeat.sequence)
    return Entry(heartbeat.sequence, Kind.STATUS, READS, heartbeat.device, heartbeat.device, encode(record))
