"""A batch of curated records through the fold, in the order of the log: compiled rules, and the scalar step for what is not theirs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from state.channel import Channel
from state.codes import VERDICTS
from state.columnar.lanes import Lanes, Name
from state.columnar.layout import BY_GATE, BY_HEARTBEAT, Emitted, Ints
from state.columnar.readings import ReadingColumns
from state.columnar.rows import Places, emit, grow, make_room, with_carriers
from state.columnar.silence import close
from state.columnar.stretch import CRAMPED, CROWDED, DONE, FULL, ODD, run
from state.fold import Fold
from state.hardening import rise
from state.interval_list import IntervalList
from state.outputs import Outputs
from state.unit import GATE, HEARTBEAT, Step, Unit

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

    def apply_records(self, records: Iterable[tuple[Mapping[str, Any], int, int]], out: Outputs) -> None:
        """Process (record, curated offset, append_ms) by the scalar step: for so few that compiled code is not worth loading."""
        for record, offset, append_ms in records:
            self.fold.apply(record, offset, append_ms, out)
            if record["type"] not in ("intervals", "register"):
                self._lanes.refresh(str(record["supply_point"]))

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
        self._others = [batch.record(at) for at in batch.readings.others.tolist()]
        self._readings = with_carriers(batch.readings, self._others)
        self._emitted: Emitted = make_room(len(batch.readings.value))
        self._pages = 64
        """As many pages of rings are to be at hand."""
        self._list: tuple[int, IntervalList, Unit] | None = None

    def process(self) -> None:
        """Everything, in the order of the log."""
        at, others, fold = self._batch.readings.at, self._batch.readings.others.tolist(), self._fold
        if len(at):
            fold.marks.make_room(int(self._batch.readings.raw_partition.max()))
        first = 0
        for number, other in enumerate(others):
            end = int(np.searchsorted(at, other))
            self._run(first, end)
            self._control(other, self._others[number], len(at) + number)
            first = end
        self._run(first, len(at))
        self._conclude()

    def _conclude(self) -> None:
        """Bring the fold's own numbers up to the end of the batch, and hand the rows over."""
        batch, fold = self._batch, self._fold
        fold.curated_offset, fold.known_at_ms = int(batch.offsets[-1]), int(self._known_at_ms[-1])
        for verdict, number in zip(VERDICTS, self._emitted.verdicts.tolist(), strict=True):
            if number:
                fold.ledger[verdict] += number
        self._lanes.vocabulary.look(batch.names, self._lanes.channels)
        curated = (fold.curated_partition, batch.offsets)
        emit(self._emitted, Places(self._readings, self._lanes.vocabulary, self._known_at_ms, curated), self._out)

    # -- readings ---------------------------------------------------------------------------------------------------

    def _run(self, record: int, end: int) -> None:
        """The readings [record, end)."""
        element = WHOLE
        while record < end:
            ended, record, element = run(
                self._lanes.world(), self._readings, self._fold.marks.array, record, element, end, self._emitted
            )
            self._make_room(ended)
            if ended == CROWDED:
                self._lanes.make_room(int(self._readings.name[record]))
            elif ended == ODD and element == WHOLE:
                position = int(self._readings.at[record])
                self._step(position, self._batch.record(position))
                record += 1
            elif ended == ODD:
                self._step_one(record, element)
                element += 1

    def _step_one(self, record: int, element: int) -> None:
        """The scalar step for one element of a list, or for a register read, that has been admitted."""
        if self._list is None or self._list[0] != record:
            position = int(self._readings.at[record])
            body = self._batch.record(position)
            step = Step(body, 0, int(self._batch.offsets[position]), int(self._known_at_ms[position]))
            if body["type"] == "register":
                self._fold.process(step, self._out)
                self._lanes.refresh(str(body["supply_point"]))
                return
            intervals = IntervalList(self._fold.point(str(body["supply_point"])), body)
            self._list = record, intervals, self._fold.unit_of(step, self._out)
        _, intervals, unit = self._list
        self._fold.ledger[intervals.judge(element, unit)] += 1
        self._lanes.refresh(str(self._batch.names[self._readings.name[record]][0]))

    def _make_room(self, ended: int) -> None:
        """More of what compiled code ended for the lack of, rows or pages."""
        if ended == FULL:
            self._emitted = grow(self._emitted)
        while ended == CRAMPED and not self._fold.tables.make_room(self._pages):
            self._pages *= 2

    # -- everything else --------------------------------------------------------------------------------------------

    def _control(self, position: int, body: Mapping[str, Any], record: int) -> None:
        """A record that is not among the readings; `record`: the number under which rows name it as their cause."""
        if body["type"] == "heartbeat":
            self._heartbeat(position, body, record)
        elif body["type"] == "gate":
            self._gate(position, body, record)
        else:
            self._step(position, body)

    def _step(self, position: int, body: Mapping[str, Any]) -> None:
        """The scalar step for a whole record."""
        step = self._admit(position, body)
        if step is not None:
            self._fold.process(step, self._out)
            self._lanes.refresh(str(body["supply_point"]))

    def _admit(self, position: int, body: Mapping[str, Any]) -> Step | None:
        self._fold.known_at_ms = int(self._known_at_ms[position])
        return self._fold.admit(body, int(self._batch.offsets[position]), int(self._batch.append_ms[position]))

    def _heartbeat(self, position: int, body: Mapping[str, Any], record: int) -> None:
        step = self._admit(position, body)
        if step is None:
            return
        point, unit = self._fold.point(str(body["supply_point"])), self._fold.unit_of(step, self._out)
        channels = self._fold.hear(point, body, unit)
        self._lanes.refresh(point.name)
        for channel in channels:
            if not self._lanes.is_compiled(channel):
                point.follow(channel, HEARTBEAT, unit)
                continue
            self._close([channel], 0, record, BY_HEARTBEAT)

    def _gate(self, position: int, body: Mapping[str, Any], record: int) -> None:
        step = self._admit(position, body)
        if step is None:
            return
        unit = self._fold.unit_of(step, self._out)
        passed_ms = self._fold.pass_gate(body, unit)
        if passed_ms is None:
            return
        channels = []
        for point, channel in self._fold.in_scope(str(body["scope"])):
            if self._lanes.is_compiled(channel):
                channels.append(channel)
            else:
                rise(channel, passed_ms, point.streams_of(channel), GATE, unit)
        self._close(channels, passed_ms, record, BY_GATE)

    def _close(self, channels: Sequence[Channel], until_ms: int, record: int, cause: int) -> None:
        """Raise channels in compiled code."""
        ended, reached, numbers = FULL, 0, np.array([channel.number for channel in channels], np.int64)
        while ended != DONE:
            ended, reached = close(self._lanes.world(), numbers, reached, until_ms, record, cause, self._emitted)
            self._make_room(ended)
