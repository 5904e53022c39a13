"""Pages of rings: what is read is what was written, whatever form a page has, and what is forgotten is given back."""

from random import Random
from typing import Any, Final

import numpy as np
import pytest

from state.codes import ACTUAL, ESTIMATED, MISSING
from state.ring_pages import EMPTY, MOTLEY, NARROW, NO_CONTENTS, PAGE_SHIFT, WIDE, Contents, RingPages
from state.rings import SlotRing, WindowRing, fill, records_of
from state.tables import CHANNEL, POOLS, Tables

NO_WINDOW: Final = (0, 0)
WH: Final = 10**6


class Plain:
    """A ring as two lists."""

    def __init__(self, length: int) -> None:
        self.slots: list[Contents] = [NO_CONTENTS] * length
        self.windows: list[tuple[int, int]] = [NO_WINDOW] * length

    def forget(self, low: int, high: int) -> None:
        self.slots[low:high] = [NO_CONTENTS] * (high - low)
        self.windows[low:high] = [NO_WINDOW] * (high - low)


def forms(ring: RingPages, tables: Tables) -> list[int]:
    pages = -(-ring.length >> ring.shift)
    return [int(place) & 3 for place in tables.pages["page"][ring.at : ring.at + pages]]


def quantity(rng: Random) -> int:
    return rng.choice(
        [0, 1, -1, rng.randrange(900) * WH, rng.randrange(-900, 900) * WH, rng.randrange(1 << 16) * WH, (1 << 16) * WH,
         rng.randrange(-(10**17), 10**17), 10**17, -(1 << 15) * WH, rng.randrange(1 << 31) * 40]
    )  # fmt: skip


def contents(rng: Random, often: float) -> Contents:
    if rng.random() >= often:
        return rng.randrange(900) * WH, 0, 0, ACTUAL, 0, 0, 1
    return rng.choice(
        [
            NO_CONTENTS,
            (0, 0, 0, MISSING, 0, rng.randrange(1, 4), 0),
            (quantity(rng), 0, 0, ESTIMATED, rng.randrange(1, 4), 0, 0),
            (quantity(rng), rng.randrange(3), rng.randrange(3), ACTUAL, 0, 0, 1),
        ]
    )


def agrees(ring: RingPages, plain: Plain) -> None:
    slots, windows = ring.unpacked()
    assert slots.tolist() == plain.slots
    assert windows.tolist() == plain.windows
    for position in range(0, ring.length, 3):
        assert ring.contents(position) == plain.slots[position]
        assert ring.standing(position) == plain.windows[position]


@pytest.mark.parametrize("seed", range(12))
def test_what_was_written_is_read(seed: int) -> None:
    rng, tables = Random(seed), Tables()
    shift, often = rng.choice([3, 4, PAGE_SHIFT]), rng.choice([0.01, 0.05, 0.5])
    ring, plain = RingPages(tables, rng.choice([1, 61, 200, 257]), shift), None
    plain, seen = Plain(ring.length), set[int]()
    for step in range(1_500):
        position = rng.randrange(ring.length) if rng.random() < often else step % ring.length
        if rng.random() < 0.6:
            plain.slots[position] = contents(rng, often)
            ring.put(position, plain.slots[position])
        if rng.random() < 0.5:
            plain.windows[position] = window(rng, plain, position, often)
            ring.stand(position, *plain.windows[position])
        if rng.random() < 0.03:
            low = rng.randrange(ring.length)
            high = rng.randrange(low, ring.length + 1)
            plain.forget(low, high)
            ring.forget(low, high)
        if rng.random() < 0.02:
            ring.tidy()
        seen |= set(forms(ring, tables))
        if step % 100 == 0:
            agrees(ring, plain)
    agrees(ring, plain)
    assert NARROW in seen, "the test hardly exercises narrow pages"
    everything_is_given_back(ring, tables)


def window(rng: Random, plain: Plain, position: int, often: float) -> tuple[int, int]:
    if rng.random() >= often:
        return plain.slots[position][0], 1
    return rng.choice(
        [NO_WINDOW, (plain.slots[position][0], rng.randrange(1, 4)), (quantity(rng), rng.randrange(1, 4))]
    )


def everything_is_given_back(ring: RingPages, tables: Tables) -> None:
    ring.forget(0, ring.length)
    assert set(forms(ring, tables)) == {EMPTY}
    for pool, (name, at_once) in POOLS.items():
        free, found = int(tables.pools[pool]["free"]), list[int]()
        while free >= 0:
            found.append(free)
            free = int(tables.words[pool][free, 0])
        assert sorted(found) == list(range(tables.used[name] // at_once)), name
        assert len(found) == tables.pools[pool]["number"]


def test_ordinary_data_takes_less_than_8_kb_a_channel() -> None:
    """35 days of half-hours in whole Wh and the week ahead: gaps are estimated, a few days were corrected."""
    rng, tables, length = Random(1), Tables(), 2_168
    rings = [RingPages(tables, length, PAGE_SHIFT) for _ in range(50)]
    for ring in rings:
        for position in range(100, 1_790):
            read = (rng.randrange(20, 32_000) * WH, 7, 1, ACTUAL, 0, 0, 1)
            slot = read if rng.random() > 0.005 else (rng.randrange(10**9), 0, 0, ESTIMATED, 1, 0, 0)
            ring.put(position, slot)
            ring.stand(position, slot[0], 1)
        for _ in range(4):
            position = rng.randrange(100, 1_790)
            ring.put(position, (rng.randrange(900) * WH, 8, 1, ACTUAL, 0, 0, 1))
            ring.stand(position, ring.contents(position)[0], 2)
        ring.tidy()
    assert tables.bytes_used / len(rings) + CHANNEL.itemsize < 8_192


def test_pages_that_were_widened_are_narrow_again() -> None:
    tables = Tables()
    ring, plain = RingPages(tables, 64, PAGE_SHIFT), Plain(64)
    for position in range(64):
        plain.slots[position] = (position * WH, 1, 0, ESTIMATED, 1, 0, 1)
        ring.put(position, plain.slots[position])
    assert forms(ring, tables) == [NARROW]
    for position in range(64):
        plain.slots[position] = (position * WH + 5, 2, 0, ACTUAL, 0, 0, 1)
        ring.put(position, plain.slots[position])
        agrees(ring, plain)
    assert forms(ring, tables) == [WIDE], "a later version of a whole page does not fit on it"
    ring.tidy()
    assert forms(ring, tables) == [NARROW]
    agrees(ring, plain)


def test_pages_of_all_sorts_stay_wide() -> None:
    tables = Tables()
    ring, plain = RingPages(tables, 64, PAGE_SHIFT), Plain(64)
    for position in range(64):
        plain.slots[position] = (position * WH, position % 7, 0, ACTUAL, 0, 0, 1)
        ring.put(position, plain.slots[position])
    ring.tidy()
    assert forms(ring, tables) == [MOTLEY]
    ring.put(3, plain.slots[3])
    assert forms(ring, tables) == [WIDE], "what was written may be tidied again"
    agrees(ring, plain)


@pytest.mark.parametrize("is_own", [False, True])
def test_rings_are_filled_with_what_was_taken_of_others(is_own: bool) -> None:
    def rings() -> tuple[SlotRing, WindowRing]:
        tables = Tables()
        slots = SlotRing(tables, 300, PAGE_SHIFT)
        return slots, WindowRing(300, RingPages(tables, 300, PAGE_SHIFT) if is_own else slots.pages, is_own=is_own)

    rng, (slots, windows) = Random(3), rings()
    for number in range(4_000, 4_250):
        slots.put(number, quantity(rng), ACTUAL, 0, evidence=1, version=number // 200)
        windows.put(number, quantity(rng), rng.randrange(3))
    again = rings()
    fill(*again, *records_of(slots, windows))
    found: list[Any] = [(again[0].get(number), again[1].get(number)) for number in range(4_000, 4_250)]
    assert found == [(slots.get(number), windows.get(number)) for number in range(4_000, 4_250)]
    assert all(
        np.array_equal(one, other) for one, other in zip(records_of(*again), records_of(slots, windows), strict=True)
    )
