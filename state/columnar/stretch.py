"""A stretch of a batch through the compiled rules: record after record, element after element, until one is for others."""

import numpy as np

from state.columnar.intervals import DONE, FULL, ODD, judge_interval
from state.columnar.jit import compiled
from state.columnar.layout import BY_READ, Emitted, Ints, Unit, World
from state.columnar.readings import INTERVALS, ReadingColumns


@compiled
def run(
    world: World, readings: ReadingColumns, marks: Ints, first: int, element: int, end: int, out: Emitted
) -> tuple[int, int, int]:
    """Process the records [first, end), the first of them from an element on; returns (how it ended, record, element).

    ODD: that element of that record is for the scalar step (element -1: the record as a whole, not admitted yet). FULL: to be
    called again there with more room. `marks`: per raw partition the (offset, sub) processed. `element` -1: the record has not
    been admitted.
    """
    for record in range(first, end):
        lane = world.lanes[readings.name[record]]
        if element < 0:
            if readings.kind[record] != INTERVALS or readings.interval_s[record] <= 0 or lane.is_plain == 0:
                return ODD, record, -1
            element = admit(readings, marks, record)
        length_ms = readings.interval_s[record] * 1000
        while element < readings.number[record]:
            at = readings.first[record] + element
            arriving = (
                readings.start_ms[record] + element * length_ms, length_ms, readings.version[record],
                readings.value[at], readings.is_number[at], np.int64(readings.quality[at]), readings.received_ms[record],
            )  # fmt: skip
            ended = judge_interval(world, lane, arriving, Unit(record, element, BY_READ), out)
            if ended != DONE:
                return ended, record, element
            element += 1
        element = -1
    return DONE, end, -1


@compiled
def admit(readings: ReadingColumns, marks: Ints, record: int) -> int:
    """Move the mark of the record's raw partition; returns the first element above it (docs/rules.md section 1)."""
    partition, offset = readings.raw_partition[record], readings.raw_offset[record]
    sub, number = readings.sub[record], readings.number[record]
    marked_offset, marked_sub = marks[partition, 0], marks[partition, 1]
    if offset < marked_offset:
        return number  # type: ignore[no-any-return]
    first_new = max(marked_sub - sub + 1, 0) if offset == marked_offset else 0
    if first_new < number:
        marks[partition, 0] = offset
        marks[partition, 1] = sub + number - 1
    return first_new  # type: ignore[no-any-return]


__all__ = ["DONE", "FULL", "ODD", "run"]
