"""One line to meters: one request in flight, and no wrong word accepted.

**The hazard.** An RTU frame does not say which request it answers, and a gateway may answer every MBAP transaction with id 0. What comes
after its timeout is then taken for the answer to the next request of the same unit, function and length.

**What is done.** A frame is believed only if it has the unit, the function and exactly the number of words asked for, and came alone.
Everything else is a failure: silence, a broken connection, another length, a frame that nobody asked for, a caller that was cancelled.
After any failure

1. the connection is closed: what comes on it reaches nobody;
2. the line is quiet for longer than the longest answer seen on it, late ones counted, so that most of what is under way dies there;
3. a new connection is listened to until it is silent, and what comes is dropped: a gateway may have kept it;
4. no request goes out in a form (unit, function, length) in which an answer is owed: its registers are read in a block of another
   length, or in two pieces (`covering.py`), until the owed answer was seen, or is too old to come (`guard.py`). So the next request
   proves the line, by reading what is wanted in a length that no failed request had. A unit with no length left is not read
   (`Unprovable`).

**Why no wrong word passes.** Let a frame be believed for request r though it answers request q. Then q has r's form. If q was believed
to be answered, this is its second answer: excluded by (A). If not, q failed, an answer in its form was owed when r was about to be sent,
and r was not sent in that form (4), unless q was forgotten: excluded by (B). It does not matter on which connection the frame comes, in
which order, how many, or whether during the quiet. An exception frame has no length: while its unit owes anything it proves nothing, and
the request counts as unanswered; it never carries a word. A gateway's "target did not answer" is a timeout in another's hands: a failure.

**Assumed.** (A) A request is answered once. (B) No answer is later than 120 timeouts, unless a gateway keeps it and hands it out
when it is next opened. (C) An answer has the length asked for and holds the registers asked for; no frame passes its checksum by chance.
(D) Nobody else asks on the line. Where (A) or (B) fails, the plan still gives every block of a unit a length of its own, and the guard
prefers lengths that no other address ever had: what passes then is an older total of the same register, not another one. After each
failure `trust.py` reads the serial number before anything is published: content, where the rest of the proof is form. A restart
forgets what was owed: the collector then begins with listening, and for some seconds with other lengths than the plan's.

Where a unit has one length only and ids are echoed, the id alone must do; a serial line behind such a gateway is the gateway's to guard.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edge_collector.clock import Clock
from edge_collector.connection import (
    SHORTEST_FRAME_BYTES,
    Connection,
    Frame,
    UnableToConnect,
    UnableToExchange,
)
from edge_collector.covering import OtherWays, Piece, Way, words_of
from edge_collector.guard import Guard, form_of
from edge_collector.link_failures import (
    LinkFailure,
    NoAnswer,
    Refused,
    Unprovable,
    Unreachable,
    WrongAnswer,
    WrongLength,
)
from edge_collector.profile import Span
from edge_collector.transport import Framing, Transport, framing_of

LONGEST_SETTLING_MS: Final = 50
FLUSHES: Final = 20
"""A new connection that is still not silent after so many listenings babbles, and is given up."""

FIRST_BACKOFF_MS: Final = 1000
LONGEST_BACKOFF_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Timing:
    """`timeout_ms` for one answer; `quiet_ms`, the least that a failed line is left alone."""

    timeout_ms: float = 1000
    quiet_ms: float = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """The words asked for, in order. Sent and received by the wall clock, in ms of UTC: of the first request and the last answer where
    two pieces were read. `latency_ms` is the slowest request's, by the monotonic clock."""

    words: tuple[int, ...]
    sent_ms: int
    received_ms: int
    latency_ms: float


def _ignore(_kind: str) -> None:
    """For who does not count."""


class Link:
    """Read registers over one transport. Callers may be many; their requests go one after the other.

    Timeouts, quiet and forgetting take the event loop's time, as the wire does; stamps and the wait for an unreachable line go by
    `clock`. `on_guard` hears of everything that the guard stopped, by kind.
    """

    def __init__(
        self,
        transport: Transport,
        timing: Timing,
        clock: Clock,
        guard: Guard | None = None,
        on_guard: Callable[[str], None] = _ignore,
    ) -> None:
        self._transport = transport
        self._timing = timing
        self._clock = clock
        self.guard = guard or Guard()
        self.guard.last_transaction = self.guard.last_transaction or random.randrange(1, 60_000)
        self._on_guard = on_guard
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None
        self._failed_at_ms: float | None = None
        self._backoff_ms = 0.0
        self._retry_from_ms = 0.0

    async def read(self, unit: int, span: Span, other_ways: OtherWays = tuple) -> Answer:
        """The words of a span; `other_ways` gives more forms in which it may be read, the best first.

        Raises `NoAnswer`, `WrongLength`, `WrongAnswer`, `Refused`, `Unreachable`, `Unprovable`.
        """
        async with self._lock:
            way, answers = await self._read(unit, (span,), other_ways)
        pieces = [Piece(one.address, answer.words) for one, answer in zip(way, answers, strict=True)]
        return Answer(
            words_of(span, pieces),
            answers[0].sent_ms,
            answers[-1].received_ms,
            max(answer.latency_ms for answer in answers),
        )

    @property
    def retry_in_ms(self) -> float:
        """How long until an unreachable line may be tried again."""
        return max(self._retry_from_ms - self._clock.monotonic_ms(), 0)

    async def close(self) -> None:
        """After the request in flight."""
        async with self._lock:
            self._drop()

    async def _read(self, unit: int, planned: Way, other_ways: OtherWays) -> tuple[Way, list[Answer]]:
        """By the first way that the guard and the unit allow."""
        while True:
            connection = await self._opened()
            way = self.guard.choose(unit, planned, other_ways, _now_ms(), self._timing.timeout_ms)
            if way is None:
                self._on_guard(Unprovable.reason)
                raise Unprovable(f"unit {unit}: late answers may still come in every length of this block")
            if way != planned:
                self._on_guard("other_length")
            try:
                return way, [await self._ask(connection, unit, one) for one in way]
            except Refused as why:
                if way == planned or not why.is_in_vain:
                    raise
                self.guard.refused(unit, way)  # it may have what was asked for, if not what surrounds it

    async def _ask(self, connection: Connection, unit: int, span: Span) -> Answer:
        sent_ms, asked_ms = self._clock.now_ms(), _now_ms()
        self.guard.sent(unit, span)
        try:
            if connection.stray_bytes >= SHORTEST_FRAME_BYTES:
                raise WrongAnswer("a frame came that nobody had asked for")
            frame = await connection.exchange(unit, span)
            self._judge(frame, unit, span)
        except Refused as why:
            if self.guard.owes(unit) or not why.is_refusal:
                self._fail("refused_in_doubt", unit, span, asked_ms)
            raise
        except LinkFailure as why:
            self._fail(why.reason, unit, span, asked_ms)
            raise
        except (TimeoutError, UnableToExchange) as why:
            self._fail(NoAnswer.reason, unit, span, asked_ms)
            raise NoAnswer(str(why) or f"nothing within {self._timing.timeout_ms:g} ms") from why
        except BaseException:  # cancelled, or a bug: the request is out all the same
            self._fail("cancelled", unit, span, asked_ms)
            raise
        latency_ms = _now_ms() - asked_ms
        self.guard.answered(latency_ms)
        return Answer(frame.words, sent_ms, self._clock.now_ms(), latency_ms)

    def _judge(self, frame: Frame, unit: int, span: Span) -> None:
        """Whether the frame answers the request."""
        if frame.unit != unit or frame.function != span.function:
            raise WrongAnswer(f"unit {frame.unit}, function {frame.function} answered")
        self._judge_transaction(frame)
        if frame.exception:
            raise Refused(frame.exception)
        if len(frame.words) != span.count:
            self._note(frame)
            raise WrongLength(f"{len(frame.words)} words came, {span.count} were asked for")
        if frame.surplus_bytes >= SHORTEST_FRAME_BYTES and not frame.transaction:
            raise WrongAnswer(f"{frame.surplus_bytes} more bytes came with the answer")

    def _judge_transaction(self, frame: Frame) -> None:
        """Whoever echoed ids before is not believed without; an id that comes is the right one, pymodbus drops the others."""
        if framing_of(self._transport) is Framing.RTU:
            return
        if frame.transaction == 0 and self.guard.echoes_ids:
            self.guard.echoes_ids = None
            raise WrongAnswer("transaction id 0, where ids were echoed before")
        self.guard.echoes_ids = frame.transaction != 0

    def _note(self, frame: Frame) -> None:
        """A frame came that may be owed, and is not believed."""
        if not frame.exception:
            form = form_of(frame.unit, Span(frame.function, 0, len(frame.words)))
            self.guard.came(form, _now_ms())

    def _fail(self, kind: str, unit: int, span: Span, asked_ms: float) -> None:
        self.guard.unanswered(unit, span, asked_ms)
        self._on_guard(kind)
        self._drop()
        self._failed_at_ms = _now_ms()

    def _drop(self) -> None:
        if self._connection is not None:
            for frame in self._connection.strays:
                self._note(frame)
            self.guard.last_transaction = self._connection.last_transaction
            self._connection.close()
            self._connection = None

    async def _opened(self) -> Connection:
        """The connection, made anew after a failure, after the other side closed it, and after it spoke unasked."""
        connection = self._connection
        if connection is not None and connection.is_open and connection.stray_bytes < SHORTEST_FRAME_BYTES:
            return connection
        if connection is not None and connection.stray_bytes >= SHORTEST_FRAME_BYTES:
            self._on_guard("unasked")
            self._failed_at_ms = _now_ms()
        self._drop()
        if self.retry_in_ms > 0:
            raise Unreachable(f"not tried again for {self.retry_in_ms:.0f} ms")
        await self._be_quiet()
        connection = Connection(self._transport, self._timing.timeout_ms, self.guard.last_transaction)
        try:
            await connection.open()
            await self._flush(connection)
        except BaseException as why:
            connection.close()
            if not isinstance(why, UnableToConnect):
                raise
            self._back_off()
            raise Unreachable(str(why)) from why
        self._backoff_ms = 0
        self._failed_at_ms = None
        self._connection = connection
        return connection

    async def _be_quiet(self) -> None:
        if self._failed_at_ms is None:
            return
        quiet_ms = self.guard.quiet_ms(self._timing.quiet_ms, self._timing.timeout_ms)
        await asyncio.sleep(max(self._failed_at_ms + quiet_ms - _now_ms(), 0) / 1000)

    async def _flush(self, connection: Connection) -> None:
        """Listen until a new connection is silent. Raises `UnableToConnect` for one that never is."""
        settling_s = min(self._timing.quiet_ms, LONGEST_SETTLING_MS) / 1000
        for _ in range(FLUSHES):
            await asyncio.sleep(settling_s)
            if not connection.stray_bytes:
                return
            self._on_guard("flushed")
            for frame in connection.strays:
                self._note(frame)
            connection.strays.clear()
            connection.stray_bytes = 0
        raise UnableToConnect("the line never falls silent: does anybody else ask on it?")

    def _back_off(self) -> None:
        self._backoff_ms = min(max(2 * self._backoff_ms, FIRST_BACKOFF_MS), LONGEST_BACKOFF_MS)
        self._retry_from_ms = self._clock.monotonic_ms() + self._backoff_ms


def _now_ms() -> float:
    """By the event loop's clock, which pymodbus's timeouts go by."""
    return asyncio.get_running_loop().time() * 1000
