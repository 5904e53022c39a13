"""Seeded streams: the curated records of one partition for a small random portfolio, with everything that goes wrong.

    stream = make_stream(seed=7)
    for record in stream.records: ...

The same seed gives the same stream. `stream.oracle` has seen every record; a fresh `Oracle` fed the same records says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation import people
from tests.simulation.oracle import Oracle
from tests.simulation.portfolio import BEGINNINGS, DAY_MS, instant, make_sites
from tests.simulation.recipes import RECIPES
from tests.simulation.script import Log, Script

Record = dict[str, Any]


@dataclass
class Stream:
    """Curated records in log order, and the oracle that has applied them all."""

    seed: int
    records: list[Record]
    oracle: Oracle


def make_stream(seed: int, days: int = 60, size: int = 6, curated_partition: int = 0) -> Stream:
    """A portfolio of `size` supply points (every six of them one of each kind) over `days` days."""
    rng = Random(f"meterfold/{seed}")
    start = instant(rng.choice(BEGINNINGS))
    script = Script(rng, start, start + days * DAY_MS)
    partitions = rng.choice([2, 3])
    sites = make_sites(rng, start)
    offset = rng.randrange(len(RECIPES)) if size < len(RECIPES) else 0
    for number in range(size):
        recipe = RECIPES[(number + offset) % len(RECIPES)]
        recipe(script, sites[number % len(sites)], f"sp-{number}", partitions)
    people.gates(script, sites, partitions)
    for _ in range(days // 4):
        people.release(script, rng.randrange(partitions), script.some_instant(0.05))
    lag_ms = {partition: rng.randrange(15 * 60_000) for partition in range(partitions)}
    log = Log(rng, Oracle(curated_partition), partitions, lag_ms=lag_ms)
    script.play(log)
    return Stream(seed, log.records, log.oracle)
