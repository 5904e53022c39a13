"""Small tapes at the edges of rules, where a seeded stream comes too rarely: the fold must say of each what the oracle says.

Most were found by `tests/mutants/hunt.py`: a slip in the fold that no scenario and no stream noticed. What an edge looks for is
said by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.simulation.portfolio import instant
from tests.simulation.tape import DAY, HALF_HOUR, HOUR, MINUTE, MONDAY, Row, Tape, register_row

Edge = Callable[[], Tape]
BOUND: Final = 10**18


def slot(number: int) -> int:
    """The start of a half-hour, counted from Monday's midnight."""
    return MONDAY + number * HALF_HOUR


# --- heartbeats, gates


def a_gate_with_a_copy_lacking() -> Tape:
    """Of three partitions two have brought theirs; then the third, which is the earliest."""
    tape = Tape(allowance_s=86_400)
    tape.intervals(slot(0), *range(1, 13))
    tape.gate(slot(8), partition=0, partitions=3)
    tape.gate(slot(6), partition=2, partitions=3)
    tape.gate(slot(4), partition=1, partitions=3)
    tape.gate(slot(10), partition=1, partitions=3)
    return tape


def a_gate_at_its_own_receipt() -> Tape:
    tape = Tape(allowance_s=86_400)
    tape.intervals(slot(0), 1, 2, 3)
    tape.gate(slot(2), received_ms=slot(2))
    tape.gate(slot(3), received_ms=slot(3) - 1)
    return tape


def a_heartbeat_of_the_same_sequence() -> Tape:
    """The later of two holds; a lower sequence after them does not."""
    tape = Tape()
    tape.intervals(slot(0), 1, 2)
    tape.heartbeat(slot(2), sequence=7)
    tape.intervals(slot(2), 3, 4, 5, 6)
    tape.heartbeat(slot(4), sequence=7)
    tape.heartbeat(slot(6), sequence=6)
    tape.heartbeat(slot(5), sequence=8)
    return tape


def room_up_to_what_the_device_vouches_for() -> Tape:
    """A read seven days on moves the watermark up to the heartbeat, and not half an hour further."""
    tape = Tape(allowance_s=86_400)
    tape.intervals(slot(0), 1)
    tape.heartbeat(slot(96), sequence=1)
    tape.intervals(slot(96) + 7 * DAY, 2)
    tape.intervals(slot(95) + 7 * DAY, 3)
    return tape


# --- check registers


def _checked(*others: str, allowance_s: int = 0, **more: Any) -> Tape:
    """Half-hours of device d, with a check register `t` of its own and one of each further device."""
    rows = [register_row("intervals"), register_row("check", register="t", **more)]
    tape = Tape("intervals", *rows, policy={"like_days": 2}, allowance_s=allowance_s)
    for device in others:
        tape.configure(device, register_row("check", register="t", **more))
    return tape


def brackets_that_overlap() -> Tape:
    """The latest-starting one is shared out; of those the shortest; of those the first device's."""
    tape = _checked("e", "f", "g", allowance_s=86_400)
    tape.intervals(slot(0), 1, 1, 1)
    tape.intervals(slot(10), 1, 1)
    for device, first, last, total in (("d", 1, 11, 900), ("e", 2, 12, 800), ("f", 2, 10, 700), ("g", 2, 10, 600)):
        tape.read(slot(first), 0, register="t", device=device)
        tape.read(slot(last), total, register="t", device=device)
    tape.gate(slot(12))
    return tape


def a_difference_of_just_one_count() -> Tape:
    """A count is worth ten: nine too many are silent, ten are a finding, in either direction."""
    tape = _checked(nano_per_count=10)
    tape.intervals(slot(0), 109, 110, 91, 90)
    for number in range(5):
        tape.read(slot(number), 10 * number, register="t")
    return tape


def check_registers_of_two_channels() -> Tape:
    """What one channel's check register is worth is restated: nothing of that is the other channel's."""
    tape = Tape()
    names = {"c": ("r", "t"), "x": ("s", "u")}
    for worth in (1, 3):
        rows = []
        for channel, (intervals, check) in names.items():
            rows.append(register_row("intervals", register=intervals, channel=channel))
            count = worth if channel == "c" else 1
            rows.append(register_row("check", register=check, channel=channel, nano_per_count=count))
        _configure_channels(tape, rows, [{}, {"channel": "x"}])
        if worth == 1:
            for intervals, check in names.values():
                tape.intervals(slot(0), 5, 5, 5, 5, register=intervals)
                tape.read(slot(0), 0, register=check)
                tape.read(slot(4), 20, register=check)
    return tape


def _configure_channels(tape: Tape, rows: list[Row], channels: list[Row], **policy: Any) -> None:
    """One configuration of several channels: the tape's own, but for what each says."""
    tape.versions["d"] += 1
    known = tape.channel | {"policy": tape.channel["policy"] | policy}
    calendar = {"site": "S", "time_zone": "Z", "utc_offsets": tape.zone, "holidays": []}
    body: Row = {"type": "configuration", "device": "d", "version": tape.versions["d"], "calendar": calendar}
    body |= {"registers": rows, "channels": [known | said for said in channels], "reason": "CONFIGURATION_RESTATED"}
    tape.apply(body)


def a_bracket_over_an_estimate_and_a_missing_one() -> Tape:
    """One window holds both, and both are replaced at once: an estimate was, so that is the reason."""
    rows = [register_row("intervals"), register_row("check", register="t")]
    tape = Tape("intervals", *rows, grid_s=3600, policy={"like_days": 1})
    tape.intervals(slot(0), 10)
    tape.gate(slot(96))
    tape.read(slot(48), 0, register="t")
    tape.read(slot(50), 30, register="t")
    return tape


def channels_of_different_ages() -> Tape:
    """One ends where the other has begun: neither expects what only the other does."""
    tape = Tape()
    rows = [register_row("intervals", slot(0), slot(6)), register_row("intervals", slot(4), register="s", channel="x")]
    _configure_channels(tape, rows, [{}, {"channel": "x"}])
    tape.intervals(slot(0), 1, 2, 3)
    tape.intervals(slot(4), 4, 5, register="s")
    tape.gate(slot(10))
    return tape


# --- registers


def a_rollover_that_could_be_anything() -> Tape:
    """The digits are known, what can pass in an hour is not: the count went backwards."""
    tape = Tape("totals", register_row("totals", digits=3))
    for number, count in enumerate((990, 5, 995, 8)):
        tape.read(slot(number), count)
    return tape


def a_stream_that_forgot_all_its_reads() -> Tape:
    """Both were refused by a person, and then left the horizon: the next read begins a chain of its own."""
    tape = Tape("totals", horizon_days=2)
    for number, count in enumerate((100, 140)):
        tape.read(slot(number), count)
        tape.edit("refuse_read", register="r", at_ms=slot(number))
    tape.gate(MONDAY + 5 * DAY)
    for number, count in enumerate((150, 157)):
        tape.read(MONDAY + 5 * DAY + number * HALF_HOUR, count)
    return tape


def totals_far_ahead() -> Tape:
    """An estimated one does not move the watermark to make room for itself; a calculated one does."""
    tape = Tape("totals")
    tape.read(slot(0), 0)
    tape.read(slot(1), 5)
    for quality in ("ESTIMATED", "CALCULATED"):
        tape.read(MONDAY + 9 * DAY, 4000, quality=quality)
    return tape


# --- estimation


def a_gap_a_second_too_long() -> Tape:
    """Half an hour may be interpolated, or just not."""
    tape = Tape(policy={"interpolate_max_s": 1799})
    tape.intervals(slot(0), 10)
    tape.intervals(slot(2), 20)
    tape.configure("d", policy=tape.channel["policy"] | {"interpolate_max_s": 1800})
    tape.intervals(slot(4), 40)
    return tape


# --- grids


def minutes() -> Tape:
    """The shortest intervals there are."""
    tape = Tape(interval_s=60, grid_s=120, horizon_days=1, policy={"interpolate_max_s": 60})
    tape.intervals(MONDAY, 1, 2)
    tape.intervals(MONDAY + 3 * MINUTE, 5, 6, 7)
    return tape


def hours_a_quarter_off_the_hour() -> Tape:
    """In Kathmandu the hours that a day can be made of begin at a quarter past, in UTC."""
    midnight = MONDAY + 18 * HOUR + 15 * MINUTE
    row = register_row("intervals", midnight)
    tape = Tape("intervals", row, zone="Asia/Kathmandu", interval_s=3600, grid_s="LOCAL_DAY")
    tape.intervals(midnight, *range(1, 25))
    tape.intervals(midnight + 30 * MINUTE, 1)
    return tape


def a_midnight_that_never_was() -> Tape:
    """In Cairo 26 April begins at one o'clock, in Havana 10 March."""
    return _days("Africa/Cairo", instant("2024-04-23T22:00"))


def a_day_that_begins_at_one() -> Tape:
    return _days("America/Havana", instant("2024-03-07T05:00"))


def a_midnight_that_came_twice() -> Tape:
    """In Havana the first hour of 3 November was shown twice; it begins with the first."""
    return _days("America/Havana", instant("2024-11-01T04:00"))


def an_hour_before_midnight_twice() -> Tape:
    return _days("Africa/Cairo", instant("2024-10-29T21:00"))


def _days(zone: str, midnight: int) -> Tape:
    """Hours billed by the day, and days beside them, around a change of the clock at midnight; two days back are alike."""
    tape = Tape("intervals", register_row("intervals", midnight), zone=zone, interval_s=3600, grid_s="LOCAL_DAY")
    daily = {"channel": "x", "interval_s": "LOCAL_DAY", "grid_s": "LOCAL_DAY"}
    rows = [register_row("intervals", midnight), register_row("intervals", midnight, register="s", channel="x")]
    _configure_channels(tape, rows, [{}, daily], like_days=2)
    tape.intervals(midnight, *range(1, 60))
    tape.intervals(midnight, 10, 20, 30, 40, register="s", interval_s="LOCAL_DAY")
    tape.intervals(midnight + 90 * HOUR, *range(5))
    tape.gate(midnight + 5 * DAY + 3 * HOUR)
    return tape


# --- bounds


def quantities_at_their_bound() -> Tape:
    """Two half-hours an hour: each may reach half of 10¹⁸, short of one; an edit the same."""
    tape = Tape(grid_s=3600, signed=True)
    half = BOUND // 2
    tape.intervals(slot(0), half - 1, half - 1, -(half - 1), -(half - 1), half, -half)
    tape.edit("replace", start_ms=slot(0), quantity_nano=1 - half, replaces_version=1)
    tape.edit("replace", start_ms=slot(1), quantity_nano=half, replaces_version=1)
    tape.edit("replace", start_ms=slot(1), quantity_nano=1 - half, replaces_version=1)
    return tape


def registers_at_their_bound() -> Tape:
    """A count short of 10¹⁸, and one at it; an advance worth as much, and one short of it."""
    tape = Tape("totals", register_row("totals", decimals=1, digits=None))
    tape.read(slot(0), 0, decimals=1)
    tape.read(slot(1), BOUND // 10, decimals=0)
    tape.read(slot(1), BOUND, decimals=1)
    tape.read(slot(1), BOUND - 1, decimals=1)
    tape.read(slot(2), BOUND - 1, decimals=1)
    return tape


def an_advance_at_its_bound() -> Tape:
    """By hand, with a count worth 10⁹: what it is worth must stay below 10¹⁸."""
    row = register_row("spans", nano_per_count=10**9)
    tape = Tape("spans", row, interval_s="LOCAL_DAY", grid_s="LOCAL_DAY")
    tape.read(MONDAY, 0)
    tape.read(MONDAY + DAY, 10**9)
    tape.read(MONDAY + DAY + 1, 10**9 - 1)
    tape.read(MONDAY + 2 * DAY, 10**9 - 1)
    return tape


def restatements_at_their_bound() -> Tape:
    """Before the base: as large as can be, and one more, of either sign."""
    tape = Tape(horizon_days=2)
    tape.intervals(slot(0), 5, 6)
    tape.gate(MONDAY + 3 * DAY)
    row = {"start_ms": slot(0), "end_ms": slot(1), "old_nano": 5, "revision": 0, "quality": "ACTUAL"}
    tape.restate(row | {"new_nano": BOUND}, row | {"new_nano": -BOUND}, row | {"new_nano": BOUND - 1})
    tape.restate(row | {"old_nano": BOUND - 1, "revision": 1, "new_nano": 1 - BOUND})
    return tape


def a_multiplier_beyond_the_bound() -> Tape:
    """Ten times as much is one too many for the second half-hour; the first just fits."""
    tape = Tape("intervals", register_row("intervals"))
    tape.intervals(slot(0), BOUND // 10 - 1, BOUND // 10)
    tape.configure("d", register_row("intervals", multiplier=10))
    return tape


EDGES: Final[tuple[Edge, ...]] = (
    a_gate_with_a_copy_lacking,
    a_gate_at_its_own_receipt,
    a_heartbeat_of_the_same_sequence,
    room_up_to_what_the_device_vouches_for,
    brackets_that_overlap,
    a_difference_of_just_one_count,
    check_registers_of_two_channels,
    a_bracket_over_an_estimate_and_a_missing_one,
    channels_of_different_ages,
    a_rollover_that_could_be_anything,
    a_stream_that_forgot_all_its_reads,
    totals_far_ahead,
    a_gap_a_second_too_long,
    minutes,
    hours_a_quarter_off_the_hour,
    a_midnight_that_never_was,
    a_day_that_begins_at_one,
    a_midnight_that_came_twice,
    an_hour_before_midnight_twice,
    quantities_at_their_bound,
    registers_at_their_bound,
    an_advance_at_its_bound,
    restatements_at_their_bound,
    a_multiplier_beyond_the_bound,
)
