"""The oracle on tiny tapes, whose rows are worked out by hand from docs/rules.md."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from tests.simulation import coverage
from tests.simulation.oracle import Oracle
from tests.simulation.portfolio import instant
from tests.simulation.streams import make_stream
from tests.simulation.tape import DAY, HALF_HOUR, HOUR, MINUTE, MONDAY, Tape, register_row


def slot(number: int) -> int:
    return MONDAY + number * HALF_HOUR


# --- verdicts and the evidence order


def test_first_match_decides_the_verdict_on_an_interval() -> None:
    tape = Tape("intervals", register_row("intervals", MONDAY, slot(400) + 1, multiplier=10))
    received = {"received_ms": slot(10)}
    tape.intervals(slot(0), 5, register="other", unit="gal")  # 1 before 3
    tape.intervals(slot(0), None, unit="gal")  # 2 before 3
    tape.intervals(slot(0), 5, quality="MISSING")
    tape.intervals(slot(0), 5, unit="gal", interval_s=60)
    tape.intervals(slot(0) + 1, 5, interval_s=60)
    tape.intervals(slot(0) + 1, 10**18)
    tape.intervals(slot(400), 10**18)  # its end lies after the span's
    tape.intervals(slot(0), -(10**17))  # times ten is too much, by nothing
    tape.intervals(slot(10) - HALF_HOUR + 10 * HALF_HOUR, 5, **received)
    tape.intervals(slot(0), 10**17 - 1)
    expected = ["unconfigured", "null_read", "null_read", "unknown_unit", "length_mismatch", "misaligned", "overlap"]
    expected += ["out_of_range", "future"]
    assert [row["checks_failed"] for row in tape.rows("evidence")] == [[check] for check in expected] + [[]]
    assert set(tape.verdicts()) == {"REJECTED", "ACCEPTED"}
    assert tape.rows("evidence")[-1]["quantity_nano"] == 10**18 - 10
    assert tape.column("quarantine", "reason", "channel") == [("unconfigured", "")]


def test_end_may_be_three_hundred_seconds_after_receipt() -> None:
    tape = Tape()
    tape.intervals(slot(0), 1, received_ms=slot(1) - 300_000)
    tape.intervals(slot(1), 1, received_ms=slot(2) - 300_001)
    assert tape.verdicts() == ["ACCEPTED", "REJECTED"]


@pytest.mark.parametrize(
    ("version", "quality", "quantity", "verdict", "stands"),
    [
        (3, "ESTIMATED", 9, "CORRECTED", 9),
        (1, "ACTUAL", 9, "SUPERSEDED", 5),
        (2, "ACTUAL", 9, "CORRECTED", 9),
        (2, "ACTUAL", 5, "CORRECTED", 5),
        (2, "SUBSTITUTED", 9, "SUPERSEDED", 5),
        (2, "CALCULATED", 5, "DUPLICATE", 5),
        (2, "CALCULATED", 9, "CONFLICTING", 5),
    ],
)
def test_evidence_order(version: int, quality: str, quantity: int, verdict: str, stands: int) -> None:
    tape = Tape(allowance_s=3600)
    tape.intervals(slot(0), 5, quality="CALCULATED", version=2)
    tape.intervals(slot(0), quantity, quality=quality, version=version)
    tape.gate(slot(1))
    assert tape.verdicts() == ["ACCEPTED", verdict]
    assert tape.column("determinants", "quantity_nano") == [stands]


def test_a_day_is_exactly_its_singles_and_marks_drop_what_was_processed() -> None:
    tape = Tape()
    tape.intervals(slot(0), 1, 2, raw=[0, 100])
    tape.intervals(slot(0), 1, 2, 3, 4, raw=[0, 100])
    tape.intervals(slot(0), 1, raw=[0, 99])
    tape.intervals(slot(9), 1, raw=[1, 5])
    assert tape.column("evidence", "raw_offset", "raw_sub") == [(100, 0), (100, 1), (100, 2), (100, 3), (5, 0)]
    assert tape.column("determinants", "quantity_nano")[:4] == [1, 2, 3, 4]
    counts = {row["outcome"]: row["count"] for row in tape.oracle.ledger()}
    assert counts == {"ACCEPTED": 5, "control:configuration": 1}


def test_known_at_is_the_running_maximum_of_append_time() -> None:
    tape = Tape()
    tape.intervals(slot(0), 1, append_ms=500)
    tape.intervals(slot(1), 1, append_ms=400)
    assert tape.column("evidence", "known_at_ms") == [500, 500]


# --- watermark


def test_a_fresh_read_does_not_close_a_backlog_that_its_source_says_is_coming() -> None:
    tape = Tape()
    tape.heartbeat(slot(1), 1)
    tape.intervals(slot(5), 6)
    assert tape.column("determinants", "start_ms", "hardened_by") == [(slot(0), "heartbeat")]
    tape.heartbeat(slot(3), 3)
    tape.heartbeat(slot(6), 2)  # a lower sequence says nothing
    assert tape.column("determinants", "start_ms") == [slot(0), slot(1), slot(2)]
    assert {row["missing_reason"] for row in tape.rows("determinants")} == {"POLICY_REFUSES"}
    assert tape.column("findings", "check_id", "start_ms", "end_ms") == [
        ("missing", slot(0), slot(1)),
        ("missing", slot(1), slot(3)),
    ]


def test_silence_that_a_device_vouches_for_ends_after_the_allowance() -> None:
    tape = Tape(allowance_s=1800)
    tape.heartbeat(slot(3), 1)
    assert tape.column("determinants", "start_ms") == [slot(0), slot(1)]


def test_the_allowance_and_the_floor_to_a_window() -> None:
    tape = Tape(grid_s=3600, allowance_s=1800)
    tape.intervals(slot(0), 1, 2)
    assert tape.rows("determinants") == []
    tape.intervals(slot(2), 3)
    [row] = tape.rows("determinants")
    assert (row["start_ms"], row["end_ms"], row["quantity_nano"], row["n_actual"]) == (slot(0), slot(2), 3, 2)
    assert (row["hardened_by"], row["cause_offset"], row["config_version"]) == ("read", 2, 1)


def test_an_estimated_read_does_not_move_the_watermark() -> None:
    tape = Tape()
    tape.intervals(slot(0), 5, quality="ESTIMATED")
    assert tape.rows("determinants") == []


def test_a_gate_is_passed_when_every_raw_partition_has_brought_its_copy() -> None:
    tape = Tape()
    tape.gate(slot(3), partition=0, partitions=2)
    assert tape.rows("determinants") == []
    tape.gate(slot(2) + 1, partition=1, partitions=2)  # the minimum, floored to a window
    assert tape.column("determinants", "start_ms", "hardened_by") == [(slot(0), "gate"), (slot(1), "gate")]
    tape.gate(slot(9), partition=1, partitions=2)
    assert tape.column("determinants", "start_ms") == [slot(0), slot(1), slot(2)]
    tape.gate(slot(5), partition=0, partitions=2, scope="site:S")  # another scope, seen in one partition
    assert len(tape.rows("determinants")) == 3


def test_a_gate_from_the_future_is_refused() -> None:
    tape = Tape()
    tape.gate(slot(3), received_ms=slot(3) - 1)
    assert tape.column("findings", "check_id", "severity", "start_ms") == [("gate_refused", "error", slot(3))]
    assert tape.rows("determinants") == []


def test_a_read_ahead_of_the_ring_first_hardens_up_to_seven_days_before_it() -> None:
    tape = Tape()
    tape.intervals(slot(0) + 8 * DAY, 1, quality="ESTIMATED")
    tape.intervals(slot(0) + 8 * DAY, 1)
    assert tape.column("evidence", "verdict", "checks_failed") == [("REJECTED", ["ahead_of_ring"]), ("ACCEPTED", [])]
    # First up to the end of the window that contains its start less seven days, then, by itself, up to its own end.
    assert tape.column("findings", "check_id", "start_ms", "end_ms")[1:] == [
        ("missing", slot(0), slot(49)),
        ("missing", slot(49), slot(0) + 8 * DAY),
    ]


def test_a_read_ahead_of_the_ring_is_refused_while_its_device_holds_back() -> None:
    tape = Tape()
    tape.heartbeat(slot(1), 1)
    tape.intervals(slot(0) + 8 * DAY, 1)
    assert tape.column("quarantine", "reason") == ["ahead_of_ring"]
    assert len(tape.rows("determinants")) == 1


def test_beyond_the_horizon() -> None:
    tape = Tape("intervals", register_row("intervals", MONDAY - DAY), horizon_days=2)
    tape.gate(MONDAY + 3 * DAY)  # base: the start of MONDAY + 1 day
    tape.intervals(MONDAY + DAY - HALF_HOUR, 5)
    tape.intervals(MONDAY + DAY, 5)
    assert tape.verdicts() == ["BEYOND_HORIZON", "ACCEPTED"]
    assert tape.column("quarantine", "reason") == ["beyond_horizon"]
    assert tape.column("adjustments", "start_ms", "reason") == [(MONDAY + DAY, "LATE_READ")]


# --- estimation


def test_interpolation_is_a_floor_on_the_straight_line() -> None:
    tape = Tape(policy={"interpolate_max_s": 3600})
    tape.intervals(slot(0), 10)
    tape.intervals(slot(3), 41)
    tape.intervals(slot(6), 10)
    tape.intervals(slot(10), 10)
    # 10 + 31 × 1 // 3, 10 + 31 × 2 // 3; 41 + (−31) × 1 // 3, 41 + (−31) × 2 // 3; three slots are too many
    assert tape.column("determinants", "quantity_nano") == [10, 20, 30, 41, 30, 20, 10, 0, 0, 0, 10]
    assert tape.column("determinants", "methods")[1] == ["INTERPOLATED"]
    assert tape.column("determinants", "quality")[6:8] == ["ACTUAL", "MISSING"]


def test_like_day_takes_the_nearest_days_of_the_same_type_and_a_holiday_is_a_sunday() -> None:
    tape = Tape(policy={"like_days": 3}, horizon_days=14)
    tape.holidays = ["2024-01-11"]  # Thursday
    tape.configure("d")
    # Monday 8, Tuesday 10, Wednesday 20, Thursday (holiday) 900, Friday 32; Saturday 500, Sunday 700.
    for day, quantity in enumerate([8, 10, 20, 900, 32, 500, 700]):
        tape.intervals(MONDAY + day * DAY, quantity)
    tape.intervals(MONDAY + 7 * DAY + HALF_HOUR, 1)
    said = {row["start_ms"]: row for row in tape.rows("determinants")}
    assert said[MONDAY + 7 * DAY]["quantity_nano"] == (32 + 20 + 10) // 3 == 20
    assert said[MONDAY + 7 * DAY]["methods"] == ["LIKE_DAY"]
    assert said[MONDAY + HALF_HOUR]["missing_reason"] == "NO_REFERENCE"


def test_like_day_keeps_the_wall_time_over_a_change_of_the_clock() -> None:
    friday = instant("2024-03-29T07:00")  # 08:00 in Berlin, winter time
    monday = instant("2024-04-01T06:00")  # 08:00 in Berlin, summer time
    row = register_row("intervals", instant("2024-03-28T23:00"))
    tape = Tape("intervals", row, zone="Europe/Berlin", policy={"like_days": 1})
    tape.intervals(friday - HOUR, 3, 3, 77, 77, 5, 5)
    tape.intervals(monday + HALF_HOUR, 1)
    said = {row["start_ms"]: row["quantity_nano"] for row in tape.rows("determinants")}
    assert said[monday] == 77


def check_rows(**more: int) -> tuple[dict[str, object], dict[str, object]]:
    return register_row("intervals"), register_row("check", register="t", **more)


def test_a_bracketed_gap_gets_exactly_what_the_register_advanced() -> None:
    tape = Tape("intervals", *check_rows(nano_per_count=2))
    tape.read(slot(0), 100, register="t")
    tape.read(slot(6), 120, register="t")
    tape.intervals(slot(0), 9, 9, None, None, None, 11)
    # 40 − 29 = 11 over three slots: 11 × 1 // 3, 11 × 2 // 3, 11
    assert tape.column("determinants", "quantity_nano") == [9, 9, 3, 4, 4, 11]
    assert tape.column("determinants", "methods")[2] == ["REGISTER_BRACKETED"]
    assert tape.findings("null_read", "missing") == []


def test_a_bracketed_gap_is_shared_by_like_days_when_every_slot_has_one() -> None:
    tape = Tape("intervals", *check_rows(), policy={"like_days": 1})
    tape.intervals(slot(0), 1, 2, 3)
    tape.read(slot(48), 0, register="t")
    tape.read(slot(51), 20, register="t")
    tape.gate(slot(51))
    # Weights 1, 2, 3 of 20: 20 × 1 // 6 = 3, 20 × 3 // 6 = 10, 20
    assert tape.column("determinants", "quantity_nano")[48:] == [3, 7, 10]


def test_a_new_bracket_replaces_estimates_and_missing_and_its_slots_only() -> None:
    tape = Tape("intervals", *check_rows(), policy={"interpolate_max_s": 1800})
    tape.intervals(slot(0), 10, None, 20, None, None, 5)
    assert tape.column("determinants", "quantity_nano", "quality") == [
        (10, "ACTUAL"),
        (15, "ESTIMATED"),
        (20, "ACTUAL"),
        (0, "MISSING"),
        (0, "MISSING"),
        (5, "ACTUAL"),
    ]
    tape.read(slot(0), 0, register="t")
    tape.read(slot(6), 50, register="t")
    # 50 − 35 = 15 over three slots
    assert tape.column("adjustments", "start_ms", "old_nano", "new_nano", "reason") == [
        (slot(1), 15, 5, "ESTIMATE_REPLACED"),
        (slot(3), 0, 5, "LATE_READ"),
        (slot(4), 0, 5, "LATE_READ"),
    ]
    assert tape.findings("null_read", "missing") == []


def test_a_bracket_is_used_once_the_watermark_reaches_its_end() -> None:
    tape = Tape("intervals", *check_rows())
    tape.read(slot(0), 0, register="t")
    tape.read(slot(6), 60, register="t")
    tape.intervals(slot(0), 10, None, 10)
    assert tape.column("determinants", "quality") == ["ACTUAL", "MISSING", "ACTUAL"]
    tape.intervals(slot(3), 10, None, 11)
    # 60 − 41 = 19 over slots 1 and 4: 9 and 10. Slot 4 hardens with its share, slot 1 is adjusted to its own.
    assert tape.column("determinants", "quantity_nano") == [10, 0, 10, 10, 10, 11]
    assert tape.column("adjustments", "start_ms", "new_nano", "reason") == [(slot(1), 9, "LATE_READ")]
    assert tape.findings("null_read", "missing") == []


def test_brackets_that_become_complete_together_are_filled_in_time_order() -> None:
    tape = Tape("intervals", *check_rows(), register_row("check", register="u"))
    for register, count in (("t", 12), ("u", 10)):
        tape.read(slot(0), 0, register=register)
        tape.read(slot(4 if register == "t" else 2), count, register=register)
    tape.gate(slot(4))
    # Hardening: slots 0 and 1 by the shorter bracket (5, 5), slots 2 and 3 by the longer (12 over four: 3, 3).
    assert tape.column("determinants", "quantity_nano") == [5, 5, 3, 3]
    # Complete together: the shorter adds up; the longer does not (16), and is shared again: 3 in each.
    assert tape.column("adjustments", "start_ms", "new_nano") == [(slot(0), 3), (slot(1), 3)]
    # Then both are reconciled with what stands: the shorter misses 4 of its 10.
    assert tape.findings("missing") == [("sum_register", "warn")]


def test_evidence_beyond_the_total_leaves_nothing_to_share() -> None:
    tape = Tape("intervals", *check_rows())
    tape.read(slot(0), 0, register="t")
    tape.read(slot(3), 20, register="t")
    tape.intervals(slot(0), 10, None, 11)
    assert tape.column("determinants", "quality") == ["ACTUAL", "MISSING", "ACTUAL"]
    assert tape.findings("null_read", "missing") == [("sum_register", "not_run")]


def test_a_slot_may_hold_no_more_than_its_share_of_the_bound_of_a_window() -> None:
    midnight = instant("2024-01-07T23:00")
    tape = Tape("intervals", register_row("intervals", midnight), zone="Europe/Berlin", grid_s="LOCAL_DAY")
    limit = 2 * 10**16  # 25 hours hold fifty half-hours
    tape.intervals(midnight, limit, -limit, limit - 1, 1 - limit)
    assert tape.column("evidence", "checks_failed")[:3] == [["out_of_range"], ["out_of_range"], []]


def test_totals_beyond_the_bound_have_no_value() -> None:
    tape = Tape("totals", grid_s=3600, policy={"interpolate_max_s": 86_400})
    tape.read(slot(0), 0)
    tape.read(slot(1), 5 * 10**17)
    tape.read(slot(2), 10**18 - 1)
    tape.read(slot(4), 10**18 - 1)
    assert tape.column("determinants", "quantity_nano", "n_missing") == [(5 * 10**17 - 1, 1), (0, 0)]


def test_the_sum_of_intervals_is_reconciled_with_the_register_once() -> None:
    tape = Tape("intervals", *check_rows(nano_per_count=10))
    tape.read(slot(0), 0, register="t")
    tape.read(slot(2), 3, register="t")
    tape.read(slot(4), 6, register="t")
    tape.intervals(slot(0), 10, 11, 10, 10)  # 21 for 30: nine is less than a count; 20 for 30 is ten
    tape.intervals(slot(4), 1)
    assert tape.column("findings", "check_id", "severity", "start_ms", "end_ms") == [
        ("sum_register", "warn", slot(2), slot(4))
    ]


def test_a_bracket_with_a_slot_that_is_not_expected_cannot_be_reconciled() -> None:
    tape = Tape("intervals", register_row("intervals", slot(1)), register_row("check", register="t"))
    tape.read(slot(0), 0, register="t")
    tape.read(slot(2), 3, register="t")
    tape.intervals(slot(1), 3)
    assert tape.findings() == [("sum_register", "not_run")]


def test_an_estimate_is_frozen_when_its_references_are_corrected() -> None:
    tape = Tape(policy={"interpolate_max_s": 3600})
    tape.intervals(slot(0), 10, None, 20)
    tape.intervals(slot(0), 1000, version=2)
    assert tape.column("adjustments", "start_ms", "reason", "delta_nano") == [(slot(0), "CORRECTED_READ", 990)]


# --- settling


def test_reasons_by_what_stood_before() -> None:
    tape = Tape(policy={"interpolate_max_s": 1800})
    tape.intervals(slot(0), 10, None, 20, None, None, 5)
    tape.intervals(slot(3), 7, quality="ESTIMATED")  # for MISSING
    tape.intervals(slot(3), 8)  # for an ESTIMATED read
    tape.intervals(slot(1), 15)  # for our estimate, and the same: no row
    tape.intervals(slot(1), 16, version=2)
    tape.intervals(slot(2), 21, version=2)
    tape.intervals(slot(2), 20, version=3)
    assert tape.column("adjustments", "start_ms", "revision", "delta_nano", "reason", "corrects_revision") == [
        (slot(3), 1, 7, "LATE_READ", 0),
        (slot(3), 2, 1, "ESTIMATE_REPLACED", 1),
        (slot(1), 1, 1, "CORRECTED_READ", 0),
        (slot(2), 1, 1, "CORRECTED_READ", 0),
        (slot(2), 2, -1, "CORRECTED_READ", 1),
    ]


def test_a_local_day_has_46_or_50_half_hours_when_the_clock_changes() -> None:
    for text, halves in [("2024-03-30T23:00", 46), ("2024-10-26T22:00", 50)]:
        midnight = instant(text)
        row = register_row("intervals", midnight)
        tape = Tape("intervals", row, zone="Europe/Berlin", grid_s="LOCAL_DAY")
        tape.intervals(midnight, *[2] * halves)
        assert tape.column("determinants", "start_ms", "end_ms", "quantity_nano", "n_actual") == [
            (midnight, midnight + halves * HALF_HOUR, 2 * halves, halves)
        ]


def test_local_days_of_a_zone_with_half_an_hour() -> None:
    midnight = instant("2024-01-07T18:30")  # in Kolkata
    tape = Tape(
        "intervals",
        register_row("intervals", midnight),
        zone="Asia/Kolkata",
        interval_s="LOCAL_DAY",
        grid_s="LOCAL_DAY",
    )
    tape.intervals(midnight, 5, 6)
    tape.intervals(midnight + HOUR, 5)
    assert tape.column("determinants", "start_ms", "quantity_nano") == [(midnight, 5), (midnight + DAY, 6)]
    assert tape.rows("evidence")[2]["checks_failed"] == ["misaligned"]


def test_a_list_of_local_days_keeps_its_days_where_nothing_covers_them() -> None:
    midnight = instant("2024-03-29T23:00")  # the day after tomorrow is an hour short
    row = register_row("intervals", midnight, midnight + DAY)
    tape = Tape("intervals", row, zone="Europe/Berlin", interval_s="LOCAL_DAY", grid_s="LOCAL_DAY")
    tape.intervals(midnight, 5, 6, 7)
    assert tape.column("evidence", "start_ms", "end_ms", "verdict") == [
        (midnight, midnight + DAY, "ACCEPTED"),
        (midnight + DAY, midnight + DAY, "REJECTED"),
        (midnight + DAY + 23 * HOUR, midnight + DAY + 23 * HOUR, "REJECTED"),
    ]


# --- registers


def test_totals_are_interpolated_at_the_boundaries() -> None:
    tape = Tape("totals", policy={"interpolate_max_s": 3600})
    tape.read(slot(0), 100)
    tape.read(slot(0) + 20 * MINUTE, 107)
    tape.read(slot(0) + 40 * MINUTE, 118)
    tape.read(slot(2), 125)
    # 7 + 11 × 10 // 20 = 12; 11 − 5 + 7 = 13
    assert tape.column("determinants", "quantity_nano", "quality", "methods") == [
        (12, "CALCULATED", ["INTERPOLATED"]),
        (13, "CALCULATED", ["INTERPOLATED"]),
    ]
    tape.read(slot(4), 137)
    tape.read(slot(7) - 1, 200)
    assert tape.column("determinants", "quantity_nano", "quality", "methods")[2:] == [
        (6, "CALCULATED", ["INTERPOLATED"]),
        (6, "CALCULATED", ["INTERPOLATED"]),
        # 63 in 5 399 999 ms, an hour and a half less 1 ms: 63 × 1 800 000 // 5 399 999 = 21, twice as long 42
        (21, "ESTIMATED", ["REGISTER_BRACKETED"]),
        (21, "ESTIMATED", ["REGISTER_BRACKETED"]),
    ]


def test_the_quality_of_a_read_that_is_worse_than_the_geometry() -> None:
    tape = Tape("totals")
    tape.read(slot(0), 0)
    tape.read(slot(1), 4, quality="SUBSTITUTED")
    tape.read(slot(2), 9)
    assert tape.column("determinants", "quality", "methods") == [("SUBSTITUTED", ["SOURCE"])] * 2


def test_a_dip_that_recovers_is_neither_consumption_nor_reset() -> None:
    tape = Tape("totals")
    for at, count in enumerate([100, 110, 90, 120]):
        tape.read(slot(at), count)
    assert tape.column("evidence", "verdict", "checks_failed")[2] == ("REJECTED", ["register_backward"])
    assert tape.column("determinants", "quantity_nano") == [10, 5, 5]
    assert tape.column("determinants", "quality")[1:] == ["ESTIMATED", "ESTIMATED"]


def test_a_spike_that_returns_is_not_believed() -> None:
    tape = Tape("totals", register_row("totals", max_nano_per_hour=40))
    # In half an hour 20 are plausible, and one more for the rounding of the count.
    for at, count in enumerate([100, 121, 143, 150]):
        tape.read(slot(at), count)
    assert [row["checks_failed"] for row in tape.rows("evidence")] == [[], [], ["register_implausible"], []]
    assert tape.column("determinants", "quantity_nano") == [21, 14, 15]


def test_rollover_needs_the_digits_and_plausibility() -> None:
    plausible = {"digits": 3, "max_nano_per_hour": 100}
    for known, total in [(plausible, [15]), ({"digits": 3}, []), (plausible | {"digits": 4}, [])]:
        tape = Tape("totals", register_row("totals", **known))
        tape.read(slot(0), 990)
        tape.read(slot(1), 5)
        assert tape.column("determinants", "quantity_nano") == total
        assert tape.findings() == [("register_rollover", "info") if total else ("register_backward", "reject")]


def test_a_reset_breaks_the_chain_and_its_slot_is_a_hole() -> None:
    tape = Tape("totals")
    tape.read(slot(0), 100)
    tape.read(slot(1), 3, event="reset")
    tape.read(slot(2), 5)
    assert tape.column("determinants", "quantity_nano", "quality") == [(0, "MISSING"), (2, "ACTUAL")]


def test_meters_exchanged_within_a_slot_add_up() -> None:
    swap = slot(1) + 10 * MINUTE
    tape = Tape("totals", register_row("totals", MONDAY, swap), policy={"interpolate_max_s": 3600})
    tape.configure("e", register_row("totals", swap), reason="METER_EXCHANGED")
    tape.read(slot(0), 100)
    tape.read(swap, 140)
    tape.read(swap, 7, device="e")
    tape.read(slot(2), 12, device="e")
    # 40 over 40 minutes: 30 and 10; and 5 of the new meter
    assert tape.column("determinants", "quantity_nano") == [30, 15]
    assert tape.column("findings", "check_id", "device", "cause_offset", "start_ms") == [("exchange", "e", 1, 0)]
    tape.read(swap + MINUTE, 141)
    assert tape.rows("evidence")[-1]["checks_failed"] == ["unconfigured"]


def test_register_reads_are_refused_in_order() -> None:
    tape = Tape("totals", register_row("totals", decimals=1, digits=4))
    tape.read(slot(0), 100, register="x", quality="MISSING")
    tape.read(slot(0), 100, quality="MISSING", unit="gal")
    tape.read(slot(0), 100, unit="gal", decimals=2)
    tape.read(slot(0), -1, decimals=2)
    tape.read(slot(0), -1, decimals=1)
    tape.read(slot(0), 1000)  # 10 × 1000 needs five digits
    tape.read(slot(0), 999, received_ms=slot(0) - 300_001)
    tape.read(slot(0), 999)
    expected = [
        "unconfigured",
        "null_read",
        "unknown_unit",
        "resolution",
        "register_negative",
        "register_digits",
        "future",
    ]
    assert [row["checks_failed"] for row in tape.rows("evidence")] == [[check] for check in expected] + [[]]


def test_a_late_read_between_two_splits_what_was_interpolated() -> None:
    tape = Tape("totals", policy={"interpolate_max_s": 7200})
    tape.read(slot(0), 0)
    tape.read(slot(2), 10)
    tape.read(slot(1), 8)
    assert tape.column("determinants", "quantity_nano", "quality") == [(5, "CALCULATED"), (5, "CALCULATED")]
    assert tape.column("adjustments", "start_ms", "delta_nano", "quality", "reason") == [
        (slot(0), 3, "ACTUAL", "CORRECTED_READ"),
        (slot(1), -3, "ACTUAL", "CORRECTED_READ"),
    ]


def test_spans_between_reads_by_hand() -> None:
    tape = Tape("spans", interval_s="LOCAL_DAY", grid_s="LOCAL_DAY")
    first, second, third = MONDAY + HOUR, MONDAY + 40 * HOUR, MONDAY + 70 * HOUR
    tape.read(first, 100)
    tape.read(third, 160)
    tape.read(second, 130)
    assert tape.column("determinants", "start_ms", "end_ms", "quantity_nano", "n_actual") == [
        (first, third, 60, 1),
        (first, second, 30, 1),
        (second, third, 30, 1),
    ]
    [row] = tape.rows("adjustments")
    assert (row["start_ms"], row["end_ms"], row["new_nano"], row["n_actual"], row["quality"]) == (
        first,
        third,
        0,
        0,
        "",
    )
    tape.edit("refuse_read", register="r", at_ms=second)
    assert tape.column("adjustments", "end_ms", "delta_nano", "revision", "reason")[1:] == [
        (second, -30, 1, "MANUAL_EDIT"),
        (third, 60, 2, "MANUAL_EDIT"),
        (third, -30, 1, "MANUAL_EDIT"),
    ]
    tape.edit("refuse_read", register="r", at_ms=second)
    assert tape.column("evidence", "verdict", "kind")[3:] == [("CORRECTED", "edit"), ("REJECTED", "edit")]


# --- configuration


def test_a_restated_multiplier_adjusts_what_was_hardened() -> None:
    tape = Tape("intervals", register_row("intervals", multiplier=2))
    tape.intervals(slot(0), 3, 4 * 10**17)
    tape.configure("d", register_row("intervals", multiplier=5), reason="CONFIGURATION_RESTATED")
    assert tape.column("adjustments", "start_ms", "new_nano", "reason", "quality", "config_version") == [
        (slot(0), 15, "CONFIGURATION_RESTATED", "ACTUAL", 2),
        (slot(1), 0, "CONFIGURATION_RESTATED", "MISSING", 2),
    ]
    assert tape.findings() == [("out_of_range", "reject")]


def test_a_restated_multiplier_leaves_what_a_person_stated() -> None:
    tape = Tape("intervals", register_row("intervals", multiplier=2))
    tape.intervals(slot(0), 3, 3)
    tape.edit("replace", start_ms=slot(0), quantity_nano=7, replaces_version=1)
    tape.configure("d", register_row("intervals", multiplier=5))
    assert tape.column("adjustments", "start_ms", "new_nano") == [(slot(0), 7), (slot(1), 15)]


def test_coverage_withdrawn_and_given_back() -> None:
    tape = Tape()
    tape.intervals(slot(0), 3, 4, 5)
    tape.configure("d", register_row("intervals", MONDAY, slot(1)), reason="METER_EXCHANGED")
    tape.gate(slot(4))
    tape.configure(
        "d", register_row("intervals"), reason="ASSIGNMENT_RESTATED", policy=tape.channel["policy"] | {"like_days": 1}
    )
    assert tape.column("adjustments", "start_ms", "new_nano", "reason", "n_missing", "quality") == [
        (slot(1), 0, "METER_EXCHANGED", 0, ""),
        (slot(2), 0, "METER_EXCHANGED", 0, ""),
    ]
    # The third window stands at 0 again, MISSING now: no difference, no row. The fourth never had a determinant.
    assert tape.column("determinants", "start_ms", "hardened_by", "quality")[3:] == [
        (slot(3), "configuration", "MISSING")
    ]
    assert tape.oracle.current("sp", "c")[(slot(2), slot(3))][2:] == ((0, 0, 0, 0, 1), "MISSING")


def test_configurations_that_are_refused_change_nothing() -> None:
    tape = Tape()
    tape.configure("d", unit="gal")
    tape.configure("d", unit="kWh", grid_s=2700)
    tape.configure("d", grid_s=1800, horizon_days=21)
    tape.configure("d", horizon_days=20)
    tape.configure("e", register_row("intervals", slot(5)))
    tape.zone = [[0, 0], [MONDAY, 900]]
    tape.configure("d")
    tape.zone = [[0, 900]]
    tape.configure("d")
    assert tape.findings() == [("configuration_refused", "error")] * 6
    assert tape.oracle.points["sp"].device("d").version == 5


# --- value checks


def test_value_checks_that_fire_and_that_could_not_run() -> None:
    policy = {"spike_factor": 3, "zero_run_s": 3600}
    tape = Tape("intervals", register_row("intervals", max_nano_per_hour=200), policy=policy, horizon_days=30)
    for day, quantity in enumerate([10, 12, 11, 9, 10, 8, 10]):  # median 10, deviations 0 0 0 1 1 2 2: MAD 1
        tape.intervals(MONDAY + day * DAY, quantity)
    eighth = MONDAY + 7 * DAY
    tape.intervals(eighth, 20)  # d = 10, not above the median
    tape.intervals(eighth, 21, version=2)
    tape.intervals(eighth + HALF_HOUR, 0, 0, 0, -101, 100)
    said = tape.column("evidence", "checks_failed", "checks_not_run")
    assert said[0] == ([], ["spike"])
    assert said[7:9] == [([], []), (["spike"], [])]
    assert [failed for failed, _ in said[9:]] == [[], ["zero_run"], [], ["capacity", "negative"], []]


# --- edits and restatements


def test_edits_name_the_version_they_replace() -> None:
    tape = Tape()
    tape.intervals(slot(0), 5, 6, version=7)
    tape.edit("replace", start_ms=slot(0), quantity_nano=50, replaces_version=6)
    tape.edit("replace", start_ms=slot(0), quantity_nano=50, replaces_version=7)
    tape.edit("replace", start_ms=slot(2), quantity_nano=70, replaces_version=-1)  # stays open
    tape.edit("replace", start_ms=slot(2) + 1, quantity_nano=70, replaces_version=-1)
    tape.edit("replace", start_ms=MONDAY - HALF_HOUR, quantity_nano=70, replaces_version=-1)
    assert tape.column("evidence", "verdict", "checks_failed")[2:] == [
        ("REJECTED", ["edit_stale"]),
        ("CORRECTED", []),
        ("ACCEPTED", []),
        ("REJECTED", ["misaligned"]),
        ("REJECTED", ["unconfigured"]),
    ]
    assert tape.column("adjustments", "start_ms", "reason", "methods", "n_substituted") == [
        (slot(0), "MANUAL_EDIT", ["MANUAL_EDIT"], 1)
    ]
    assert len(tape.rows("determinants")) == 2
    tape.intervals(slot(0), 5, version=8)  # same version as the edit, better quality
    assert tape.rows("adjustments")[-1]["reason"] == "CORRECTED_READ"


def test_restatements_continue_the_revisions_of_what_is_beyond_the_horizon() -> None:
    tape = Tape(horizon_days=2)
    tape.intervals(slot(0), 5, 6)
    tape.gate(MONDAY + 3 * DAY)  # base: MONDAY + 1 day
    row = {
        "start_ms": slot(0),
        "end_ms": slot(1),
        "old_nano": 5,
        "new_nano": 9,
        "revision": 0,
        "quality": "SUBSTITUTED",
    }
    tape.restate(row, row | {"new_nano": 8}, row | {"old_nano": 9, "new_nano": 7, "revision": 1})
    tape.restate(row | {"start_ms": slot(1), "end_ms": slot(2), "old_nano": 6, "new_nano": 6})
    inside = {"start_ms": MONDAY + DAY, "end_ms": MONDAY + DAY + HALF_HOUR, "old_nano": 0}
    tape.restate(row | inside, row | {"old_nano": 7, "new_nano": -(10**18), "revision": 2})
    assert tape.column("adjustments", "start_ms", "revision", "delta_nano", "reason", "n_substituted") == [
        (slot(0), 1, 4, "CORRECTED_READ", 1),
        (slot(0), 2, -2, "CORRECTED_READ", 1),
    ]
    refused = [row["start_ms"] for row in tape.rows("findings") if row["check_id"] == "restatement_refused"]
    assert refused == [slot(0), MONDAY + DAY, slot(0)]


# --- streams


def test_a_stream_is_a_function_of_its_seed_and_the_oracle_of_its_records() -> None:
    stream, again = make_stream(3, days=30, size=3), make_stream(3, days=30, size=3)
    assert stream.records == again.records
    oracle = Oracle(0)
    for record in stream.records:
        oracle.apply(record)
    assert oracle.rows == stream.oracle.rows
    assert oracle.ledger() == stream.oracle.ledger()


def test_raw_offsets_rise_but_for_repeats() -> None:
    stream = make_stream(4, days=30, size=3)
    highest: dict[int, tuple[int, int]] = {}
    seen: set[tuple[int, int, int]] = set()
    for record in stream.records:
        partition, coordinate = record["raw"][0], (record["raw"][1], record["sub"])
        assert coordinate > highest.get(partition, (-1, 0)) or (partition, *coordinate) in seen
        highest[partition] = max(coordinate, highest.get(partition, (-1, 0)))
        seen.add((partition, *coordinate))


@pytest.mark.long
def test_everything_occurs_often(tell: Callable[[str], None]) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=4, mp_context=context) as pool:
        seen = coverage.total(list(pool.map(partial(coverage.count_seed, days=40), range(10))))
    tell(coverage.table(seen))
    coverage.require_coverage(seen, at_least=5)
