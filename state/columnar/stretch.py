"""A stretch of a batch through the compiled rules: record after record, element after element, until one is for others."""

from state.columnar.intervals import CRAMPED, CROWDED, DONE, FULL, ODD, judge_interval
from state.columnar.layout import BY_READ, Emitted, Ints, Unit, World, int64
from state.columnar.readings import INTERVALS, ReadingColumns
from state.columnar.register_reads import judge_register_read
from state.compiling import compiled, compiled_inside


@compiled
def run(
    world: World, readings: ReadingColumns, marks: Ints, first: int, element: int, end: int, out: Emitted
) -> tuple[int, int, int]:
    """Process the records [first, end), the first of them from an element on; returns (how it ended, record, element).

    ODD: that element of that record is for the scalar step (element -1: the record as a whole, not admitted yet). FULL, CROWDED, CRAMPED:
    to be called again there with more room, for rows, for the reads of its register or for pages. `marks`: per raw partition the (offset,
    sub) processed. `element` -1: the record has not been admitted.
    """
    for record in range(first, end):
        lane = world.lanes[readings.name[record]]
        if element < 0:
            if lane.is_plain == 0 or (readings.kind[record] == INTERVALS and readings.interval_s[record] <= 0):
                return ODD, record, -1
            element = admit(readings, marks, record)
        if readings.kind[record] != INTERVALS:
            if element < readings.number[record]:
                ended = ODD
                if lane.stream >= 0 and not readings.is_reset[record]:
                    arriving_read, received_ms = _register_read(readings, record), readings.received_ms[record]
                    unit = Unit(record, 0, BY_READ)
                    ended = judge_register_read(world, lane, arriving_read, received_ms, unit, out)
                if ended != DONE:
                    return ended, record, 0
            element = -1
            continue
        length_ms = readings.interval_s[record] * 1000
        while element < readings.number[record]:
            at = readings.first[record] + element
            arriving = (
                readings.start_ms[record] + element * length_ms, length_ms, readings.version[record],
                readings.value[at], readings.is_number[at], int64(readings.quality[at]), readings.received_ms[record],
            )  # fmt: skip
            ended = judge_interval(world, lane, arriving, Unit(record, element, BY_READ), out)
            if ended != DONE:
                return ended, record, element
            element += 1
        element = -1
    return DONE, end, -1


@compiled_inside
def _register_read(readings: ReadingColumns, record: int) -> tuple[int, int, int, int, int]:
    """A register read: (instant, total, decimals, version, quality)."""
    at = readings.first[record]
    return (
        readings.start_ms[record], readings.value[at], int64(readings.decimals[record]), readings.version[record],
        int64(readings.quality[at]),
    )  # fmt: skip


@compiled_inside
def admit(readings: ReadingColumns, marks: Ints, record: int) -> int:
    """Move the mark of the record's raw partition; returns the first element above it (docs/rules.md section 1)."""
    partition, offset = readings.raw_partition[record], readings.raw_offset[record]
    sub, number = readings.sub[record], readings.number[record]
    marked_offset, marked_sub = marks[partition, 0], marks[partition, 1]
    if offset < marked_offset:
        return number
    first_new = max(marked_sub - sub + 1, 0) if offset == marked_offset else 0
    if first_new < number:
        marks[partition, 0] = offset
        marks[partition, 1] = sub + number - 1
    return first_new


__all__ = ["CRAMPED", "CROWDED", "DONE", "FULL", "ODD", "run"]
