"""Carrying out clean prefixes: slots, value checks, hardening, and the rows of all that.

Mirrors `_take` of state/intervals.py, `harden_window` of settlement.py and `Arrival.emit` of judging.py.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from state.codes import ACCEPTED, ACTUAL, DUPLICATE, NONE, RULE_VERSION
from state.columnar.checks import WORDS, Outcome, value_checks
from state.columnar.judging import Judged, Standing
from state.columnar.lanes import Program
from state.columnar.units import Ints, Steps
from state.outputs import Outputs, Words
from state.unit import Step, Unit

_ACTUAL = "ACTUAL"


def carry_out(
    program: Program,
    standing: Standing,
    steps: Steps,
    judged: Judged,
    ledger: Counter[str],
    unit_of: Callable[[Step], Unit],
    out: Outputs,
) -> None:
    """Bring the state to where the clean prefixes leave it, and emit their rows."""
    new = np.flatnonzero(judged.is_new)
    _place(program, standing, steps, judged, new)
    checked = value_checks(program, standing, steps, judged, new)
    _emit_evidence(program, steps, judged, new, checked, out)
    _emit_findings(program, steps, judged, new, checked, unit_of)
    _harden(program, standing, steps, judged, out)
    _move_watermarks(steps, judged)
    for verdict, number in ((ACCEPTED, len(new)), (DUPLICATE, int(judged.taken.sum()) - len(new))):
        if number:
            ledger[verdict] += number


def _place(program: Program, standing: Standing, steps: Steps, judged: Judged, new: Ints) -> None:
    """ACTUAL evidence into empty slots."""
    arrays, units = program.slots.arrays, judged.units
    row, at = standing.slot_row[judged.channel[new]], judged.slot[new] % program.slots.length
    devices = np.array([lane.device_number for lane in steps.lanes], np.int64)
    arrays["quantity_nano"][row, at] = units.quantity[new]
    arrays["version"][row, at] = units.version[new]
    arrays["quality"][row, at] = ACTUAL
    arrays["method"][row, at] = NONE
    arrays["reason"][row, at] = 0
    arrays["evidence"][row, at] = 1
    arrays["device"][row, at] = devices[steps.lane[units.step[new]]]


def _emit_evidence(program: Program, steps: Steps, judged: Judged, new: Ints, checked: Outcome, out: Outputs) -> None:
    taken = np.flatnonzero(judged.taken)
    units = judged.units
    step, at = units.step[taken], units.at[taken]
    lane = steps.lane[step]
    failed, not_run = np.zeros(len(units), np.int64), np.zeros(len(units), np.int64)
    failed[new], not_run[new] = checked.failed, checked.not_run
    names = [(lane.point.name, lane.span.channel, lane.span.device, lane.span.register) for lane in steps.lanes]
    supply_point, channel, device, register = (Words(lane, column) for column in zip(*names, strict=True))
    one = np.zeros(len(taken), np.int64)
    nothing = Words(one, (None,))
    out.add_block(
        "evidence",
        (
            steps.raw_partition[step], steps.raw_offset[step], steps.first_sub[step] + at, supply_point, channel, device,
            register, Words(one, ("interval",)), units.start_ms[taken], units.start_ms[taken] + program.native_ms,
            units.quantity[taken], nothing, nothing, Words(one, (_ACTUAL,)), units.version[taken],
            Words((~judged.is_new[taken]).astype(np.int64), (ACCEPTED, DUPLICATE)), Words(failed[taken], WORDS),
            Words(not_run[taken], WORDS), steps.origin[step, 0], steps.origin[step, 1], steps.origin[step, 2] + at,
            steps.received_ms[step], steps.known_at_ms[step], Words(one, (steps.curated_partition,)),
            steps.curated_offset[step],
        ),
    )  # fmt: skip


def _emit_findings(
    program: Program, steps: Steps, judged: Judged, new: Ints, checked: Outcome, unit_of: Callable[[Step], Unit]
) -> None:
    """One finding per failed check; few, so one by one."""
    units = judged.units
    for position in np.flatnonzero(checked.failed):
        at = new[position]
        step = int(units.step[at])
        lane = steps.lanes[steps.lane[step]]
        unit = unit_of(steps.steps[step])
        unit.sub += int(units.at[at])
        start_ms, quantity = int(units.start_ms[at]), int(units.quantity[at])
        key = (lane.point.name, lane.span.channel, lane.span.device)
        for check_id in WORDS[int(checked.failed[position])]:
            unit.finding(check_id, "warn", key, start_ms, start_ms + program.native_ms, quantity_nano=quantity)


def _harden(program: Program, standing: Standing, steps: Steps, judged: Judged, out: Outputs) -> None:
    """The windows that W passes: each is whole and ACTUAL, and caused by the unit behind which W passed it."""
    units = judged.units
    number = np.where(judged.taken, (judged.after_ms - judged.before_ms) // program.window_ms, 0)
    cause = np.repeat(np.arange(len(units)), number)
    if not len(cause):
        return
    start_ms = judged.before_ms[cause] + program.window_ms * (
        np.arange(len(cause)) - np.repeat(np.cumsum(number) - number, number)
    )
    channel, parts = judged.channel[cause], program.window_ms // program.native_ms
    first = (start_ms - program.anchor_ms) // program.native_ms
    slots = program.slots
    held = slots.arrays["quantity_nano"]
    row = standing.slot_row[channel]
    quantity = sum(held[row, (first + part) % slots.length] for part in range(parts))
    window = (start_ms - program.window_anchor_ms) // program.window_ms % program.windows.length
    window_row = standing.window_row[channel]
    program.windows.arrays["standing_nano"][window_row, window] = quantity
    program.windows.arrays["revision"][window_row, window] = 0

    definitions = [(point.name, channel.definition) for point, channel in steps.channels]
    named = judged.units.channel[cause]
    step = units.step[cause]
    one = np.zeros(len(cause), np.int64)
    zero, empty = Words(one, (0,)), Words(one, ("",))
    versions = np.array([definition.config_version for _, definition in definitions], np.int64)
    out.add_block(
        "determinants",
        (
            Words(named, tuple(name for name, _ in definitions)), Words(named, tuple(d.channel for _, d in definitions)),
            start_ms, start_ms + program.window_ms, Words(named, tuple(d.unit for _, d in definitions)), quantity,
            Words(one, (parts,)), zero, zero, zero, zero, Words(one, (_ACTUAL,)), Words(one, ((),)), empty,
            Words(one, ("read",)), steps.raw_partition[step], steps.raw_offset[step], steps.first_sub[step] + units.at[cause],
            Words(one, (RULE_VERSION,)), versions[named], steps.known_at_ms[step], Words(one, (steps.curated_partition,)),
            steps.curated_offset[step],
        ),
    )  # fmt: skip


def _move_watermarks(steps: Steps, judged: Judged) -> None:
    """Where the last unit of each prefix leaves its channel."""
    first = np.searchsorted(judged.channel, np.arange(len(judged.reached)))
    last = judged.reached - 1
    for position in np.flatnonzero(last >= first):
        at = last[position]
        _, channel = steps.channels[judged.units.channel[at]]
        channel.latest_end_ms = int(judged.latest_end_ms[at])
        if judged.after_ms[at] > channel.watermark_ms:
            channel.hardened_any = True
            channel.set_watermark(int(judged.after_ms[at]))
