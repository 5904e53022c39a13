"""Random raw readings with every field of the contract, for tests of what reads them."""

from random import Random
from typing import Any

from state.codes import QUALITY_OF

Record = dict[str, Any]
TEXTS = ("M000001", "E1", "B2", "kWh", "m³", "Zähler/7", "😀", "a b", "x" * 40)
INTEGERS = (0, 1, -1, 9, 10, 123_456_789, -(10**17), 10**18 - 1, 10**18, 2**63 - 1, -(2**63))
QUALITIES = tuple(QUALITY_OF)


def a_reading(rng: Random, device: str | None = None, start_ms: int | None = None) -> Record:
    """A record of any of the four types; by default of any device and time."""
    kind = rng.choice(["interval", "interval", "window", "day", "register"])
    record: Record = {
        "v": 1, "type": kind, "device": device or rng.choice(TEXTS), "register": rng.choice(TEXTS), "unit": rng.choice(TEXTS),
        "quality": rng.choice(QUALITIES), "version": rng.choice([0, 1, -5, 2**62, -(2**62), 1_700_000_000_000]),
    }  # fmt: skip
    instant = start_ms if start_ms is not None else rng.choice([0, -5, 1_767_225_600_000, 10**15, -(10**15)])
    more: Record = {"sequence": rng.choice(INTEGERS), "source": a_source(rng)}
    if kind == "register":
        record |= {"at_ms": instant, "count": rng.choice(INTEGERS), "decimals": rng.choice([0, 3, 18])}
        more |= {"event": "reset", "words": rng.choice([[], [0, 65_535]]), "flags": rng.choice([[], ["", "é"]])}
        more |= {"read_id": rng.choice(TEXTS), "timing": a_timing(rng)}
    else:
        record |= {"start_ms": instant, "interval_s": rng.choice([1, 300, 1800, 1800, 86_400, "LOCAL_DAY"])}
        more |= {"method": rng.choice(["", "F52"]), "reason": "71"}
        number = 1 if kind == "interval" else rng.choice([1, 2, 5, 48])
        values = [rng.choice([*INTEGERS, None, rng.randrange(10**9)]) for _ in range(number)]
        record |= {"quantity_nano": values[0]} if kind == "interval" else {"quantities_nano": values}
        more["ranges"] = [a_range(rng, number) for _ in range(rng.randrange(4))]
    return record | {name: value for name, value in more.items() if rng.random() < 0.25}


def a_timing(rng: Random) -> Record:
    timing: Record = {"sent_ms": rng.choice([0, -(10**15)]), "received_ms": rng.choice([10**15, 5])}
    more = {"offset_ms": rng.choice(INTEGERS), "uncertainty_ms": rng.choice([0, 10**12])}
    return timing | {name: value for name, value in more.items() if rng.random() < 0.5}


def a_range(rng: Random, number: int) -> Record:
    """A stretch with a quality of its own, here and there beyond the list or ending before it begins."""
    places = [-1, 0, 1, number // 2, number - 1, number, 2**63 - 1, -(2**63)]
    found = {"first": rng.choice(places), "last": rng.choice(places), "quality": rng.choice(QUALITIES)}
    return {**found, **{name: rng.choice(["", "F52"]) for name in ("method", "reason") if rng.random() < 0.4}}


def a_source(rng: Random) -> Record:
    """Where a record came from, in part or in whole."""
    return {
        name: value
        for name, value in (("file", "a.csv"), ("line", rng.choice([0, 2**32 - 1])), ("import", "é"))
        if rng.random() < 0.7
    }
