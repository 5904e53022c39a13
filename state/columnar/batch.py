"""A batch of curated records through the fold, in the order of the log: compiled rules, and the scalar step for what is not theirs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from state.columnar.lanes import Lanes, Name
from state.columnar.layout import Emitted, Ints
from state.columnar.readings import ReadingColumns
from state.columnar.rows import Places, emit, grow, make_room
from state.columnar.stretch import CROWDED, FULL, ODD, run
from state.codes import VERDICTS
from state.fold import Fold
from state.interval_list import IntervalList
from state.outputs import Outputs
from state.unit import Step, Unit

WHOLE = -1
"""Stands for an element: the record as a whole, not admitted yet."""


class Batch(NamedTuple):
    """Records of one curated partition in the order of the log; a position in the arrays a record."""

    readings: ReadingColumns
    names: Sequence[Name]
    """By the number in `readings.name`; a number keeps its name from batch to batch."""
    offsets: Ints
    append_ms: Ints
    record: Callable[[int], Mapping[str, Any]]
    """The record at a position, decoded."""


class BatchFold:
    """A fold that takes batches; what it keeps besides the fold itself can be made again at any time."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._lanes = Lanes(fold)

    def apply_batch(self, batch: Batch, out: Outputs) -> None:
        """Process a batch; rows are appended to `out`. The same rows and the same state as by `Fold.apply`."""
        if not len(batch.offsets):
            return
        self._lanes.learn(batch.names)
        taken = _Batch(self.fold, self._lanes, batch, out)
        taken.process()


class _Batch:
    """One batch on its way through a fold."""

    def __init__(self, fold: Fold, lanes: Lanes, batch: Batch, out: Outputs) -> None:
        self._fold, self._lanes, self._batch, self._out = fold, lanes, batch, out
        self._known_at_ms = np.maximum.accumulate(np.maximum(batch.append_ms, fold.known_at_ms))
        self._emitted: Emitted = make_room(len(batch.readings.value))
        self._list: tuple[int, IntervalList, Unit] | None = None

    def process(self) -> None:
        batch, fold = self._batch, self._fold
        if len(batch.readings.raw_partition):
            fold.marks.make_room(int(batch.readings.raw_partition.max()))
        first = 0
        for other in (*batch.readings.others.tolist(), len(batch.offsets)):
            end = int(np.searchsorted(batch.readings.at, other))
            self._run(first, end)
            first = end
            if other < len(batch.offsets):
                self._step(other)
        fold.curated_offset, fold.known_at_ms = int(batch.offsets[-1]), int(self._known_at_ms[-1])
        for verdict, number in zip(VERDICTS, self._emitted.verdicts.tolist(), strict=True):
            if number:
                fold.ledger[verdict] += number
        places = Places(
            batch.readings, batch.names, self._lanes.channel_names(), self._known_at_ms,
            (fold.curated_partition, batch.offsets),
        )  # fmt: skip
        emit(self._emitted, places, self._out)

    def _run(self, record: int, end: int) -> None:
        """The readings [record, end)."""
        element = WHOLE
        while record < end:
            ended, record, element = run(
                self._lanes.world(), self._batch.readings, self._fold.marks.array, record, element, end, self._emitted
            )
            if ended == FULL:
                self._emitted = grow(self._emitted)
            elif ended == CROWDED:
                self._lanes.make_room(int(self._batch.readings.name[record]))
            elif ended == ODD and element == WHOLE:
                self._step(int(self._batch.readings.at[record]))
                record += 1
            elif ended == ODD:
                self._step_one(record, element)
                element += 1

    def _step(self, position: int) -> None:
        """The scalar step for a whole record."""
        record = self._batch.record(position)
        self._fold.known_at_ms = int(self._known_at_ms[position])
        self._fold.apply(record, int(self._batch.offsets[position]), int(self._batch.append_ms[position]), self._out)
        if record["type"] != "gate":
            self._lanes.refresh(str(record["supply_point"]))

    def _step_one(self, record: int, element: int) -> None:
        """The scalar step for one element of a list, or for a register read, that has been admitted."""
        if self._list is None or self._list[0] != record:
            position = int(self._batch.readings.at[record])
            body = self._batch.record(position)
            step = Step(body, 0, int(self._batch.offsets[position]), int(self._known_at_ms[position]))
            if body["type"] == "register":
                self._fold.process(step, self._out)
                return
            intervals = IntervalList(self._fold.point(str(body["supply_point"])), body)
            self._list = record, intervals, self._fold.unit_of(step, self._out)
        _, intervals, unit = self._list
        self._fold.ledger[intervals.judge(element, unit)] += 1
