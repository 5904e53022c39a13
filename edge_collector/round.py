"""One boundary of one line: what is asked in which order, and the cycle that comes of it.

Energy of all living units first; what failed, once more; dead units that are due a probe; who needs to show its identity; totals that
deserve a second look; measurements while time remains. What one unit does not answer costs the others a timeout.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_collector.clock import Clock
from edge_collector.link_failures import LinkFailure
from edge_collector.metrics import Metrics
from edge_collector.plan import Request
from edge_collector.poll import Block, Occasion, Poller, Unit, ignore, readings_of
from edge_collector.reading import Cycle, Flag, RegisterReading, StatusKind, StatusReport
from edge_collector.schedule import living, to_probe
from edge_collector.trust import UnableToIdentify, identity_of
from edge_collector.words import UnableToDecode

DOUBTS: Final = frozenset({Flag.ZERO, Flag.BACKWARD, Flag.SENTINEL})
UNIDENTIFIED: Final = "unidentified"
"""Why totals are not published: the meter did not say who it is."""

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Round:
    """`until_ms`, of the monotonic clock, is when the line must be free for the next boundary; `span_ms` before it began."""

    poller: Poller
    units: Sequence[Unit]
    occasion: Occasion
    until_ms: float
    span_ms: float
    clock: Clock
    metrics: Metrics
    reports: list[StatusReport] = field(default_factory=list)
    _blocks: dict[Unit, list[Block]] = field(default_factory=dict)
    _measured: list[RegisterReading] = field(default_factory=list)

    async def run(self, has_energy: bool, has_telemetry: bool) -> Cycle:
        """Ask, and put together what came."""
        before = {unit: unit.breaker.is_closed for unit in self.units}
        if has_energy:
            await self._energy()
            await self._probes()
            await self.identify(list(self._blocks))
            await self._look_again()
            await self.identify(list(self._blocks))
        readings = [reading for unit in self._blocks for reading in self._totals(unit)]
        if has_telemetry:
            await self._telemetry()
        self._report_breakers(before)
        polled = dict.fromkeys(name for unit in self.units for name in (unit.device, unit.trust.name))
        return Cycle(
            self.occasion.boundary_ms,
            (*readings, *self._measured),
            tuple(self.reports),
            tuple(polled) if has_energy else (),
        )

    async def identify(self, units: Iterable[Unit]) -> None:
        """Let those show who they are whose turn it is; the totals of one that does not are given up."""
        for unit in units:
            if not unit.trust.is_due(self.clock.monotonic_ms()):
                continue
            if self._has_time() and await self.show_identity(unit):
                continue
            if self._blocks.pop(unit, None):
                self.metrics.failed(self.poller.name, unit.device, UNIDENTIFIED)
                self._report(unit, "the meter answers, but does not say who it is: its totals are not published")

    async def _energy(self) -> None:
        again = [
            (unit, missing)
            for unit in living(self.units)
            if (missing := await self._take(unit, unit.site.plan.billing))
        ]
        for unit, missing in again:
            while missing and unit.breaker.is_closed and await self._wait_for_the_line():
                self.metrics.retried(self.poller.name, unit.device)
                missing = await self._take(unit, missing)
                if not self.poller.link.retry_in_ms:
                    break

    async def _wait_for_the_line(self) -> bool:
        """Until an unreachable line may be tried again; false when that would be too late for this boundary."""
        wait_ms = self.poller.link.retry_in_ms
        begun_ms = self.until_ms - self.span_ms
        if self.clock.monotonic_ms() + wait_ms > min(self.until_ms, begun_ms + self.occasion.tolerance_ms):
            return False
        await self.clock.sleep(wait_ms)
        return True

    async def _probes(self) -> None:
        """One timeout each. When a line that seemed dead altogether answers again, all its units are asked at once."""
        was_all_dead = not living(self.units)
        waiting = to_probe(self.units, self.clock.monotonic_ms())
        while waiting and self._has_time():
            unit = waiting.pop(0)
            await self._take(unit, unit.site.plan.billing)
            if was_all_dead and unit.breaker.is_closed:
                was_all_dead = False
                waiting = [other for other in self.units if not other.breaker.is_closed]

    async def _take(self, unit: Unit, requests: Sequence[Request]) -> list[Request]:
        """Blocks of one unit; those that did not come and may come yet. The first failure that is no refusal ends it."""
        missing: list[Request] = []
        for at, request in enumerate(requests):
            came = await self.poller.ask(unit, request)
            if isinstance(came, Block):
                self._blocks.setdefault(unit, []).append(came)
                middle_ms = (came.answer.sent_ms + came.answer.received_ms) / 2
                self.metrics.skewed(self.poller.name, middle_ms - self.occasion.boundary_ms)
            elif came.is_refusal:
                missing += [] if came.is_in_vain else [request]
            else:
                return [*missing, *requests[at:]]
        return missing

    async def show_identity(self, unit: Unit) -> bool:
        """Whether the unit said who it is. A refusal for good is an answer: it has no such register."""
        blocks: list[tuple[Request, Sequence[int] | None]] = []
        for request in unit.site.plan.identity:
            came = await self.poller.ask(unit, request)
            if not isinstance(came, Block) and not came.is_in_vain:
                self.metrics.retried(self.poller.name, unit.device)
                came = await self.poller.ask(unit, request)
            if isinstance(came, Block):
                blocks.append((request, came.answer.words))
            elif came.is_in_vain:
                blocks.append((request, None))
            else:
                return False
        try:
            identity = identity_of(blocks)
            report = unit.trust.identified(identity, self.clock.monotonic_ms(), self.clock.now_ms())
        except (UnableToDecode, UnableToIdentify) as why:
            self._report(unit, str(why))
            return False
        if report:
            logger.warning("%s: %s", unit.device, report.detail)
            self.reports.append(report)
        return True

    async def _look_again(self) -> None:
        """Read blocks with a doubtful total once more. A total that really fell may be another meter's."""
        for unit, blocks in self._blocks.items():
            for at, block in enumerate(blocks):
                if not self._doubts(unit, block) or not self._has_time():
                    continue
                again = await self.poller.ask(unit, block.request)
                if isinstance(again, Block):
                    blocks[at] = again
                if self._doubts(unit, blocks[at]) - {Flag.SENTINEL}:
                    unit.trust.doubt()

    def _doubts(self, unit: Unit, block: Block) -> set[Flag]:
        return {flag for one in readings_of(unit, block, self.occasion, ignore) for flag in one.flags if flag in DOUBTS}

    def _totals(self, unit: Unit) -> list[RegisterReading]:
        readings = [reading for block in self._blocks[unit] for reading in self._readings(unit, block)]
        for reading in readings:
            unit.trust.published(reading.register, reading.count)
        return readings

    async def _telemetry(self) -> None:
        for unit in living(self.units):
            for request in unit.site.plan.telemetry:
                if not self._has_time():
                    return
                came = await self.poller.ask(unit, request)
                if isinstance(came, LinkFailure):
                    break
                self._measured += self._readings(unit, came)

    def _readings(self, unit: Unit, block: Block) -> list[RegisterReading]:
        def note(register: str, reason: str) -> None:
            self.metrics.failed(self.poller.name, unit.device, reason)
            self._report(unit, f"{register}: the words are {reason}")

        return list(readings_of(unit, block, self.occasion, note))

    def _report_breakers(self, before: dict[Unit, bool]) -> None:
        for unit, was_closed in before.items():
            self.metrics.breaker(self.poller.name, unit.device, unit.breaker.state(self.clock.monotonic_ms()))
            if was_closed and not unit.breaker.is_closed:
                self._report(unit, "does not answer; asked more and more rarely until it does")
            elif not was_closed and unit.breaker.is_closed:
                self._report(unit, "answers again")

    def _report(self, unit: Unit, detail: str) -> None:
        logger.warning("%s: %s", unit.device, detail)
        self.reports.append(StatusReport(unit.device, self.clock.now_ms(), StatusKind.COMMUNICATION, detail))

    def _has_time(self) -> bool:
        return self.clock.monotonic_ms() < self.until_ms
