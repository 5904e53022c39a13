"""state/tables.py: its pools. Compiled code cannot fill them: who takes from one has looked whether there is something in it."""

from state.columnar.layout import NIL, Records, Rings, int64
from state.compiling import compiled_inside
from state.tables import CELLS_POOL, NARROW_POOL, ODD_POOL, PAGE_SLOTS, WIDE_POOL


@compiled_inside
def take(pools: Records, pool: int, following: int) -> None:
    """Take the first of a pool that has it; `following` is what is free after it."""
    pools[pool].free = following
    pools[pool].number -= 1


@compiled_inside
def give(pools: Records, pool: int, number: int) -> int:
    """Make something the first of a pool; returns what was, for its first word."""
    following = pools[pool].free
    pools[pool].free = number
    pools[pool].number += 1
    return following


@compiled_inside
def has_narrow(pools: Records, planes: int, odd: int) -> bool:
    """True if there is what a narrow page takes, with so many records kept apart."""
    return pools[NARROW_POOL].number > 0 and pools[CELLS_POOL].number >= planes and pools[ODD_POOL].number >= odd


@compiled_inside
def new_wide(rings: Rings) -> int:
    """The number of a wide page, which is clear."""
    number = rings.pools[WIDE_POOL].free
    take(rings.pools, NIL + WIDE_POOL, rings.wide[number * PAGE_SLOTS].quantity_nano)
    rings.wide[number * PAGE_SLOTS].quantity_nano = 0
    return number


@compiled_inside
def give_back_wide(rings: Rings, number: int) -> None:
    """Give back a wide page that is clear."""
    rings.wide[number * PAGE_SLOTS].quantity_nano = give(rings.pools, NIL + WIDE_POOL, number)


@compiled_inside
def new_plane(rings: Rings) -> int:
    """The number of a plane of cells; what they hold is nobody's."""
    number = rings.pools[CELLS_POOL].free
    following = NIL
    for part in range(4):
        following |= int64(rings.cells[number * PAGE_SLOTS + part]) << 16 * part
    take(rings.pools, NIL + CELLS_POOL, following)
    return number


@compiled_inside
def give_back_plane(rings: Rings, number: int) -> None:
    """Give back a plane of cells."""
    following = give(rings.pools, NIL + CELLS_POOL, number)
    for part in range(4):
        rings.cells[number * PAGE_SLOTS + part] = following >> 16 * part & 0xFFFF
