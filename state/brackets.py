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
    """Keep the list of brackets that are still to be completed and reconciled; one with the same total is the same."""
    gone = {_identity(bracket) for bracket in _brackets(channel, change.removed)}
    new = {_identity(bracket): bracket for bracket in _brackets(channel, change.added)}
    kept = [bracket for bracket in channel.open_brackets if _identity(bracket) not in gone - new.keys()]
    found = {*kept, *(new[identity] for identity in new.keys() - gone)}
    channel.open_brackets = sorted(found, key=lambda bracket: (bracket[0], bracket[1], bracket[4], bracket))


def _identity(bracket: Bracket) -> tuple[int, int, int, str]:
    """(start, end, total, device)."""
    start_ms, end_ms, total_nano, _, device = bracket
    return start_ms, end_ms, total_nano, device


def _brackets(channel: Channel, segments: Iterable[Segment]) -> list[Bracket]:
    own = (s for s in segments if s.span.role == CHECK and s.span.channel == channel.definition.channel)
    return [bracket for segment in own if (bracket := as_bracket(channel, segment)) is not None]


def settle_with_brackets(channel: Channel, unit: Unit) -> None:
    """Settle what the unit touched. Before: the brackets that W has reached, in time order, make their holes add up to
    them, so that a window is adjusted once; after: they are reconciled."""
    due = [bracket for bracket in channel.open_brackets if bracket[1] <= channel.watermark_ms]
    if due:
        channel.open_brackets = [bracket for bracket in channel.open_brackets if bracket[1] > channel.watermark_ms]
    for bracket in due:
        _share_again(channel, bracket)
    settle(channel, unit)
    for bracket in due:
        _reconcile(channel, bracket, unit)


def _slots(channel: Channel, bracket: Bracket) -> range:
    native = channel.definition.native
    return range(native.slot_of(bracket[0]), native.slot_of(bracket[1]))


def _share_again(channel: Channel, bracket: Bracket) -> None:
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


def _reconcile(channel: Channel, bracket: Bracket, unit: Unit) -> None:
    start_ms, end_ms, total_nano, nano_per_count, device = bracket
    key = (*channel.key, device)
    slots = _slots(channel, bracket)
    remembered = start_ms >= channel.reference_ms and all(channel.expects(slot) for slot in slots)
    contents = [channel.slots.get(slot) for slot in slots] if remembered else []
    if not remembered or any(content.quality <= MISSING for content in contents):
        unit.finding("sum_register", "not_run", key, start_ms, end_ms)
        return
    difference = sum(content.quantity_nano for content in contents) - total_nano
    if abs(difference) >= nano_per_count:
        unit.finding("sum_register", "warn", key, start_ms, end_ms, difference_nano=difference, advance_nano=total_nano)
