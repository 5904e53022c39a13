"""A batch of curated records: what array code may take, round by round, and what goes through the scalar step.

A gate concerns every supply point, so it divides the batch. Between gates supply points do not depend on each other: whatever
is not intervals of a plain lane goes through the scalar step at its turn among the records of its supply point. Of the plain
ones every channel is judged in columns up to its first odd unit, that unit is stepped, and the rest is judged again.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from state.columnar.judging import judge, standing_of
from state.columnar.lanes import Lane, Program, is_clear, make_lane
from state.columnar.placing import carry_out
from state.columnar.units import Ints, Units, collect
from state.fold import Fold
from state.interval_list import IntervalList
from state.outputs import Outputs
from state.unit import Step, Unit

FEW_UNITS: Final = 12
"""So few are stepped sooner than judged in columns."""
ODD_UNITS: Final = 8
"""A channel with as many odd units in one batch is stepped to the end of it."""


class BatchFold:
    """A fold that takes batches; what it keeps besides the fold itself can be made again at any time."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._lanes: dict[tuple[str, str, str], tuple[int, Lane | None]] = {}

    def apply_batch(self, records: Iterable[tuple[Mapping[str, Any], int, int]], out: Outputs) -> None:
        """Process (curated record, curated offset, append_ms) in log order; rows are appended to `out`."""
        steps: list[Step] = []
        for record, curated_offset, append_ms in records:
            step = self.fold.admit(record, curated_offset, append_ms)
            if step is None:
                continue
            if record["type"] == "gate":
                self._apply(steps, out)
                steps = []
                self.fold.process(step, out)
            else:
                steps.append(step)
        self._apply(steps, out)

    def _apply(self, steps: list[Step], out: Outputs) -> None:
        """One stretch between gates: in waves, each supply point's next plain records together with those of all others."""
        waiting: dict[str, deque[Step]] = {}
        for step in steps:
            waiting.setdefault(step.record["supply_point"], deque()).append(step)
        while waiting:
            programs: dict[Program, list[tuple[Lane, Step]]] = {}
            for own in waiting.values():
                while own and self._lane(own[0]) is None:
                    self.fold.process(own.popleft(), out)
                while own and (lane := self._lane(own[0])) is not None:
                    programs.setdefault(lane.program, []).append((lane, own.popleft()))
            for program, given in programs.items():
                _Rounds(self.fold, program, given, out).run()
            waiting = {name: own for name, own in waiting.items() if own}

    def _lane(self, step: Step) -> Lane | None:
        """Where the step's intervals go, as things stand now; None if it is for the scalar step."""
        record = step.record
        if record["type"] != "intervals":
            return None
        key = (record["supply_point"], record["device"], record["register"])
        point = self.fold.points.get(key[0])
        if point is None:
            return None
        known = self._lanes.get(key)
        if known is None or known[0] != point.edition:
            known = self._lanes[key] = (point.edition, make_lane(point, key[1], key[2]))
        lane = known[1]
        return lane if lane is not None and is_clear(lane) else None


class _Rounds:
    """The channels of one program through one stretch of a batch."""

    def __init__(self, fold: Fold, program: Program, given: list[tuple[Lane, Step]], out: Outputs) -> None:
        self._fold, self._program, self._out = fold, program, out
        self._steps, self._units = collect(program, given, fold.curated_partition)
        self._lists: dict[int, tuple[IntervalList, Unit]] = {}

    def run(self) -> None:
        units = self._units
        low = np.searchsorted(units.channel, np.arange(len(self._steps.channels)))
        high = np.append(low[1:], len(units))
        odd = np.zeros(len(low), np.int64)
        while (active := np.flatnonzero(low < high)).size:
            if int((high - low)[active].sum()) <= FEW_UNITS:
                self._step_through(active, low, high)
                return
            given_up = active[odd[active] >= ODD_UNITS]
            self._step_through(given_up, low, high)
            active = active[odd[active] < ODD_UNITS]
            if active.size:
                low[active], is_odd = self._round(active, low, high)
                for channel in active[is_odd]:
                    self._step_one(int(low[channel]))
                    low[channel] += 1
                    odd[channel] += 1

    def _round(self, active: Ints, low: Ints, high: Ints) -> tuple[Ints, Any]:
        """Carry out the clean prefixes of some channels; returns where each ends, and whether on an odd unit."""
        number = high[active] - low[active]
        first = np.cumsum(number) - number
        channel = np.repeat(np.arange(len(active)), number)
        is_all = int(number.sum()) == len(self._units)
        units: Units = self._units
        if not is_all:
            units = units.take(np.arange(int(number.sum())) - first[channel] + low[active][channel])
        standing = standing_of([self._steps.channels[at] for at in active])
        judged = judge(self._program, standing, units, channel, first)
        if judged.taken.any():
            fold = self._fold
            carry_out(
                self._program,
                standing,
                self._steps,
                judged,
                fold.ledger,
                lambda step: fold.unit_of(step, self._out),
                self._out,
            )
        return low[active] + judged.reached - first, judged.is_odd

    def _step_through(self, channels: Ints, low: Ints, high: Ints) -> None:
        for channel in channels:
            for position in range(int(low[channel]), int(high[channel])):
                self._step_one(position)
            low[channel] = high[channel]

    def _step_one(self, position: int) -> None:
        """The scalar step for one unit."""
        number, at = int(self._units.step[position]), int(self._units.at[position])
        if number not in self._lists:
            step, lane = self._steps.steps[number], self._steps.lanes[self._steps.lane[number]]
            self._lists[number] = IntervalList(lane.point, step.record), self._fold.unit_of(step, self._out)
        intervals, unit = self._lists[number]
        self._fold.ledger[intervals.judge(at, unit)] += 1
