"""Pages of tables: every change is found, and what is packed comes back."""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from state.page_packing import columns_of, most_packed, pack_pages, unpack_pages
from state.page_sums import PageSums
from state.pages import ChangedPages, lay
from state.tables import KINDS, PAGE, Tables

PAGES = 12
WORD = 64


def contents(rng: Random, kind: np.dtype[Any], number: int) -> NDArray[Any]:
    """Records whose fields are, each in a way of its own, constant, extreme, on a grid, rarely set or without pattern."""
    array = np.zeros(number, kind)
    generator = np.random.default_rng(rng.randrange(1 << 32))
    for name in kind.names or ():
        field = kind[name]
        bounds = np.iinfo(field)
        ways: list[Any] = [
            lambda bounds=bounds: rng.choice([0, 1, bounds.min, bounds.max]),
            lambda bounds=bounds, field=field: generator.choice(
                np.array([0, 1, bounds.min, bounds.max], field), number
            ),
            lambda: generator.integers(0, 100, number),
            lambda: generator.random(number) < 0.01,
            lambda bounds=bounds, field=field: generator.integers(
                bounds.min, bounds.max, number, field.type, endpoint=True
            ),
        ]
        if bounds.bits == WORD:
            ways.append(lambda: generator.integers(-900, 900, number) * 10**6 + 7)
        array[name] = rng.choice(ways)()
    return array


@pytest.mark.parametrize("name", KINDS)
def test_packed_pages_come_back(name: str) -> None:
    rng, kind, records = Random(name), KINDS[name], PAGE[name]
    for _ in range(20):
        array = contents(rng, kind, PAGES * records)
        numbers = np.array(sorted(rng.sample(range(PAGES), rng.randrange(PAGES + 1))), np.int64)
        out = np.empty(len(numbers) * most_packed(kind, records), np.uint8)
        pages = array.view(np.int64).reshape(PAGES, records, -1)
        end = pack_pages(pages, numbers, columns_of(kind), np.empty(records, np.int64), out, 0)
        again = np.zeros(PAGES * records, kind)
        assert unpack_pages(out, 0, columns_of(kind), numbers, again.view(np.int64).reshape(pages.shape)) == end
        expected = np.zeros_like(array).reshape(PAGES, records)
        expected[numbers] = array.reshape(PAGES, records)[numbers]
        assert (again.reshape(PAGES, records) == expected).all()


def test_whole_watt_hours_take_ten_bits() -> None:
    slots = np.zeros(4 * PAGE["wide"], KINDS["wide"])
    slots["quantity_nano"] = np.random.default_rng(1).integers(20, 900, len(slots)) * 10**6
    slots["quality"], slots["evidence"] = 5, 1
    tables = Tables(dict.fromkeys(KINDS, 0) | {"wide": len(slots)})
    tables.wide[: len(slots)] = slots
    assert len(ChangedPages().take(tables)) < len(slots) * 10 // 8 + 400


def flipped(rng: Random, pages: NDArray[np.uint64], bits: int) -> Iterator[int]:
    """Flip some bits of one page; gives its number before they are flipped back."""
    page = rng.randrange(len(pages))
    places = [(rng.randrange(pages.shape[1]), rng.randrange(WORD)) for _ in range(bits)]
    for _ in range(2):
        for word, bit in places:
            pages[page, word] ^= np.uint64(1 << bit)
        yield page


@pytest.mark.parametrize("words", [256, 384, 512])
def test_flipped_bits_are_found(words: int) -> None:
    rng = Random(words)
    for filling in (0, (1 << WORD) - 1, None):
        pages = np.full((PAGES, words), filling or 0, np.uint64)
        if filling is None:
            pages[:] = np.random.default_rng(words).integers(0, 1 << 63, pages.shape, np.uint64)
        sums = PageSums(words)
        sums.changed(pages)
        assert not len(sums.changed(pages))
        for bits in (1, 1, 1, 2, 2, 3, 40) * 30:
            for page in flipped(rng, pages, bits):
                assert sums.changed(pages).tolist() == [page]


def test_a_page_that_was_never_written_has_not_changed() -> None:
    sums = PageSums(256)
    pages = np.zeros((4, 256), np.uint64)
    pages[2, 255] = 1
    assert sums.changed(pages).tolist() == [2]
    grown = np.concatenate([pages, np.zeros((3, 256), np.uint64)])
    assert not len(sums.changed(grown))
    sums.forget()
    assert sums.changed(grown).tolist() == [2]


def test_tables_are_laid_page_by_page() -> None:
    rng, changed, tables, laid = Random(5), ChangedPages(), Tables(), Tables()
    for step in range(30):
        for name, kind in KINDS.items():
            tables.take(name, rng.choice([0, 1, 5, 400]), None)
            used = tables.used[name]
            if used:
                at = rng.randrange(used)
                getattr(tables, name)[at] = contents(rng, kind, 1)[0]
        laid = lay(changed.take(tables), laid)
        assert laid.used == tables.used, step
        for name, used in tables.used.items():
            assert (getattr(laid, name)[:used] == getattr(tables, name)[:used]).all(), (step, name)
            assert not getattr(laid, name)[used:].tobytes().strip(b"\0")
