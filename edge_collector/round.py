"""One boundary of one line: what is asked in which order, and the cycle that comes of it.

Energy of all living units first; what failed, once more; dead units that are due a probe; who needs to show its identity; totals that
deserve a second look; measurements while time remains. What one unit does not answer costs the others a timeout.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_collector.breaker import BreakerState
from edge_collector.clock import Clock
from edge_collector.link_failures import LinkFailure
from edge_collector.metrics import Metrics
from edge_collector.plan import Request
from edge_collector.poll import Block, Occasion, Poller, Taken, Unit, ignore, readings_of
from edge_collector.reading import Cycle, Flag, RegisterReading, StatusKind, StatusReport
from edge_collector.schedule import living, to_probe
from edge_collector.trust import UnableToIdentify, identity_of
from edge_collector.words import UnableToDecode

DOUBTS: Final = frozenset({Flag.ZERO, Flag.BACKWARD, Flag.SENTINEL})
UNIDENTIFIED: Final = "unidentified"
"""Why totals are not published yet: the meter did not say who it is."""

MOST_HELD: Final = 100
"""Boundaries of one unit that wait for its identity; older ones are given up."""

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
    _unknown: set[Unit] = field(default_factory=set)

    async def run(self, has_energy: bool, has_telemetry: bool) -> Cycle:
        """Ask, and put together what came."""
        if has_energy:
            await self._energy()
            await self._probes()
            self._report_missing()
            await self.identify([unit for unit in self.units if unit in self._blocks or unit.held])
            await self.identify(await self._look_again())
        readings = self._publish()
        if has_telemetry:
            await self._telemetry()
        self._report_breakers()
        polled = _names(unit for unit in self.units if not unit.held) if has_energy else ()
        return Cycle(self.occasion.boundary_ms, (*readings, *self._measured), tuple(self.reports), polled)

    async def settle(self) -> Cycle:
        """Between boundaries: let those show who they are whose totals are held for it; an empty cycle when none does."""
        waiting = [unit for unit in self.units if unit.held]
        await self.identify(waiting)
        settled = [unit for unit in waiting if unit not in self._unknown]
        boundary_ms = max((unit.held[-1].occasion.boundary_ms for unit in settled), default=self.occasion.boundary_ms)
        return Cycle(boundary_ms, tuple(self._publish()), tuple(self.reports), _names(settled))

    async def identify(self, units: Iterable[Unit]) -> None:
        """Let those show who they are whose turn it is; one that is dead is not asked."""
        for unit in units:
            self._unknown.discard(unit)
            now_ms = self.clock.monotonic_ms()
            if not unit.trust.is_due(now_ms):
                continue
            may_ask = self._has_time() and unit.breaker.state(now_ms) is not BreakerState.OPEN
            if not may_ask or not await self.show_identity(unit):
                self._unknown.add(unit)

    def _publish(self) -> list[RegisterReading]:
        """The totals of who is known, also those that were held; the others' are held."""
        readings: list[RegisterReading] = []
        for unit in self.units:
            blocks = self._blocks.pop(unit, ())
            if blocks:
                unit.held.append(Taken(self.occasion, tuple(blocks)))
            if unit not in self._unknown:
                readings += self._totals(unit)
            elif blocks:
                self._note_held(unit)
        return readings

    def _note_held(self, unit: Unit) -> None:
        self.metrics.failed(self.poller.name, unit.device, UNIDENTIFIED)
        if len(unit.held) == 1:
            self._report(unit, "the meter answers, but does not say who it is: its totals wait until it does")
        if len(unit.held) > MOST_HELD:
            self._report(unit, "nobody knows whose the oldest of its totals is: it is given up")
            unit.held.pop(0)

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
            if not unit.held:  # else it has been said
                self._report(unit, str(why))
            return False
        if report:
            logger.warning("%s: %s", unit.device, report.detail)
            self.reports.append(report)
        return True

    async def _look_again(self) -> list[Unit]:
        """Read blocks with a doubtful total once more. A total that really fell may be another meter's: the units of such."""
        doubted: list[Unit] = []
        for unit, blocks in self._blocks.items():
            for at, block in enumerate(blocks):
                if not self._doubts(unit, block) or not self._has_time():
                    continue
                again = await self.poller.ask(unit, block.request)
                if isinstance(again, Block):
                    blocks[at] = again
                if self._doubts(unit, blocks[at]) - {Flag.SENTINEL}:
                    unit.trust.doubt()
                    doubted.append(unit)
        return doubted

    def _doubts(self, unit: Unit, block: Block) -> set[Flag]:
        return {flag for one in readings_of(unit, block, self.occasion, ignore) for flag in one.flags if flag in DOUBTS}

    def _totals(self, unit: Unit) -> list[RegisterReading]:
        held, unit.held = unit.held, []
        readings: list[RegisterReading] = []
        for taken in held:
            for block in taken.blocks:
                for reading in self._readings(unit, block, taken.occasion):
                    unit.trust.published(reading.register, reading.count)
                    readings.append(reading)
        return readings

    async def _telemetry(self) -> None:
        for unit in living(self.units):
            for request in unit.site.plan.telemetry:
                if not self._has_time():
                    return
                came = await self.poller.ask(unit, request)
                if isinstance(came, LinkFailure):
                    break
                self._measured += self._readings(unit, came, self.occasion)

    def _readings(self, unit: Unit, block: Block, occasion: Occasion) -> list[RegisterReading]:
        def note(register: str, reason: str) -> None:
            self.metrics.failed(self.poller.name, unit.device, reason)
            self._report(unit, f"{register}: the words are {reason}")

        return list(readings_of(unit, block, occasion, note))

    def _report_missing(self) -> None:
        """What was not read, when that begins; of a dead unit its breaker speaks."""
        for unit in self.units:
            came = {spec.name for block in self._blocks.get(unit, ()) for spec in block.request.registers}
            missing = [spec.name for spec in unit.site.profile.billing if spec.name not in came]
            if missing and not unit.was_missing and unit.breaker.is_closed:
                self._report(unit, f"not read at this boundary: {', '.join(missing)}")
            unit.was_missing = bool(missing)

    def _report_breakers(self) -> None:
        for unit in self.units:
            self.metrics.breaker(self.poller.name, unit.device, unit.breaker.state(self.clock.monotonic_ms()))
            is_dead = not unit.breaker.is_closed
            if is_dead and not unit.is_called_dead:
                self._report(unit, "does not answer; asked more and more rarely until it does")
            elif unit.is_called_dead and not is_dead:
                self._report(unit, "answers again")
            unit.is_called_dead = is_dead

    def _report(self, unit: Unit, detail: str) -> None:
        logger.warning("%s: %s", unit.device, detail)
        self.reports.append(StatusReport(unit.device, self.clock.now_ms(), StatusKind.COMMUNICATION, detail))

    def _has_time(self) -> bool:
        return self.clock.monotonic_ms() < self.until_ms


def _names(units: Iterable[Unit]) -> tuple[str, ...]:
    """The devices that units stand for: the site's, and that of an exchanged meter."""
    return tuple(dict.fromkeys(name for unit in units for name in (unit.device, unit.trust.name)))
