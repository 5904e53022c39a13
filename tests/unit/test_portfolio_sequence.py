"""Meters exchanged, moved and mixed up: on the way from the old state to the new, no supply point sees what never was.

The raw records go through the real router and the real fold, each device in a raw partition of its own; within a wave the partitions are
taken in any order, since nothing but the flush between waves orders them.
"""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterfold.portfolio import Plan, Portfolio, load_text, plan
from meterfold.portfolio.feeds import FEEDING
from state.fold import Fold
from state.outputs import Outputs
from state.routing import Routed, Router

HEAD = """
legal_entities: { LE: { name: L, currency: EUR } }
sites: { S: { time_zone: UTC } }
supply_points:
  A: { channels: { C: { interval: 15 }, D: { interval: 30 } } }
  B: { channels: { C: { interval: 60 }, D: { interval: 30, billing_grid: 60 } } }
devices:
"""
Feed = tuple[str, str, str, str, str, int, int | None]
Span = tuple[str, str, int, int | None]
"""(supply point, channel, from month, to month) of one assignment."""


def house(devices: dict[str, list[Span]]) -> str:
    """A portfolio of meters with one register R; months are counted from 2026-01."""
    lines = []
    for device, spans in sorted(devices.items()):
        lines.append(f"  {device}:")
        if not spans:
            lines.append("    withdrawn: { reason: not ours }")
            continue
        lines.append("    assignments:")
        for point, _, start, end in spans:
            to = f", to: {_day(end)}" if end is not None else ""
            lines.append(f"      - {{ supply_point: {point}, from: {_day(start)}{to} }}")
        lines.append("    registers:\n      R:")
        for _, channel, start, end in spans:
            to = f", to: {_day(end)}" if end is not None else ""
            lines.append(f"        - {{ channel: {channel}, from: {_day(start)}{to} }}")
    return HEAD + "\n".join(lines) + "\n"


def _day(month: int) -> str:
    return f"{2026 + month // 12}-{month % 12 + 1:02}-01"


def planned(devices: dict[str, list[Span]], in_force: list[dict[str, Any]]) -> Plan:
    portfolio = load_text(house(devices))
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    found = plan(portfolio, in_force)
    assert not found.problems, found.problems
    return found


class Road:
    """Ingest and the fold; raises as soon as the fold refuses anything."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._routers: dict[str, Router] = {}
        self._fold = Fold(0)
        self._offsets: dict[str, int] = {}

    def take(self, found: Plan) -> Iterable[set[Feed]]:
        """Take a plan's batches; yields what the supply points see after every record."""
        for batch in found.raw_batches():
            by_device: dict[str, list[dict[str, Any]]] = {}
            for record in batch:
                by_device.setdefault(record["device"], []).append(record)
            while by_device:
                device = self._random.choice(sorted(by_device))
                self._apply(device, by_device[device].pop(0))
                by_device = {name: records for name, records in by_device.items() if records}
                yield self.feeds()

    def _apply(self, device: str, record: dict[str, Any]) -> None:
        router = self._routers.setdefault(device, Router(len(self._routers)))
        offset = self._offsets[device] = self._offsets.get(device, -1) + 1
        routed, out = Routed(), Outputs()
        router.route(record, offset, 1_800_000_000_000, routed)
        for number, (_, curated) in enumerate(routed.curated):
            self._fold.apply(curated, number, 1_800_000_000_000, out)
        assert not [row for row in out.findings if row[1] == "error"], out.findings

    def feeds(self) -> set[Feed]:
        """What the supply points see now."""
        return {
            (name, s.channel, s.device, s.register, s.role, s.from_ms, None if s.to_ms > 1 << 60 else s.to_ms)
            for name, point in self._fold.points.items()
            for s in point.all_spans()
        }

    def lengths(self) -> dict[tuple[str, str], Any]:
        """The native grid that each channel has."""
        return {
            (name, channel): item.definition.interval_s
            for name, point in self._fold.points.items()
            for channel, item in point.channels.items()
        }


def wanted(found: list[dict[str, Any]]) -> set[Feed]:
    """What the latest reference records of devices say."""
    latest = {record["id"]: record["body"] for record in found if record["kind"] == "device"}
    return {
        (row["supply_point"], row["channel"], device, row["register"], row["role"], row["from_ms"], row["to_ms"])
        for device, body in latest.items()
        for row in body["registers"]
        if row["role"] in FEEDING
    }


def covered(feeds: set[Feed]) -> set[tuple[Any, ...]]:
    """Feeds as months, so that one that was cut is seen to be part of what it was cut from."""
    months = [1_767_225_600_000 + month * 2_629_746_000 + 15 * 86_400_000 for month in range(60)]
    return {
        (*feed[:5], month)
        for feed in feeds
        for month in months
        if feed[5] <= month and (feed[6] is None or month < feed[6])
    }


def drive(before: dict[str, list[Span]], after: dict[str, list[Span]], seed: int = 0) -> Plan:
    """Load one state after the other; every view on the way is made of the old and the new one."""
    road = Road(seed)
    first = planned(before, [])
    log = first.reference_records()
    for _ in road.take(first):
        pass
    assert road.feeds() == wanted(log)
    second = planned(after, log)
    both = covered(road.feeds()) | covered(wanted(log + second.reference_records()))
    for seen in road.take(second):
        assert covered(seen) <= both
    assert road.feeds() == wanted(log + second.reference_records())
    native = {("A", "C"): 900, ("A", "D"): 1800, ("B", "C"): 3600, ("B", "D"): 1800}
    assert road.lengths().items() <= native.items()
    return second


def versions(found: Plan) -> list[tuple[str, str, int]]:
    return [(record["type"], record["device"], record["version"]) for record in found.raw_records()]


def test_an_exchange_closes_the_old_meter_first_and_says_so_on_both() -> None:
    found = drive({"Z": [("A", "C", 0, None)]}, {"Z": [("A", "C", 0, 3)], "N": [("A", "C", 3, None)]})
    assert [[record["device"] for record in batch] for batch in found.raw_batches()] == [["Z", "Z"], ["N", "N"]]
    assert {record["reason"] for record in found.raw_records()} == {"METER_EXCHANGED"}


def test_a_first_load_with_an_exchange_in_it_restates_nothing() -> None:
    found = planned({"Z": [("A", "C", 0, 3)], "N": [("A", "C", 3, None)]}, [])
    assert len(found.raw_batches()) == 1
    assert all("reason" not in record for record in found.raw_records())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Z": [("A", "C", 0, None)]}, {"Z": [("A", "C", 0, 3)]}),  # nobody follows
        ({"Z": [("A", "C", 0, None)]}, {"Z": [("A", "C", 0, 3)], "N": [("B", "C", 3, None)]}),  # somewhere else
        ({"Z": [("A", "C", 0, 3)], "N": [("A", "C", 3, None)]}, {"Z": [("A", "C", 0, 4)], "N": [("A", "C", 4, None)]}),
        ({"Z": [("A", "C", 0, None)]}, {"Z": [], "N": [("A", "C", 0, None)]}),  # it never was there
    ],
)
def test_what_is_no_exchange_is_not_called_one(before: dict[str, list[Span]], after: dict[str, list[Span]]) -> None:
    assert all("reason" not in record for record in drive(before, after).raw_records())


def test_two_meters_that_were_mixed_up_change_places() -> None:
    found = drive(
        {"X": [("A", "C", 0, None)], "Y": [("B", "C", 0, None)]},
        {"X": [("B", "C", 0, None)], "Y": [("A", "C", 0, None)]},
    )
    assert [sorted({(r["device"], r["version"]) for r in batch}) for batch in found.raw_batches()] == [
        [("X", 2), ("Y", 2)],
        [("X", 3), ("Y", 3)],
    ]
    assert {(r["id"], r["version"]) for r in found.reference_records()} == {("X", 3), ("Y", 3)}


def test_a_step_in_between_keeps_what_stays() -> None:
    found = drive(
        {"X": [("A", "C", 0, None)], "Y": [("B", "C", 0, None)]},
        {"X": [("A", "C", 0, 6), ("B", "C", 6, None)], "Y": [("B", "C", 0, 6), ("A", "C", 6, None)]},
    )
    first = found.raw_batches()[0]
    assert {(r["device"], len(r["spans"])) for r in first if r["type"] == "assignment"} == {("X", 1), ("Y", 1)}


def test_two_registers_that_were_mixed_up_at_one_supply_point() -> None:
    found = drive(
        {"X": [("A", "C", 0, None)], "Y": [("A", "D", 0, None)]},
        {"X": [("A", "D", 0, None)], "Y": [("A", "C", 0, None)]},
    )
    assert versions(found) == [
        ("configuration", "X", 2),
        ("configuration", "Y", 2),
        ("configuration", "X", 3),
    ]


def test_a_meter_that_moves_does_not_take_its_channel_along() -> None:
    found = drive({"X": [("A", "C", 0, None)]}, {"X": [("B", "C", 0, None)]})
    assert [record["version"] for record in found.raw_records()] == [2, 2, 3, 3]


SLOT = st.tuples(st.sampled_from("AB"), st.sampled_from("CD"), st.integers(0, 8), st.none() | st.integers(1, 5))
HOUSE = st.lists(st.tuples(st.sampled_from("KLMN"), SLOT), min_size=1, max_size=7)


def tidy(proposed: list[tuple[str, tuple[str, str, int, int | None]]]) -> dict[str, list[Span]]:
    """The proposed assignments (start and length in months), without those that clash with an earlier one."""
    devices: dict[str, list[Span]] = {}
    taken: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for device, (point, channel, start, length) in proposed:
        months = (start, 99 if length is None else start + length)
        keys: list[tuple[str, ...]] = [(device,), (point, channel)]
        if not any(months[0] < end and begin < months[1] for key in keys for begin, end in taken.get(key, ())):
            devices.setdefault(device, []).append((point, channel, start, None if length is None else start + length))
            for key in keys:
                taken.setdefault(key, []).append(months)
    return devices


@settings(max_examples=60, deadline=None)
@given(HOUSE, HOUSE, st.integers(0, 9))
def test_any_change_goes_down_the_road_without_a_contradiction(
    before: list[tuple[str, tuple[str, str, int, int | None]]],
    after: list[tuple[str, tuple[str, str, int, int | None]]],
    seed: int,
) -> None:
    first = tidy(before)
    drive(first, {**{device: [] for device in first}, **tidy(after)}, seed)
