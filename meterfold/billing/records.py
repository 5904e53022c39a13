"""What a run writes into the billing log: its opening, its lines, its closing. The shapes are listed in `shapes`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Context, Decimal, Inexact
from itertools import groupby
from typing import Final

from meterfold.billing.rating import Charge, Pins
from meterfold.billing.rows import VERSION, decimal_text
from meterfold.billing.shapes import LINE_DAYS, LINE_NUMBERS

Record = dict[str, object]

_EXACT: Final = Context(prec=76, traps=[Inexact])
_TEXTS: Final = (
    "account", "kind", "element", "supply_point", "channel", "tariff", "tariff_version", "band", "currency", "unit",
)  # fmt: skip
_AMOUNTS: Final = ("amount_should", "amount_was", "amount")


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


def line_records(run_id: str, legal_entity: str, charges: tuple[Charge, ...]) -> Iterator[Record]:
    """`line` records, document by document: one document an account, period and currency."""
    for (account, period_from, currency), group in groupby(
        sorted(charges, key=lambda item: (item.account, item.period_from, item.currency)),
        key=lambda item: (item.account, item.period_from, item.currency),
    ):
        document_id = f"{run_id}/{account}/{period_from}/{currency}"
        for position, charge in enumerate(group, 1):
            yield _line(run_id, legal_entity, document_id, position, charge)


def _line(run_id: str, legal_entity: str, document_id: str, position: int, charge: Charge) -> Record:
    places = dict.fromkeys(_AMOUNTS, charge.minor_digits)
    return {
        "v": VERSION,
        "type": "line",
        "line_id": f"{document_id}/{position}",
        "document_id": document_id,
        "position": position,
        "run_id": run_id,
        "legal_entity": legal_entity,
        **{name: getattr(charge, name) for name in _TEXTS},
        **{name: getattr(charge, name).isoformat() for name in LINE_DAYS},
        **{name: decimal_text(getattr(charge, name), places.get(name, 0)) for name in LINE_NUMBERS},
    }


def closing(run_id: str, lines: list[Record], charges: tuple[Charge, ...]) -> Record:
    """`run_closed`: how many lines, and their sum per currency. From here on the run counts."""
    digits = {charge.currency: charge.minor_digits for charge in charges}
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        currency = str(line["currency"])
        totals[currency] = _EXACT.add(totals[currency], Decimal(str(line["amount"])))
    return {
        "v": VERSION,
        "type": "run_closed",
        "run_id": run_id,
        "lines": len(lines),
        "total": {currency: decimal_text(total, digits[currency]) for currency, total in sorted(totals.items())},
    }
