"""Rows of compiled code as blocks of columns: numbers as they are, and few different values as codes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state.codes import QUALITY_NAMES, REASON_NAMES, RULE_VERSION, VERDICTS, methods_text
from state.columnar.layout import (
    ADJUSTMENT,
    CAUSES,
    CHECKS,
    CONFLICTING_READ,
    DETERMINANT,
    EVIDENCE,
    FINDING,
    MISSING_READS,
    NULL_READ,
    REASONS,
    Emitted,
    Ints,
    Records,
)
from state.columnar.readings import INTERVALS, ReadingColumns
from state.outputs import Column, Outputs, Words

_CHECKS_IN: Final = tuple(
    tuple(name for bit, name in enumerate(CHECKS) if mask >> bit & 1) for mask in range(1 << len(CHECKS))
)
"""The names in a mask of checks."""
_METHODS_IN: Final = tuple(methods_text(mask) for mask in range(64))
_KINDS: Final = (EVIDENCE, DETERMINANT, ADJUSTMENT, FINDING)


def make_room(rows: int) -> Emitted:
    """Room for so many evidence rows, and for what comes of them."""
    sizes = (rows + 64, 2 * rows + 16_384, rows // 4 + 1_024, rows // 4 + 16_384)
    evidence, determinants, adjustments, findings = (np.zeros(*room) for room in zip(sizes, _KINDS, strict=True))
    number, verdicts = np.zeros(len(_KINDS), np.int64), np.zeros(len(VERDICTS), np.int64)
    return Emitted(evidence, determinants, adjustments, findings, number, verdicts)


def grow(emitted: Emitted) -> Emitted:
    """Twice the room, the rows kept."""
    evidence, determinants, adjustments, findings = (
        np.concatenate([rows, np.zeros_like(rows)]) for rows in emitted[: len(_KINDS)]
    )
    return Emitted(evidence, determinants, adjustments, findings, emitted.number, emitted.verdicts)


def with_carriers(readings: ReadingColumns, others: Sequence[Mapping[str, Any]]) -> ReadingColumns:
    """The readings and after them, as causes only, the records that are none."""
    if not others:
        return readings
    carriers = {
        "at": readings.others.tolist(),
        "raw_partition": [other["raw"][0] for other in others],
        "raw_offset": [other["raw"][1] for other in others],
        "sub": [int(other.get("sub") or 0) for other in others],
        "name": [0] * len(others),
    }
    return readings._replace(
        **{name: np.concatenate([getattr(readings, name), np.array(own, np.int64)]) for name, own in carriers.items()}
    )


class Vocabulary:
    """What the numbers of names and channels stand for, column by column; a column is the same tuple until something new is met."""

    def __init__(self) -> None:
        self.names: tuple[tuple[str, ...], ...] = ((),) * 4
        """(supply points, devices, registers, units) of the names of readings."""
        self.channels: tuple[tuple[str, ...], ...] = ((),) * 3
        """(supply points, channels, units) of the channels."""

    def look(self, names: Sequence[tuple[str, ...]], channels: Sequence[tuple[str, ...]]) -> None:
        """Take in names and channels; those that were known stay as they are."""
        if len(names) != len(self.names[0]):
            self.names = tuple(zip(*names, strict=True))
        if len(channels) != len(self.channels[0]):
            self.channels = tuple(zip(*channels, strict=True))


class Places:
    """Where the records of a batch come from, and the names of what they are about."""

    def __init__(
        self, readings: ReadingColumns, vocabulary: Vocabulary, known_at_ms: Ints, curated: tuple[int, Ints]
    ) -> None:
        """`known_at_ms` and the curated offsets by position in the batch."""
        self.readings = readings
        self._vocabulary = vocabulary
        self._known_at_ms, self._curated = known_at_ms, curated

    def named(self, record: Ints) -> tuple[Words, Words, Words]:
        """(supply point, device, register) of some records."""
        codes = self.readings.name[record]
        point, device, register, _ = self._vocabulary.names
        return Words(codes, point), Words(codes, device), Words(codes, register)

    def channel(self, number: Ints) -> tuple[Words, Words, Words]:
        """(supply point, channel, unit) of some channels."""
        point, channel, unit = self._vocabulary.channels
        return Words(number, point), Words(number, channel), Words(number, unit)

    def place(self, record: Ints) -> tuple[Column, Column, Column]:
        """The last columns of every row: known at, curated partition, curated offset."""
        at = self.readings.at[record]
        partition, offsets = self._curated
        return self._known_at_ms[at], _one(len(record), partition), offsets[at]

    def cause(self, rows: Records) -> tuple[Column, Column, Column]:
        """The carrier coordinates of the elements that rows are about."""
        record, readings = rows["record"], self.readings
        return readings.raw_partition[record], readings.raw_offset[record], readings.sub[record] + rows["element"]


def emit(emitted: Emitted, places: Places, out: Outputs) -> None:
    """Hand all rows over."""
    evidence, determinants, adjustments, findings = (
        rows[:number] for rows, number in zip(emitted[: len(_KINDS)], emitted.number, strict=True)
    )
    if len(evidence):
        out.add_block("evidence", _evidence(evidence, places))
    if len(determinants):
        out.add_block("determinants", _determinants(determinants, places))
    if len(adjustments):
        out.add_block("adjustments", _adjustments(adjustments, places))
    if len(findings):
        out.add_block("findings", _findings(findings, places))


def _evidence(rows: Records, places: Places) -> tuple[Column, ...]:
    readings = places.readings
    record, element = rows["record"], rows["element"]
    supply_point, device, register = places.named(record)
    channel = places.channel(rows["channel"].astype(np.int64))[1]
    length_ms = readings.interval_s[record] * 1000
    start_ms = readings.start_ms[record] + element * length_ms
    at = readings.first[record] + element
    quantity = np.ma.masked_array(rows["quantity_nano"], rows["has_quantity"] == 0)
    is_interval = readings.kind[record] == INTERVALS
    count: Column = _one(len(rows), None)
    decimals: Column = count
    if not is_interval.all():
        count = np.ma.masked_array(readings.value[at], is_interval)
        decimals = np.ma.masked_array(readings.decimals[record].astype(np.int64), is_interval)
    return (
        *places.cause(rows), supply_point, channel, device, register, _coded(is_interval, ("register", "interval")), start_ms,
        start_ms + length_ms, quantity, count, decimals, _coded(readings.quality[at], QUALITY_NAMES),
        readings.version[record], _coded(rows["verdict"], VERDICTS), _coded(rows["failed"], _CHECKS_IN),
        _coded(rows["not_run"], _CHECKS_IN), readings.origin_partition[record], readings.origin_offset[record],
        readings.origin_sub[record] + element, readings.received_ms[record], *places.place(record),
    )  # fmt: skip


def _determinants(rows: Records, places: Places) -> tuple[Column, ...]:
    supply_point, channel, unit = places.channel(rows["channel"])
    return (
        supply_point, channel, rows["start_ms"], rows["end_ms"], unit, rows["quantity_nano"], *_standing(rows),
        _coded(rows["cause"], CAUSES), *places.cause(rows), *_rules(rows), *places.place(rows["record"]),
    )  # fmt: skip


def _adjustments(rows: Records, places: Places) -> tuple[Column, ...]:
    supply_point, channel, unit = places.channel(rows["channel"])
    old, new, revision = rows["old_nano"], rows["new_nano"], rows["revision"]
    return (
        supply_point, channel, rows["start_ms"], rows["end_ms"], revision, unit, old, new, new - old, *_standing(rows),
        _coded(rows["cause"], REASONS), revision - 1, *places.cause(rows), *_rules(rows), *places.place(rows["record"]),
    )  # fmt: skip


def _findings(rows: Records, places: Places) -> tuple[Column, ...]:
    supply_point, channel, _ = places.channel(rows["channel"])
    is_missing = rows["check"] == MISSING_READS
    rejects = (rows["check"] == NULL_READ) | (rows["check"] == CONFLICTING_READ)
    details = [
        _detail(*row) for row in zip(*(rows[name].tolist() for name in ("check", "first", "second")), strict=True)
    ]
    _, device, _ = places.named(rows["record"])
    return (
        _coded(rows["check"], CHECKS), _coded(rejects, ("warn", "reject")), supply_point, channel,
        Words(np.where(is_missing, len(device.values), device.codes), (*device.values, "")), rows["start_ms"],
        rows["end_ms"], details, *places.cause(rows), *places.place(rows["record"]),
    )  # fmt: skip


def _detail(check: int, first: int, second: int) -> str:
    """The evidence of a finding, as `Unit.finding` writes it."""
    if check == NULL_READ:
        return "{}"
    if check == MISSING_READS:
        found = {"intervals": first}
    elif check == CONFLICTING_READ:
        found = {"arriving_nano": second, "incumbent_nano": first}
    else:
        found = {"quantity_nano": first}
    return json.dumps(found, separators=(",", ":"))


def _standing(rows: Records) -> tuple[Column, ...]:
    counts = ("n_actual", "n_calculated", "n_substituted", "n_estimated", "n_missing")
    return (
        *(rows[name].astype(np.int64) for name in counts), _coded(rows["quality"], QUALITY_NAMES),
        _coded(rows["methods"], _METHODS_IN), _coded(rows["missing_reason"], REASON_NAMES),
    )  # fmt: skip


def _rules(rows: Records) -> tuple[Column, Column]:
    return _one(len(rows), RULE_VERSION), rows["config_version"]


def _one(number: int, value: Any) -> Words:
    """The same value in every row."""
    return Words(np.zeros(number, np.int64), (value,))


def _coded(codes: NDArray[Any], values: tuple[Any, ...]) -> Words:
    return Words(codes.astype(np.int64), values)
