"""What the collector writes into the logs: readings, reports and heartbeats as the records of contracts/."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from connectors.codec import VERSION
from edge_collector.reading import ClockQuality, Flag, RegisterReading, StatusReport

READS: Final = "reads.raw"
"""The topic of everything that bills follow from."""
TELEMETRY: Final = "telemetry"
"""The topic of what is only looked at."""

Record = dict[str, Any]


def read_id(collector: str, reading: RegisterReading, again: int = 0) -> str:
    """`collector/device/register/boundary[/n]`: one name for one read, however often it is sent. A / within a part is written %2F."""
    parts = [collector, reading.device, reading.register, str(reading.boundary_ms), *([str(again)] if again else [])]
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def register_record(reading: RegisterReading, name: str, sequence: int, again: int = 0) -> Record:
    """A billing register. `name` is its read id, `again` the number of the request that asked for it, 0 at a boundary.

    Words that hold no number go out as MISSING: the fold refuses the read and keeps the words. What was read again has a higher
    version, so that it stands where both are of one instant.
    """
    has_count = reading.count is not None
    flags = [*reading.flags, *([] if has_count or Flag.SENTINEL in reading.flags else [Flag.SENTINEL])]
    return {
        "v": VERSION,
        "type": "register",
        "device": reading.device,
        "register": reading.register,
        "unit": reading.unit,
        "at_ms": reading.at_ms,
        "count": reading.count if has_count else 0,
        "decimals": reading.decimals,
        "quality": "ACTUAL" if has_count else "MISSING",
        "version": again,
        "words": list(reading.words),
        "flags": [str(flag) for flag in flags],
        "sequence": sequence,
        "read_id": name,
        "timing": _timing(reading),
    }


def telemetry_records(readings: Iterable[RegisterReading]) -> Iterator[Record]:
    """One record a device and boundary, in the order of their first reading; its instant is the middle of the poll."""
    by_poll = sorted(readings, key=lambda reading: (reading.boundary_ms, reading.device))
    for (_, device), polled in groupby(by_poll, key=lambda reading: (reading.boundary_ms, reading.device)):
        together = list(polled)
        flags = dict.fromkeys(str(flag) for reading in together for flag in reading.flags)
        yield {
            "v": VERSION,
            "type": "telemetry",
            "device": device,
            "at_ms": (min(r.sent_ms for r in together) + max(r.received_ms for r in together)) // 2,
            "values": {r.register: {"value": decimal_text(r.count, r.decimals), "unit": r.unit} for r in together},
            "flags": list(flags),
        }


def status_record(report: StatusReport) -> Record:
    """Something that is no read, for the device's own partition; what is not known is left out."""
    known = {"offset_ms": report.offset_ms, "from_ms": report.from_ms, "to_ms": report.to_ms}
    return {
        "v": VERSION,
        "type": "status",
        "device": report.device,
        "at_ms": report.at_ms,
        "kind": str(report.kind),
        "detail": report.detail,
        **{name: value for name, value in known.items() if value is not None},
    }


def heartbeat_record(device: str, complete_through_ms: int, sequence: int) -> Record:
    """Every read of the device's intervals before `complete_through_ms` is in the log, or will never come."""
    return {
        "v": VERSION,
        "type": "heartbeat",
        "device": device,
        "complete_through_ms": complete_through_ms,
        "sequence": sequence,
    }


def decimal_text(count: int | None, decimals: int) -> str | None:
    """The exact value of a count of 10^-decimals: (-1234, 2) is -12.34. Null stays null: the meter had no value."""
    if count is None:
        return None
    digits = str(abs(count)).rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    return f"{'-' if count < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


def _timing(reading: RegisterReading) -> Record:
    clock: ClockQuality = reading.clock
    known = {"offset_ms": clock.offset_ms, "uncertainty_ms": clock.uncertainty_ms}
    return {
        "sent_ms": reading.sent_ms,
        "received_ms": reading.received_ms,
        **{name: value for name, value in known.items() if value is not None},
    }
