"""Check registers beside an interval channel: they bound what a gap can hold and reconcile what was metered."""

from collections.abc import Iterable, Sequence

from state.channel import Channel
from state.codes import ESTIMATED, MISSING, REGISTER_BRACKETED
from state.configuration import CHECK
from state.estimation import Bracket, as_bracket, share_out
from state.registers import Change, Segment, Stream
from state.settlement import settle
from state.unit import Unit


def brackets_of(channel: Channel, streams: Sequence[Stream]) -> list[Bracket]:
    """All brackets that the channel's check streams hold."""
    return [bracket for stream in streams for bracket in _brackets(channel, stream.segments)]


def note_brackets(channel: Channel, change: Change) -> None:
    """Keep the list of brackets that are still to be completed and reconciled."""
    gone = set(_brackets(channel, change.removed))
    channel.open_brackets = sorted({*channel.open_brackets, *_brackets(channel, change.added)} - gone)


def _brackets(channel: Channel, segments: Iterable[Segment]) -> list[Bracket]:
    own = (s for s in segments if s.span.role == CHECK and s.span.channel == channel.definition.channel)
    return [bracket for segment in own if (bracket := as_bracket(channel, segment)) is not None]


def complete_brackets(channel: Channel, streams: Sequence[Stream], unit: Unit) -> None:
    """For each bracket that W has reached: make its holes add up to it, then reconcile; in time order."""
    while channel.open_brackets and (due := [b for b in channel.open_brackets if b[1] <= channel.watermark_ms]):
        bracket = due[0]
        channel.open_brackets.remove(bracket)
        _share_again(channel, bracket, unit)
        _reconcile(channel, bracket, unit)


def _slots(channel: Channel, bracket: Bracket) -> range:
    native = channel.definition.native
    return range(native.slot_of(bracket[0]), native.slot_of(bracket[1]))


def _share_again(channel: Channel, bracket: Bracket, unit: Unit) -> None:
    if bracket[0] < channel.reference_ms:
        return
    shares = share_out(channel, bracket)
    if not shares:
        return
    standing = {slot: channel.slots.get(slot) for slot in shares}
    exact = sum(slot.quantity_nano for slot in standing.values()) == sum(shares.values())
    if exact and all(slot.quality != MISSING for slot in standing.values()):
        return
    for slot, share in shares.items():
        channel.touch(slot)
        channel.slots.put(slot, share, ESTIMATED, REGISTER_BRACKETED, evidence=0)
    settle(channel, unit)


def _reconcile(channel: Channel, bracket: Bracket, unit: Unit) -> None:
    start_ms, end_ms, total_nano, nano_per_count = bracket
    key = (*channel.key, "")
    slots = _slots(channel, bracket)
    remembered = start_ms >= channel.reference_ms and all(channel.expects(slot) for slot in slots)
    contents = [channel.slots.get(slot) for slot in slots] if remembered else []
    if not remembered or any(content.quality <= MISSING for content in contents):
        unit.finding("sum_register", "not_run", key, start_ms, end_ms)
        return
    difference = sum(content.quantity_nano for content in contents) - total_nano
    if abs(difference) >= nano_per_count:
        unit.finding("sum_register", "warn", key, start_ms, end_ms, difference_nano=difference, advance_nano=total_nano)
