"""A list that speaks of two supply points is cut, and each part keeps the coordinates of its intervals, also when it is sent again."""

from typing import Any

from state.routing import Again, Routed, Router
from tests.road import LATE_MS, assignment, channel, configuration, register

HALF_HOUR_MS = 1_800_000
START_MS = 1_767_571_200_000  # a Monday, midnight


def at(slot: int) -> int:
    return START_MS + slot * HALF_HOUR_MS


def known_device(moves_at: int) -> Router:
    """A router that knows device D: flat A up to a slot, flat B from then on."""
    router = Router(0)
    for offset, record in enumerate(
        [
            assignment("D", ("A", at(0), at(moves_at)), ("B", at(moves_at), None)),
            configuration("D", [register("R", "E", "intervals", at(0))], [channel("E")]),
        ]
    ):
        router.route(record, offset, LATE_MS, Routed())
    return router


def six_half_hours() -> dict[str, Any]:
    return {
        "v": 1, "type": "window", "device": "D", "register": "R", "unit": "kWh", "start_ms": at(0), "interval_s": 1800,
        "quantities_nano": [1, 2, 3, 4, 5, 6], "quality": "ACTUAL", "version": 0,
    }  # fmt: skip


def parts(routed: Routed) -> list[tuple[Any, ...]]:
    """(supply point, sub, origin, quantities) of what was curated."""
    intervals = [record for _, record in routed.curated if record["type"] == "intervals"]
    return [(one["supply_point"], one["sub"], one.get("origin"), one["quantities_nano"]) for one in intervals]


def test_each_part_keeps_the_place_of_its_first_interval() -> None:
    router, routed = known_device(moves_at=2), Routed()
    router.route(six_half_hours(), 2, LATE_MS, routed)
    assert parts(routed) == [("A", 0, None, [1, 2]), ("B", 2, None, [3, 4, 5, 6])]
    assert router.ledger["intervals_forwarded"] == 6


def test_what_is_sent_again_cites_where_each_part_stood() -> None:
    """The parts follow each other under the new record's coordinates, and name the old ones, interval by interval."""
    router, routed = known_device(moves_at=2), Routed()
    router.route(six_half_hours(), 2, LATE_MS, Routed())
    carrier = router.route(assignment("D", ("B", at(0), at(3)), ("C", at(3), None), version=2), 3, LATE_MS, routed)
    (again,) = routed.again
    assert isinstance(again, Again)
    sent = Routed()
    router.republish(six_half_hours(), 2, LATE_MS, again, carrier, sent)
    assert [(point, origin, found) for point, _, origin, found in parts(sent)] == [
        ("B", [0, 2, 0], [1, 2]),
        ("C", [0, 2, 3], [4, 5, 6]),
    ]
    (_, first, _, _), (_, second, _, _) = parts(sent)
    assert second == first + 2
    assert router.ledger["intervals_republished"] == 5


def test_a_register_read_counts_as_one_for_each_that_it_speaks_for() -> None:
    """At the handover it closes one supply point and opens the other; sent again, it is counted again."""
    router, routed = known_device(moves_at=2), Routed()
    read = {
        "v": 1, "type": "register", "device": "D", "register": "R", "unit": "kWh", "at_ms": at(1), "count": 5,
        "decimals": 0, "quality": "ACTUAL", "version": 0,
    }  # fmt: skip
    router.route(read, 2, LATE_MS, routed)
    router.route({**read, "at_ms": at(2)}, 3, LATE_MS, routed)
    assert [point for point, _ in routed.curated] == ["A", "A", "B"]
    assert router.ledger["intervals_forwarded"] == 3
    again = Again("D", 0, 0, ((0, 2),), None)
    carrier = router.route({**read, "at_ms": at(1)}, 4, LATE_MS, Routed())
    router.republish(read, 2, LATE_MS, again, carrier, Routed())
    assert router.ledger["intervals_republished"] == 1


def test_a_release_asks_for_the_earlier_records_of_its_own_partition() -> None:
    """Its copies in the other raw partitions ask for theirs; what is not there yet cannot be asked for."""
    router, routed = known_device(moves_at=2), Routed()
    wanted = [[0, 2], [1, 2], [0, 9]]
    release = {"v": 1, "type": "release", "device": "D", "coordinates": wanted, "person": "P-1", "reason": "checked"}
    router.route(release, 5, LATE_MS, routed)
    assert [again.coordinates for again in routed.again] == [((0, 2),)]
