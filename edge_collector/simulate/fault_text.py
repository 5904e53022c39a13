"""A fault as a person types it: `dead_unit@2026-01-17T12:00Z/2026-01-17T18:00Z`, `late_answer:20`, `swapped_meter@2026-01-21T10:07Z`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from edge_collector.simulate.faults import EVENTS, Fault, FaultKind

FOREVER_MS: Final = 10**15
_FORM: Final = re.compile(r"(?P<kind>\w+)(?::(?P<every>[1-9]\d*))?(?:@(?P<from>[^/]+)(?:/(?P<until>.+))?)?")


class UnableToFault(ValueError):
    """The text is no fault; the message says what is."""


def fault_of(text: str) -> Fault:
    """On every unit of every line. `:20` is each twentieth request, `@FROM/UNTIL` when; an event has only `@FROM`. Raises UnableToFault."""
    found = _FORM.fullmatch(text)
    known = ", ".join(kind for kind in FaultKind if kind is not FaultKind.CLOCK_STEP)
    if found is None or found["kind"] not in set(FaultKind) - {FaultKind.CLOCK_STEP}:
        raise UnableToFault(f"{text!r}: give NAME, NAME:EVERY, NAME@FROM or NAME@FROM/UNTIL; names are {known}")
    kind = FaultKind(found["kind"])
    from_ms, until_ms = _instant(text, found["from"], 0), _instant(text, found["until"], FOREVER_MS)
    if kind in EVENTS and (not found["from"] or (found["until"] is None) == (kind is FaultKind.POWER_CUT)):
        raise UnableToFault(
            f"{text!r}: {kind} happens at an instant: {kind}@FROM; a power cut has an end too, @FROM/UNTIL"
        )
    return Fault(kind, from_ms, until_ms, every=int(found["every"] or 1), late_s=0.2)


def _instant(text: str, written: str | None, otherwise_ms: int) -> int:
    if written is None:
        return otherwise_ms
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise UnableToFault(f"{text!r}: {written!r} is no instant; write one like 2026-01-17T12:00Z") from None
    if at.tzinfo is None:
        raise UnableToFault(f"{text!r}: {written!r} needs its offset, like {written}Z")
    return int(at.timestamp() * 1000)
