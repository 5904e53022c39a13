"""state/registers.py: the chain of good reads of one register, and the segments between them.

Only chains whose reads are good are carried on here; whatever makes a read bad, or turns the register over, is for the scalar step.
"""

from state.codes import HOUR_MS, QUANTITY_BOUND
from state.columnar.layout import NO_LIMIT, Records, Row, World
from state.compiling import compiled_inside
from state.registers import GOOD

LONGEST_MS = 3_000_000_000
"""Some 34 days: segments and distances below it are reckoned in int64."""
NO_SEGMENT, ODD_PAIR = -1, -2
"""What stands for a total where two reads have none between them, and where that is for the scalar step to say."""

BEYOND_BOUND = -1
"""Stands for a count that is too large to be one."""


@compiled_inside
def read_at(world: World, stream: Row, index: int) -> Row:
    """A stored read."""
    return world.reads[stream.reads_at + stream.first + index]


@compiled_inside
def position(world: World, stream: Row, at_ms: int) -> int:
    """Where a read of this instant stands or would stand; new ones stand at the end."""
    low, high = 0, stream.size
    if high and read_at(world, stream, high - 1).at_ms < at_ms:
        return high
    while low < high:
        middle = (low + high) // 2
        if read_at(world, stream, middle).at_ms < at_ms:
            low = middle + 1
        else:
            high = middle
    return low


@compiled_inside
def forget_before(world: World, stream: Row, base_ms: int) -> None:
    """Drop the reads before the base, except the last good one: the anchor."""
    if stream.size == 0 or read_at(world, stream, 0).at_ms >= base_ms:
        return
    cut = position(world, stream, base_ms)
    anchor = cut - 1
    while anchor >= 0 and read_at(world, stream, anchor).state != GOOD:
        anchor -= 1
    gone = cut
    if anchor >= 0:
        gone = cut - 1
        if anchor != gone:
            copy(read_at(world, stream, anchor), read_at(world, stream, gone))
    if gone == 0:
        return
    stream.first += gone
    stream.size -= gone
    stream.last_good = 0 if anchor >= 0 and stream.last_good == anchor else max(stream.last_good - gone, -1)
    stream.changes += 1


@compiled_inside
def copy(source: Row, target: Row) -> None:
    """Write one read over another."""
    target.at_ms = source.at_ms
    target.total = source.total
    target.version = source.version
    target.decimals = source.decimals
    target.quality = source.quality
    target.reset = source.reset
    target.refused = source.refused
    target.state = source.state


@compiled_inside
def make_room(world: World, stream: Row, index: int) -> None:
    """Move what is from a position on by one; there is room."""
    for at in range(stream.size, index, -1):
        copy(read_at(world, stream, at - 1), read_at(world, stream, at))
    stream.size += 1
    if index <= stream.last_good:
        stream.last_good += 1


@compiled_inside
def take_out(world: World, stream: Row, index: int) -> None:
    """The opposite of `make_room`."""
    for at in range(index, stream.size - 1):
        copy(read_at(world, stream, at + 1), read_at(world, stream, at))
    stream.size -= 1
    if index < stream.last_good:
        stream.last_good -= 1


@compiled_inside
def span_of(registers: Records, lane: Row, from_ms: int, to_ms: int) -> int:
    """The first span that contains both instants; -1: none."""
    for at in range(lane.registers_at, lane.registers_at + lane.registers_number):
        if registers[at].from_ms <= from_ms and to_ms <= registers[at].to_ms:
            return at
    return -1


@compiled_inside
def scaled_count(total: int, decimals: int, span: Row) -> int:
    """A total in counts of the span's last digit; BEYOND_BOUND where that would leave the bound."""
    for _ in range(span.decimals - decimals):
        if total > QUANTITY_BOUND // 10:
            return BEYOND_BOUND
        total *= 10
    return total


@compiled_inside
def total_between(world: World, lane: Row, good: Row, read: Row) -> tuple[int, int]:
    """(exact total, its span) of the segment between two consecutive good reads, or NO_SEGMENT or ODD_PAIR and -1."""
    at = span_of(world.registers, lane, good.at_ms, read.at_ms)
    if at < 0 or read.reset != 0:
        return NO_SEGMENT, -1
    span = world.registers[at]
    if read.at_ms - good.at_ms >= LONGEST_MS:
        return ODD_PAIR, -1
    before, after = scaled_count(good.total, good.decimals, span), scaled_count(read.total, read.decimals, span)
    if before == BEYOND_BOUND or after == BEYOND_BOUND:
        return ODD_PAIR, -1
    advance = after - before
    if advance < 0:
        advance += span.rollover
    if advance < 0 or not _is_plausible(advance, read.at_ms - good.at_ms, span):
        return ODD_PAIR, -1
    return advance * span.nano_per_count, at


@compiled_inside
def _is_plausible(advance: int, elapsed_ms: int, span: Row) -> bool:
    """(advance − 1) × nano_per_count × 3 600 000 ≤ max_nano_per_hour × elapsed, and the total in its bound: without the products."""
    if advance > (QUANTITY_BOUND - 1) // span.nano_per_count:
        return False
    most = span.max_nano_per_hour
    if most == NO_LIMIT or most // HOUR_MS >= QUANTITY_BOUND // elapsed_ms:
        return True
    allowed = most // HOUR_MS * elapsed_ms + most % HOUR_MS * elapsed_ms // HOUR_MS
    return (advance - 1) * span.nano_per_count <= allowed
