"""The table of slips: what the fold says, what it says by mistake, and which rule of docs/rules.md that breaks.

Each is what a tired person might write, and none of them stops the program. `is_dear`: only a stream notices it, and only late; left
to `make test-long`.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """One slip: in `state/FILE` the text `said`, which stands there once, becomes `says`."""

    name: str
    file: str
    said: str
    says: str
    breaks: str
    is_dear: bool = False


class NotOnce(AssertionError):
    """The fold does not hold the text of a mutant exactly once: the table is behind the code."""


def copy_state(into: Path, mutant: Mutant | None = None) -> Path:
    """Copy `state/` into a folder, with one slip or none; returns the folder, for the import path."""
    into.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "state", into / "state", ignore=shutil.ignore_patterns("__pycache__"))
    if mutant is not None:
        path = into / "state" / mutant.file
        text = path.read_text(encoding="utf-8")
        found = text.count(mutant.said)
        if found != 1:
            raise NotOnce(f"{mutant.name}: state/{mutant.file} holds {mutant.said!r} {found} times, not once")
        path.write_text(text.replace(mutant.said, mutant.says), encoding="utf-8")
    return into


MUTANTS: Final = (
    # -- marks, known_at ----------------------------------------------------------------------------------------------
    Mutant(
        "mark_lets_the_last_unit_in_again",
        "fold.py",
        "max(marked_sub - sub + 1, 0)",
        "max(marked_sub - sub, 0)",
        "1: a unit at the mark is dropped too",
    ),
    Mutant(
        "one_mark_for_all_raw_partitions",
        "fold.py",
        "marked_offset, marked_sub = self.marks[partition]",
        "marked_offset, marked_sub = max((mark for _, mark in self.marks.items()), default=(-1, -1))",
        "1: every raw partition has a mark of its own",
    ),
    Mutant(
        "known_at_goes_back",
        "fold.py",
        "self.known_at_ms = max(self.known_at_ms, append_ms)",
        "self.known_at_ms = append_ms",
        "1: known_at is the running maximum of the append time",
    ),
    # -- evidence order -----------------------------------------------------------------------------------------------
    Mutant(
        "version_alone_decides",
        "evidence.py",
        "CORRECTED if arriving[:2] > incumbent[:2]",
        "CORRECTED if arriving[0] > incumbent[0]",
        "3 row 14: of the same version the better quality wins",
    ),
    Mutant(
        "substituted_outranks_calculated",
        "codes.py",
        '"ESTIMATED", "SUBSTITUTED", "CALCULATED", "ACTUAL")',
        '"ESTIMATED", "CALCULATED", "SUBSTITUTED", "ACTUAL")',
        "3: ACTUAL, CALCULATED, SUBSTITUTED, ESTIMATED, MISSING is the order",
    ),
    Mutant(
        "a_smaller_contradiction_is_a_duplicate",
        "evidence.py",
        "arriving[2] == incumbent[2]",
        "arriving[2] <= incumbent[2]",
        "3 row 17: any other quantity conflicts",
    ),
    # -- heartbeats, watermark, gates -----------------------------------------------------------------------------------
    Mutant(
        "an_older_heartbeat_speaks",
        "fold.py",
        "if known is not None and sequence < known[0]:",
        "if known is not None and sequence < 0:",
        "4: of a device's heartbeats the one with the highest sequence holds",
    ),
    Mutant(
        "a_heartbeat_of_any_device_counts",
        "fold.py",
        "if channel.current_device() == device]",
        "if device in channel.devices]",
        "4: a heartbeat speaks for the channels whose current device it is",
        is_dear=True,
    ),
    Mutant(
        "backlog_does_not_hold_the_watermark",
        "supply_point.py",
        "target_ms = min(target_ms, complete_ms)",
        "target_ms = max(target_ms, complete_ms)",
        "4: the target is the earlier of the latest end and complete-through",
    ),
    Mutant(
        "allowance_in_the_wrong_unit",
        "supply_point.py",
        "channel.latest_end_ms - channel.definition.allowance_s * 1000",
        "channel.latest_end_ms - channel.definition.allowance_s",
        "4: the watermark stays an allowance behind the latest end",
    ),
    Mutant(
        "an_estimated_read_moves_the_watermark",
        "intervals.py",
        "    if arrival.quality > ESTIMATED:\n        channel.latest_end_ms",
        "    if arrival.quality >= ESTIMATED:\n        channel.latest_end_ms",
        "4: only quality better than ESTIMATED raises the latest end",
    ),
    Mutant(
        "the_first_copy_of_a_gate_closes",
        "fold.py",
        "passed_ms = min(seen.values())",
        "passed_ms = max(seen.values())",
        "4: a scope has passed what every raw partition has seen",
    ),
    Mutant(
        "a_gate_needs_no_other_partition",
        "fold.py",
        'if len(seen) < int(record["partitions"]):',
        'if len(seen) < int(record["partitions"]) - 1:',
        "4: a gate acts once all its copies are in",
    ),
    Mutant(
        "a_site_gate_closes_every_site",
        "fold.py",
        'if scope in ("all", f"site:{channel.definition.calendar.site}"):',
        'if scope == "all" or scope.startswith("site:"):',
        "4: a gate of a site closes the channels of that site",
    ),
    # -- future, horizon ------------------------------------------------------------------------------------------------
    Mutant(
        "future_by_its_start",
        "intervals.py",
        "if arrival.end_ms <= unit.received_ms + FUTURE_TOLERANCE_MS:",
        "if arrival.start_ms <= unit.received_ms + FUTURE_TOLERANCE_MS:",
        "3 row 8: an interval that ends after its receipt is future-dated",
    ),
    Mutant(
        "the_base_itself_is_beyond_the_horizon",
        "intervals.py",
        "if arrival.start_ms < channel.base_ms:",
        "if arrival.start_ms <= channel.base_ms:",
        "3 row 9: the first remembered slot starts at the base",
    ),
    Mutant(
        "a_slot_too_many_ahead",
        "supply_point.py",
        "if start_ms < channel.ahead_ms:",
        "if start_ms <= channel.ahead_ms:",
        "3 row 10: slots before W + 7 days are remembered",
        is_dear=True,
    ),
    # -- hardening ------------------------------------------------------------------------------------------------------
    Mutant(
        "the_open_window_is_settled",
        "channel.py",
        "return self.definition.native.start_ms(slot) < self.watermark_ms",
        "return self.definition.native.start_ms(slot) <= self.watermark_ms",
        "8: what starts at W has not hardened",
    ),
    Mutant(
        "missing_stretches_run_together",
        "hardening.py",
        "holes[at + 1] == slot + 1",
        "holes[at + 1] > slot",
        "7: one finding for each maximal stretch of consecutive holes",
    ),
    Mutant(
        "coverage_is_not_asked_for",
        "hardening.py",
        "if channel.slots.is_nothing(slot) and channel.expects(slot)]",
        "if channel.slots.is_nothing(slot)]",
        "7: only an expected slot is a hole",
    ),
    # -- estimation -----------------------------------------------------------------------------------------------------
    Mutant(
        "interpolation_reaches_the_neighbour",
        "estimation.py",
        "(hole - first + 1) // (length + 1)",
        "(hole - first + 1) // length",
        "7 rule 2: the i-th of n slots lies i of n + 1 steps on",
    ),
    Mutant(
        "the_longest_gap_is_not_interpolated",
        "estimation.py",
        "if length > most or not",
        "if length >= most or not",
        "7 rule 2: a run as long as the longest is interpolated still",
    ),
    Mutant(
        "a_holiday_is_a_saturday",
        "calendar.py",
        "in self._holidays:\n            return SUNDAY",
        "in self._holidays:\n            return SATURDAY",
        "7 rule 3: a holiday counts as a Sunday",
    ),
    Mutant(
        "an_estimate_is_a_reference",
        "estimation.py",
        "if channel.holds(slot, ESTIMATED):",
        "if channel.holds(slot, 0):",
        "7 rule 3: references hold evidence better than ESTIMATED",
        is_dear=True,
    ),
    Mutant(
        "shares_are_rounded_one_by_one",
        "estimation.py",
        "total * (before + weight) // whole - total * before // whole",
        "total * weight // whole",
        "7 rule 1: the shares of a bracket add up to what it holds",
    ),
    Mutant(
        "a_negative_weight",
        "estimation.py",
        "if weight is not None and weight >= 0]",
        "if weight is not None]",
        "7 rule 1: like-day values weigh only if each is at least 0",
        is_dear=True,
    ),
    Mutant(
        "the_earliest_bracket_is_taken",
        "estimation.py",
        "max(around, key=lambda item: (item[0], -item[1]))",
        "min(around, key=lambda item: (item[0], item[1]))",
        "7 rule 1: of several brackets the latest-starting is taken",
    ),
    Mutant(
        "any_register_is_a_check",
        "brackets.py",
        "if s.span.role == CHECK and s.span.channel == channel.definition.channel)",
        "if s.span.channel == channel.definition.channel)",
        "6: the segments of role check are the brackets",
        is_dear=True,
    ),
    Mutant(
        "a_check_of_another_channel_brackets",
        "brackets.py",
        "if s.span.role == CHECK and s.span.channel == channel.definition.channel)",
        "if s.span.role == CHECK)",
        "7 rule 1: the brackets are those of the channel's own check streams",
    ),
    # -- brackets and reconciliation ------------------------------------------------------------------------------------
    Mutant(
        "a_bracket_completes_after_its_end",
        "brackets.py",
        "if bracket[1] <= channel.watermark_ms]",
        "if bracket[1] < channel.watermark_ms]",
        "6: a bracket is complete once W has reached its end",
    ),
    Mutant(
        "one_count_is_no_difference",
        "brackets.py",
        "if abs(difference) >= nano_per_count:",
        "if abs(difference) > nano_per_count:",
        "6: a difference of one count is a finding",
    ),
    # -- the register chain ---------------------------------------------------------------------------------------------
    Mutant(
        "rollover_without_plausibility",
        "registers.py",
        "if span.digits is None or span.max_nano_per_hour is None:",
        "if span.digits is None:",
        "6: a rollover needs the digits and the maximum",
    ),
    Mutant(
        "plausible_to_the_last_count",
        "registers.py",
        "(advance - 1) * span.nano_per_count * HOUR_MS",
        "advance * span.nano_per_count * HOUR_MS",
        "6: one count more than the maximum is the rounding of the register",
    ),
    Mutant(
        "a_reset_is_compared",
        "registers.py",
        "if span is None or read.reset:",
        "if span is None:",
        "6: a reset breaks the chain",
    ),
    Mutant(
        "a_bad_read_is_the_anchor",
        "registers.py",
        'range(cut - 1, -1, -1) if reads[at]["state"] == GOOD), None)',
        "range(cut - 1, -1, -1)), None)",
        "6: of the reads before base the last good one is kept",
        is_dear=True,
    ),
    Mutant(
        "the_later_span_judges",
        "configuration.py",
        "return self.from_ms <= instant_ms <= self.to_ms",
        "return self.from_ms <= instant_ms < self.to_ms",
        "6 row 1: of two spans that touch, the earlier one judges the read between them",
    ),
    # -- totals and spans -----------------------------------------------------------------------------------------------
    Mutant(
        "totals_rounded_one_by_one",
        "totals.py",
        "segment.cumulative(high) - segment.cumulative(low)",
        "segment.cumulative(segment.start_ms + high - low)",
        "6: a slot is the difference of two cumulative totals",
    ),
    Mutant(
        "totals_with_a_hole",
        "totals.py",
        "        if segment.start_ms > covered_to_ms:\n            return None\n",
        "",
        "6: a slot has a value when segments cover it without a hole",
    ),
    Mutant(
        "the_longest_segment_is_an_estimate",
        "totals.py",
        "segment.end_ms - segment.start_ms > longest_ms:",
        "segment.end_ms - segment.start_ms >= longest_ms:",
        "6: a segment as long as the longest is interpolated still",
    ),
    Mutant(
        "a_span_hardens_late",
        "spans.py",
        "key[1] <= target_ms and key not in book.standing",
        "key[1] < target_ms and key not in book.standing",
        "6: a span hardens when W has reached its end",
    ),
    # -- configuration --------------------------------------------------------------------------------------------------
    Mutant(
        "the_old_multiplier_stays",
        "restating.py",
        "held.quantity_nano // old.multiplier * new.multiplier",
        "held.quantity_nano * new.multiplier",
        "2: quantities are restated from the old multiplier to the new",
    ),
    Mutant(
        "an_edit_is_multiplied",
        "restating.py",
        "elif new.multiplier != old.multiplier and not is_edit:",
        "elif new.multiplier != old.multiplier:",
        "2: an edit's quantity is final",
    ),
    # -- settlement -----------------------------------------------------------------------------------------------------
    Mutant(
        "a_delivered_estimate_was_a_read",
        "settlement.py",
        "if any(slot.evidence and slot.quality > ESTIMATED for slot in before):",
        "if any(slot.evidence for slot in before):",
        "8: what replaces a delivered estimate is ESTIMATE_REPLACED",
    ),
    Mutant(
        "settled_without_memory",
        "settlement.py",
        "        return\n    channel.windows.put(window, content.quantity_nano, revision + 1)\n",
        "        return\n",
        "8: a window is compared with what stands now",
    ),
    Mutant(
        "missing_is_not_counted",
        "settlement.py",
        "        counts[held.quality] += 1\n",
        "        counts[held.quality] += held.quality != MISSING\n",
        "7: a determinant says how many of its slots are MISSING",
    ),
    # -- edits and restatements -----------------------------------------------------------------------------------------
    Mutant(
        "an_edit_keeps_the_version",
        "edits.py",
        "arrival.version = replaces + 1",
        "arrival.version = max(replaces, 0)",
        "9: an edit becomes the version after the one it replaces",
    ),
    Mutant(
        "an_edit_need_not_know",
        "edits.py",
        "if replaces != in_force or span is None:",
        "if replaces < in_force or span is None:",
        "9: an edit names the version in force",
        is_dear=True,
    ),
    Mutant(
        "restated_inside_the_horizon",
        "edits.py",
        "end_ms > channel.base_ms or not agrees",
        "not agrees",
        "9: a restatement is of windows before the base",
    ),
    Mutant(
        "a_restatement_is_forgotten",
        "edits.py",
        "point.restated[name, start_ms, end_ms] = (new, revision + 1)",
        "point.restated[name, start_ms, end_ms] = (new, revision)",
        "9: the fold remembers the revision it gave",
    ),
    # -- calendar -------------------------------------------------------------------------------------------------------
    Mutant(
        "the_clock_changes_late",
        "calendar.py",
        "bisect_right(self._from_ms, instant_ms)",
        "bisect_right(self._from_ms, instant_ms - 1)",
        "2: an offset holds from its first instant on",
    ),
    Mutant(
        "an_hour_that_never_was",
        "calendar.py",
        "return found if self.offset_ms(found) == other else None",
        "return found",
        "7 rule 3: a day whose clock skipped that time has no reference",
    ),
    Mutant(
        "the_first_slot_is_late",
        "grid.py",
        "anchors = {-offset % seconds for offset in calendar.offsets_s}",
        "anchors = {offset % seconds for offset in calendar.offsets_s}",
        "2: every local midnight is a grid point",
    ),
    # -- snapshot -------------------------------------------------------------------------------------------------------
    Mutant(
        "the_latest_end_is_not_restored",
        "snapshot.py",
        '    channel.latest_end_ms = packed["latest_end_ms"]\n',
        "",
        "the whole fold survives a restart (4: latest_end)",
    ),
    Mutant(
        "heartbeats_are_not_restored",
        "packing.py",
        "{device: (pair[0], pair[1]) for device, pair",
        "{device: (0, pair[1]) for device, pair",
        "the whole fold survives a restart (4: the highest sequence)",
    ),
)
