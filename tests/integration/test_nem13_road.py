"""What docs/formats.md says of NEM13 reads that meet: corrections, conflicts, gaps, turns, estimates. Made here, folded in memory."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.dead_letter import Problem
from connectors.nem13 import read_nem13
from tests.road import Road, assignment, channel, configuration, register
from tests.unit.test_nem12 import nem_ms
from tests.unit.test_nem13 import accumulation, nem13

A, B, C, D = "20250101093000", "20250401101500", "20250701110000", "20251001090000"


def period(
    start: str, end: str, before: str, after: str, *, quantity: str = "", updated: str = "20250402103000", q: str = "A"
) -> str:
    """A 250 record from one read to another; its quantity is their difference unless given."""
    difference = quantity or str(Decimal(after) - Decimal(before))
    return accumulation(
        before, after, difference, previous=f"{start},A,,", current=f"{end},{q},,", tail=f"20260101,{updated},"
    )


def road(*lines: str, capacity: int | None = 20 * 10**9) -> Road:
    found = [item for item in read_nem13(nem13(*lines), "test") if not isinstance(item, Problem)]
    span = register("11", "E1", "spans", nem_ms(A), digits=5, nano_per_count=10**9, max_nano_per_hour=capacity)
    known = [
        assignment("NMI1/S1", ("SP", nem_ms(A), None)),
        configuration("NMI1/S1", [span], [channel("E1", kind="spans", horizon_days=400)]),
    ]
    return Road().send([*known, *found])


def spans(found: Road) -> dict[tuple[int, int], int]:
    """(start, end) → kWh in force; spans that were withdrawn left out."""
    current = found.current("SP", "E1")
    rows = found.rows("determinants") + found.rows("adjustments")
    standing = {(row["start_ms"], row["end_ms"]): row["quality"] for row in rows}
    return {key: current[key[0]] // 10**9 for key, quality in standing.items() if quality}


def verdicts(found: Road) -> list[tuple[str, Any]]:
    return [(row["verdict"], row["checks_failed"]) for row in found.rows("evidence")]


def test_a_restated_previous_read_corrects_the_current_one_before_it() -> None:
    first, second = period(A, B, "00100", "00200"), period(B, C, "00190", "00260", updated="20250702000000")
    assert spans(road(first, second)) == {(nem_ms(A), nem_ms(B)): 90, (nem_ms(B), nem_ms(C)): 70}


def test_two_counts_of_one_instant_and_one_update_conflict() -> None:
    found = road(period(A, B, "00100", "00200"), period(B, C, "00190", "00260"))
    assert ("CONFLICTING", ("conflicting",)) in verdicts(found)
    assert spans(found) == {(nem_ms(A), nem_ms(B)): 100, (nem_ms(B), nem_ms(C)): 60}


def test_where_a_record_is_refused_its_neighbours_say_what_lies_between() -> None:
    bad = period(B, C, "00200", "00260", quantity="999")
    found = road(period(A, B, "00100", "00200"), bad, period(C, D, "00260", "00300"))
    assert spans(found) == {(nem_ms(A), nem_ms(B)): 100, (nem_ms(B), nem_ms(C)): 60, (nem_ms(C), nem_ms(D)): 40}


@pytest.mark.parametrize(("capacity", "believed"), [(20 * 10**9, True), (None, False)])
def test_a_turn_is_believed_only_with_a_capacity(capacity: int | None, believed: bool) -> None:
    found = road(period(A, B, "99890", "02034", quantity="2144"), capacity=capacity)
    assert spans(found) == ({(nem_ms(A), nem_ms(B)): 2144} if believed else {})
    assert verdicts(found)[1] == (("ACCEPTED", ()) if believed else ("REJECTED", ("register_backward",)))


def test_an_estimate_that_was_too_high_stands_in_the_way_until_it_is_refused() -> None:
    found = road(period(A, B, "00100", "00300", q="E64"), period(A, C, "00100", "00260", updated="20250702000000"))
    assert verdicts(found)[-1] == ("REJECTED", ("register_backward",))
    edit = {
        "v": 1, "type": "edit", "device": "NMI1/S1", "supply_point": "SP", "channel": "E1", "action": "refuse_read",
        "register": "11", "at_ms": nem_ms(B), "person": "P", "reason": "estimate too high",
    }  # fmt: skip
    found.send([edit]).gate(nem_ms(C))
    assert spans(found) == {(nem_ms(A), nem_ms(C)): 160}
