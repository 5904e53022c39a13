"""How often each verdict, reason, method, check and kind of hardening occurs in what an oracle gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.simulation.oracle import check_conservation
from tests.simulation.streams import make_stream

Row = dict[str, Any]

VERDICTS = ("ACCEPTED", "DUPLICATE", "CONFLICTING", "SUPERSEDED", "CORRECTED", "REJECTED", "BEYOND_HORIZON")
REASONS = (
    "LATE_READ",
    "CORRECTED_READ",
    "ESTIMATE_REPLACED",
    "METER_EXCHANGED",
    "CONFIGURATION_RESTATED",
    "ASSIGNMENT_RESTATED",
    "MANUAL_EDIT",
)
METHODS = ("SOURCE", "INTERPOLATED", "LIKE_DAY", "REGISTER_BRACKETED", "MANUAL_EDIT")
MISSING_REASONS = ("NO_REFERENCE", "POLICY_REFUSES")
HARDENED_BY = ("read", "heartbeat", "gate", "configuration", "edit")
INTERVAL_CHECKS = (
    "unconfigured",
    "null_read",
    "unknown_unit",
    "length_mismatch",
    "misaligned",
    "overlap",
    "out_of_range",
    "future",
    "beyond_horizon",
    "ahead_of_ring",
    "conflicting",
)
REGISTER_CHECKS = (
    "unconfigured",
    "null_read",
    "unknown_unit",
    "resolution",
    "register_negative",
    "register_digits",
    "future",
    "beyond_horizon",
    "ahead_of_ring",
    "conflicting",
    "register_backward",
    "register_implausible",
)
EDIT_CHECKS = (
    "unconfigured",
    "edit_refused",
    "misaligned",
    "out_of_range",
    "beyond_horizon",
    "ahead_of_ring",
    "edit_stale",
)
VALUE_CHECKS = ("negative", "capacity", "spike", "zero_run")
OTHER_FINDINGS = (
    "missing/warn",
    "exchange/info",
    "register_rollover/info",
    "sum_register/warn",
    "sum_register/not_run",
    "configuration_refused/error",
    "gate_refused/error",
    "heartbeat_refused/error",
    "restatement_refused/error",
    "clock_drift/info",
    "communication/info",
    "gap_declared/warn",
    "meter_exchange/warn",
    "out_of_range/reject",
)
CONTROLS = ("configuration", "heartbeat", "gate", "status", "restatement")

ITEMS: tuple[str, ...] = (
    *(f"verdict {kind} {verdict}" for kind in ("interval", "register") for verdict in VERDICTS),
    *(f"verdict edit {verdict}" for verdict in ("ACCEPTED", "CORRECTED", "REJECTED", "BEYOND_HORIZON")),
    *(f"reason {reason}" for reason in REASONS),
    *(f"method {method}" for method in METHODS),
    *(f"missing {reason}" for reason in MISSING_REASONS),
    *(f"hardened_by {cause}" for cause in HARDENED_BY),
    *(f"check interval {check}" for check in (*INTERVAL_CHECKS, *VALUE_CHECKS)),
    *(f"check register {check}" for check in REGISTER_CHECKS),
    *(f"check edit {check}" for check in (*EDIT_CHECKS, "negative", "capacity", "spike", "zero_run")),
    *(f"not_run {check}" for check in VALUE_CHECKS),
    *(f"finding {finding}" for finding in OTHER_FINDINGS),
    *(f"quarantine {reason}" for reason in ("unconfigured", "beyond_horizon", "ahead_of_ring")),
    *(f"control {control}" for control in CONTROLS),
)


class UnableToCover(AssertionError):
    """Something that must occur occurs too rarely."""


def count(rows: Mapping[str, list[Row]], ledger: Iterable[Row]) -> Counter[str]:
    """Occurrences of every item, and of whatever else has the same form."""
    seen: Counter[str] = Counter()
    for row in rows["evidence"]:
        seen[f"verdict {row['kind']} {row['verdict']}"] += 1
        seen.update(f"check {row['kind']} {check}" for check in row["checks_failed"])
        seen.update(f"not_run {check}" for check in row["checks_not_run"])
    for row in rows["determinants"] + rows["adjustments"]:
        seen.update(f"method {method}" for method in row["methods"])
        seen[f"missing {row['missing_reason']}"] += 1
    seen.update(f"hardened_by {row['hardened_by']}" for row in rows["determinants"])
    seen.update(f"reason {row['reason']}" for row in rows["adjustments"])
    seen.update(f"finding {row['check_id']}/{row['severity']}" for row in rows["findings"])
    seen.update(f"quarantine {row['reason']}" for row in rows["quarantine"])
    for row in ledger:
        kind, _, name = row["outcome"].partition(":")
        if kind == "control":
            seen[f"control {name}"] += row["count"]
    return seen


def count_seed(seed: int, days: int = 60, size: int = 6) -> Counter[str]:
    """The occurrences in one seeded stream, whose books must balance."""
    oracle = make_stream(seed, days, size).oracle
    check_conservation(oracle)
    return count(oracle.rows, oracle.ledger())


def total(counts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter())


def table(seen: Mapping[str, int]) -> str:
    """The counts as text, for the output of a test."""
    width = max(len(item) for item in ITEMS)
    cells = [f"{item:<{width}} {seen.get(item, 0):>8}" for item in ITEMS]
    return "\n".join("    ".join(cells[at : at + 2]) for at in range(0, len(cells), 2))


def require_coverage(seen: Mapping[str, int], at_least: int) -> None:
    """Raise UnableToCover, naming every item that occurs fewer than `at_least` times."""
    rare = {item: seen.get(item, 0) for item in ITEMS if seen.get(item, 0) < at_least}
    if rare:
        raise UnableToCover(f"fewer than {at_least} times: {rare}")
