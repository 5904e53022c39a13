"""Carrying out requests: from the kept reads, from the meter's load profile, or from the meter now.

A request is answered once: what came of it is committed with its readings, so that a crash in between finds it done. The answer is kept
beside the request, logged, and goes into the raw log as a status of the device.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

import orjson

from edge_collector.clock import Clock
from edge_collector.outbox import Outbox, UnableToCommit
from edge_collector.reading import Cycle, RegisterReading, StatusKind, StatusReport
from edge_collector.requests import Answer, Asked, Request, RequestKind, Requests

LOOK_MS: Final = 2_000
_DONE: Final = "request/"

logger = logging.getLogger(__name__)


class UnableToReadAgain(Exception):
    """Why the meter gives nothing: it is not known, keeps no load profile, does not answer. For people."""


class Meters(Protocol):
    """Who can ask the meters. Readings carry the flag REREAD; both raise UnableToReadAgain."""

    async def reread(self, device: str, from_ms: int, to_ms: int) -> Sequence[RegisterReading]:
        """What the device's load profile holds of boundaries in [from, to)."""
        ...

    async def read_now(self, device: str) -> Sequence[RegisterReading]:
        """The device's billing registers at this moment."""
        ...


class Answering:
    """Looks for requests now and then and answers them one by one."""

    def __init__(self, requests: Requests, outbox: Outbox, meters: Meters, clock: Clock) -> None:
        self._requests, self._outbox, self._meters, self._clock = requests, outbox, meters, clock
        self._held: set[int] = set()  # carried out; the outbox commits what came of them when the disk has room again

    async def run(self, look_ms: float = LOOK_MS) -> None:
        """Until cancelled."""
        while True:
            await self.answer_all()
            await self._clock.sleep(look_ms)

    async def answer_all(self) -> int:
        """Answer what waits; how many."""
        waiting = await asyncio.to_thread(self._requests.waiting)
        for asked in waiting:
            answer = self._done_before(asked)
            if answer is None and asked.number not in self._held:
                answer = await self._carry_out(asked)
            if answer is not None:
                await asyncio.to_thread(self._close, asked, answer)
        return len(waiting)

    def _done_before(self, asked: Asked) -> Answer | None:
        """The answer that was committed before a crash."""
        text = self._outbox.recall(_DONE + asked.request.id)
        return None if text is None else Answer(**orjson.loads(text))

    async def _carry_out(self, asked: Asked) -> Answer | None:
        """None if the disk does not take the answer now: the request then waits."""
        readings: Sequence[RegisterReading] = ()
        try:
            readings, text = await self._read(asked.request)
            answer = Answer(False, text, self._clock.now_ms())
        except UnableToReadAgain as reason:
            answer = Answer(True, str(reason), self._clock.now_ms())
        try:
            await asyncio.to_thread(self._commit, asked, readings, answer)
        except UnableToCommit:
            self._held.add(asked.number)
            return None
        return answer

    async def _read(self, request: Request) -> tuple[Sequence[RegisterReading], str]:
        if request.kind is RequestKind.READ_NOW:
            readings = await self._meters.read_now(request.device)
            return readings, f"{len(readings)} registers read"
        assert request.from_ms is not None and request.to_ms is not None  # `check` saw to it
        window = request.device, request.from_ms, request.to_ms
        kept, waiting = await asyncio.to_thread(self._outbox.publish_again, *window)
        found = f"{kept} kept reads are published again, {waiting} were still to be published"
        try:
            readings = await self._meters.reread(*window)
        except UnableToReadAgain as reason:
            if not kept and not waiting:
                raise UnableToReadAgain(f"no read of that window is kept here, and {reason}") from reason
            return (), f"{found}; none from the meter: {reason}"
        return readings, f"{found}; {len(readings)} read from the meter"

    def _commit(self, asked: Asked, readings: Sequence[RegisterReading], answer: Answer) -> None:
        request = asked.request
        outcome = "refused" if answer.is_refused else "answered"
        detail = f"request {request.id} ({request.kind}, by {request.person}) {outcome}: {answer.text}"
        report = StatusReport(request.device, answer.at_ms, StatusKind.COMMUNICATION, detail)
        done = {"is_refused": answer.is_refused, "text": answer.text, "at_ms": answer.at_ms}
        memory = {_DONE + request.id: orjson.dumps(done).decode()}
        self._outbox.commit(Cycle(answer.at_ms, tuple(readings), (report,), ()), memory, again=asked.number)
        logger.info("%s", detail)

    def _close(self, asked: Asked, answer: Answer) -> None:
        self._requests.answer(asked.number, answer)
        self._outbox.forget(_DONE + asked.request.id)
