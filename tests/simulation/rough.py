"""Streams made rough on narrow pages: values of every size and step, whole days sent again in a later version, days whose values differ."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final

import pytest

from state import ring_pages
from tests.simulation.orderly import START_MS, orderly_stream

Record = dict[str, Any]
_MOST: Final = 10**18 - 10**7
_WAYS: Final[tuple[Callable[[Random, int], int], ...]] = (
    lambda rng, value: value + rng.randrange(1_000),
    lambda rng, value: value // 7,
    lambda rng, value: value * 10_000,
    lambda rng, value: -value,
    lambda rng, value: rng.randrange(-(10**15), 10**15),
    lambda rng, value: rng.choice([10**17, -(10**17), 0, 1, -1, 65_535 * 10**7, 65_536 * 10**7]),
    lambda rng, value: value + 655_360 * 10**7,
)
"""Ways to make a quantity another one, on which cells are wider, steps finer or signs other."""


def rough_stream(seed: int, points: int = 3, days: int = 8, horizon_days: int = 3) -> list[Record]:
    """An orderly stream of channels that soon forget, made rough."""
    rng = Random(f"rough/{seed}")
    often = rng.choice([0.0, 0.01, 0.2, 1.0])
    body: list[Record] = []
    for record in orderly_stream(seed, points, days):
        body.append(_changed(rng, record, often, horizon_days))
        if record["type"] == "intervals" and rng.random() < often / 4:
            body.append(_again(rng, rng.choice(body)))
    return [
        {**record, "raw": [0, at], "curated_offset": at, "append_ms": START_MS + at} for at, record in enumerate(body)
    ]


def _changed(rng: Random, record: Record, often: float, horizon_days: int) -> Record:
    if record["type"] == "configuration":
        return {**record, "channels": [{**channel, "horizon_days": horizon_days} for channel in record["channels"]]}
    if record["type"] != "intervals" or rng.random() >= often:
        return record
    way, some = rng.choice(_WAYS), rng.choice([0.1, 1.0])
    quantities = [
        _bounded(way(rng, value)) if value is not None and rng.random() < some else value
        for value in record["quantities_nano"]
    ]
    return {**record, "quantities_nano": quantities}


def _bounded(value: int) -> int:
    """Within what the codec lets pass: columns of readings have 64 bits."""
    return max(min(value, _MOST), -_MOST)


def _again(rng: Random, record: Record) -> Record:
    """An earlier record in a later version, its values the same or others."""
    if record["type"] != "intervals":
        return record
    more = rng.choice([0, 0, 10**6])
    quantities = [None if value is None else value + more for value in record["quantities_nano"]]
    quality = rng.choice(["ACTUAL", "ACTUAL", "SUBSTITUTED", "ESTIMATED"])
    return {
        **record,
        "quantities_nano": quantities,
        "version": record["version"] + rng.choice([1, 2]),
        "quality": quality,
    }


@contextmanager
def page_shift(shift: int) -> Iterator[None]:
    """Rings that are made meanwhile have pages of 2 to this slots."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ring_pages, "PAGE_SHIFT", shift)
        yield
