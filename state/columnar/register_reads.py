"""state/register_reads.py: judging one register read that feeds a channel of totals, good among good ones.

What is refused, found bad, turned over or at the seam of two registers is left to the scalar step: nothing has been touched then but
that reads before the base are forgotten, which the scalar step would have done first too.
"""

from state.codes import AHEAD_MS, ESTIMATED, FUTURE_TOLERANCE_MS, MISSING
from state.columnar.evidence import ACCEPTED, CONFLICTING, CORRECTED, verdict_on
from state.columnar.grid import slot_of, start_ms, window_at
from state.columnar.hardening import follow
from state.columnar.intervals import CRAMPED, CROWDED, DONE, FULL, ODD, emit_evidence
from state.columnar.layout import LATE_READ, NIL, Emitted, Row, Unit, World, int64
from state.columnar.registers import (
    BEYOND_BOUND,
    ODD_PAIR,
    forget_before,
    make_room,
    position,
    read_at,
    scaled_count,
    span_of,
    take_out,
    total_between,
)
from state.columnar.rooms import has_pages, has_room
from state.columnar.settlement import is_settled, reason_for, settle_window
from state.columnar.totals import MOST_SLOTS, TOUCHED_AT, derive_slots, place_slots
from state.compiling import compiled_inside
from state.registers import GOOD

NONE_BETWEEN, SEGMENT, UNSURE = range(3)
"""What lies between two reads; UNSURE: that is for the scalar step to say."""

_Read = tuple[int, int, int, int, int]
"""(instant, total, decimals, version, quality)."""


@compiled_inside
def judge_register_read(world: World, lane: Row, arriving: _Read, received_ms: int, unit: Unit, out: Emitted) -> int:
    """Process one arriving register read; returns how that ended."""
    at_ms, total, decimals, version, quality = arriving
    judging = span_of(world.registers, lane, at_ms, at_ms)
    if judging < 0:
        return ODD
    span = world.registers[judging]
    channel = world.channels[span.channel]
    stream = world.streams[lane.stream]
    if channel.is_totals == 0 or span.is_totals == 0 or not _is_sound(span, arriving):
        return ODD
    if at_ms > received_ms + FUTURE_TOLERANCE_MS or at_ms < channel.base_ms or at_ms > channel.watermark_ms + AHEAD_MS:
        return ODD
    forget_before(world, stream, channel.base_ms)
    if stream.first + stream.size == stream.capacity:
        return CROWDED
    if not has_room(channel, at_ms, MOST_SLOTS, out):
        return FULL
    if not has_pages(world.rings.pools, channel, at_ms, MOST_SLOTS):
        return CRAMPED
    index = position(world, stream, at_ms)
    verdict = ACCEPTED
    if index < stream.size and read_at(world, stream, index).at_ms == at_ms:
        held = read_at(world, stream, index)
        incumbent = (held.version, int64(held.quality), scaled_count(held.total, held.decimals, span))
        verdict = verdict_on(incumbent, (version, quality, scaled_count(total, decimals, span)))
        is_plain = held.reset == 0 and held.refused == 0 and held.state == GOOD
        if incumbent[2] == BEYOND_BOUND or verdict == CONFLICTING or (verdict == CORRECTED and not is_plain):
            return ODD
    touched = 0
    if verdict in (ACCEPTED, CORRECTED):
        touched = _put(world, lane, span.channel, index, verdict == CORRECTED, arriving)
        if touched < 0:
            return ODD
        if quality > ESTIMATED:
            channel.latest_end_ms = max(channel.latest_end_ms, at_ms)
        _settle(world, span.channel, touched, unit, out)
    emit_evidence(unit, span.channel, NIL, False, verdict, NIL, NIL, out)
    follow(world, span.channel, unit, out)
    return DONE


@compiled_inside
def _is_sound(span: Row, arriving: _Read) -> bool:
    """Rows 2 to 6: what the read alone shows."""
    _, total, decimals, _, quality = arriving
    if quality == MISSING or span.unit_fits == 0 or decimals > span.decimals or total < 0:
        return False
    limit = span.limit
    for _ in range(span.decimals - decimals):
        limit = -(-limit // 10)
    return total < limit


@compiled_inside
def _put(world: World, lane: Row, number: int, index: int, replaces: bool, arriving: _Read) -> int:
    """Store a read that has won, and bring the slots up to it; returns how many were touched, −1 if the scalar step must do all of it."""
    stream = world.streams[lane.stream]
    at_ms, total, decimals, version, quality = arriving
    read = read_at(world, stream, index)
    was = (read.total, read.version, read.decimals, read.quality)
    if not replaces:
        make_room(world, stream, index)
    read.at_ms = at_ms
    read.total = total
    read.version = version
    read.decimals = decimals
    read.quality = quality
    read.reset = 0
    read.refused = 0
    read.state = GOOD
    first, end = _affected(world, lane, number, index)
    if first >= 0 and end - first <= MOST_SLOTS and derive_slots(world, lane, number, first, end):
        stream.last_good = max(stream.last_good, index)
        stream.changes += 1
        return place_slots(world, number, first, end)
    if replaces:
        read.total, read.version, read.decimals, read.quality = was
    else:
        take_out(world, stream, index)
    return -1


@compiled_inside
def _affected(world: World, lane: Row, number: int, index: int) -> tuple[int, int]:
    """The slots [first, end) that the segments at a read overlap; first −1: that is for the scalar step to say."""
    stream, channel = world.streams[lane.stream], world.channels[number]
    read = read_at(world, stream, index)
    low_ms = high_ms = read.at_ms
    if index > 0:
        good = read_at(world, stream, index - 1)
        found = _segment_between(world, lane, number, good, read)
        if found == UNSURE:
            return -1, 0
        if found == SEGMENT:
            low_ms = good.at_ms
    if index < stream.size - 1:
        following = read_at(world, stream, index + 1)
        found = _segment_between(world, lane, number, read, following)
        if found == UNSURE:
            return -1, 0
        if found == SEGMENT:
            high_ms = following.at_ms
    low_ms, high_ms = max(low_ms, channel.base_ms), min(high_ms, channel.watermark_ms + AHEAD_MS)
    if low_ms >= high_ms:
        return 0, 0
    first, end = slot_of(channel, low_ms), slot_of(channel, high_ms - 1) + 1
    if _has_other_streams(world, channel, lane.stream, start_ms(channel, first), start_ms(channel, end)):
        return -1, 0
    return first, end


@compiled_inside
def _segment_between(world: World, lane: Row, number: int, good: Row, read: Row) -> int:
    """Whether a segment of channel `number` lies between two reads that stand one after the other."""
    total_nano, span = total_between(world, lane, good, read)
    if good.state != GOOD or read.state != GOOD or total_nano == ODD_PAIR or _turns_over(world, good, read, span):
        return UNSURE
    if span < 0:
        return NONE_BETWEEN
    return SEGMENT if world.registers[span].channel == number else UNSURE


@compiled_inside
def _turns_over(world: World, good: Row, read: Row, span: int) -> bool:
    """True if the register begins anew between two reads."""
    if span < 0:
        return False
    interpreted = world.registers[span]
    before = scaled_count(good.total, good.decimals, interpreted)
    return scaled_count(read.total, read.decimals, interpreted) < before


@compiled_inside
def _has_other_streams(world: World, channel: Row, stream: int, from_ms: int, to_ms: int) -> bool:
    """True if another register feeds the channel somewhere in [from, to)."""
    for at in range(channel.spans_at, channel.spans_at + channel.spans_number):
        span = world.spans[at]
        if span.stream != stream and span.from_ms < to_ms and span.to_ms > from_ms:
            return True
    return False


@compiled_inside
def _settle(world: World, number: int, touched: int, unit: Unit, out: Emitted) -> None:
    """Settle the windows of the slots that were touched, in time order."""
    channel = world.channels[number]
    window, reason, is_due = NIL, NIL + LATE_READ, False
    for at in range(TOUCHED_AT, TOUCHED_AT + 4 * touched, 4):
        slot = world.scratch[at]
        before = (world.scratch[at + 1], world.scratch[at + 2], world.scratch[at + 3])
        if not is_settled(world, channel, slot, before):
            continue
        own = window_at(channel, start_ms(channel, slot))
        if is_due and own != window:
            settle_window(world, number, window, reason, unit, out)
            reason = NIL + LATE_READ
        window, is_due = own, True
        reason = max(reason, reason_for(before))
    if is_due:
        settle_window(world, number, window, reason, unit, out)
