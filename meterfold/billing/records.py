"""What a run writes into the billing log around its lines: its opening and its closing. The shapes are listed in `shapes`."""

from __future__ import annotations

from meterfold.billing.drafting import Drafted
from meterfold.billing.rating import Pins
from meterfold.billing.rows import VERSION, decimal_text

Record = dict[str, object]


def opening(run_id: str, pins: Pins, rule_version: str, lease_until_ms: int) -> Record:
    """`run_opened`: what the run may see, and until when it keeps others out."""
    return {
        "v": VERSION,
        "type": "run_opened",
        "run_id": run_id,
        "legal_entity": pins.legal_entity,
        "account": pins.account,
        "frontier": [list(row) for row in pins.frontier],
        "billing_offset": pins.known_billing_offset,
        "rule_version": rule_version,
        "as_of_ms": pins.as_of_ms,
        "lease_until_ms": lease_until_ms,
    }


def closing(run_id: str, drafted: Drafted) -> Record:
    """`run_closed`: how many lines, and per currency the sum of those that are charged. From here on the run counts."""
    return {
        "v": VERSION,
        "type": "run_closed",
        "run_id": run_id,
        "lines": drafted.lines,
        "total": {name: decimal_text(total, drafted.digits[name]) for name, total in sorted(drafted.totals.items())},
    }
