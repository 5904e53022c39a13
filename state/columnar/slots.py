"""What a slot holds, taken from a record, compared and written: field by field, where the scalar step has tuples.

A record is one of a wide page, one that a narrow page keeps apart, or the head of a narrow page, which has all fields but the quantity.
"""

from state.columnar.layout import NOT_HELD, Held, Row, int64
from state.compiling import compiled_in_place, compiled_inside


@compiled_in_place
def of_record(record: Row) -> Held:
    """What a record has as a slot."""
    return of_kind(record, record.quantity_nano)


@compiled_in_place
def of_kind(page: Row, quantity_nano: int) -> Held:
    """A slot of this quantity; the rest is what a page's slots have in common."""
    return Held(
        quantity_nano,
        page.version,
        int64(page.device),
        int64(page.quality),
        int64(page.method),
        int64(page.reason),
        int64(page.evidence),
    )


@compiled_in_place
def is_nothing(written: Row) -> bool:
    """True if a slot holds nothing."""
    return (
        written.quantity_nano == 0
        and written.version == 0
        and written.device == 0
        and written.quality == 0
        and written.method == 0
        and written.reason == 0
        and written.evidence == 0
    )


@compiled_inside
def is_clear(record: Row) -> bool:
    """True if a record of a wide page holds nothing, neither slot nor window."""
    return record.emitted == 0 and record.standing_nano == 0 and is_nothing(record)


@compiled_in_place
def is_of_kind(page: Row, other: Row) -> bool:
    """True if what a page's slots have in common is what a slot has."""
    return (
        page.version == other.version
        and page.device == other.device
        and page.quality == other.quality
        and page.method == other.method
        and page.reason == other.reason
        and page.evidence == other.evidence
    )


@compiled_in_place
def write(record: Row, written: Row) -> None:
    """Write a slot into a record."""
    record.quantity_nano = written.quantity_nano
    write_kind(record, written)


@compiled_in_place
def write_kind(record: Row, written: Row) -> None:
    """Write all of a slot but its quantity."""
    record.version = written.version
    record.device = written.device
    record.quality = written.quality
    record.method = written.method
    record.reason = written.reason
    record.evidence = written.evidence


@compiled_inside
def clear(record: Row) -> None:
    """Clear a record of a wide page, slot and window."""
    write(record, NOT_HELD)
    record.standing_nano = 0
    record.emitted = 0
