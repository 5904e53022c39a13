"""state/narrow_pages.py: a narrow page of a ring. Nothing is kept apart when its pool is empty: the page then has to be widened."""

from state.columnar.layout import NIL, NOT_HELD, Held, Ring, Rings, Row, int64
from state.columnar.page_pools import give, give_back_plane, new_plane, take
from state.columnar.slots import is_nothing, is_of_kind, of_kind, of_record, write, write_kind
from state.compiling import compiled_in_place, compiled_inside
from state.tables import NARROW_POOL, ODD_POOL, PAGE_SLOTS

# -- reading ----------------------------------------------------------------------------------------------------------


@compiled_in_place
def contents(rings: Rings, page: Row, at: int) -> Held:
    """What stands in the slot at a place."""
    if int64(page.held) >> at & 1:
        return of_kind(page, quantity(rings, page, at))
    if int64(page.odd) >> at & 1:
        return of_record(rings.odd[odd_at(rings, page, at)])
    return NOT_HELD


@compiled_in_place
def standing(rings: Rings, page: Row, at: int) -> tuple[int, int]:
    """(quantity last emitted, how often) of the window at a place."""
    if int64(page.stands) >> at & 1:
        return _quantity_held(rings, page, at), int64(page.emitted)
    if int64(page.odd) >> at & 1:
        apart = rings.odd[odd_at(rings, page, at)]
        return apart.standing_nano, apart.emitted
    return 0, 0


@compiled_in_place
def quantity(rings: Rings, page: Row, at: int) -> int:
    """The quantity of a cell."""
    cell = int64(rings.cells[page.plane_0 * PAGE_SLOTS + at])
    if page.planes > 1:
        cell |= int64(rings.cells[page.plane_1 * PAGE_SLOTS + at]) << 16
    if page.planes > 2:
        cell |= int64(rings.cells[page.plane_2 * PAGE_SLOTS + at]) << 32
    return (cell - offset(page)) * page.step_nano


@compiled_in_place
def _quantity_held(rings: Rings, page: Row, at: int) -> int:
    """The quantity of a cell, 0 if it holds none."""
    return quantity(rings, page, at) if int64(page.held) >> at & 1 else 0


@compiled_in_place
def offset(page: Row) -> int:
    """What cells are moved by."""
    return 1 << 16 * int64(page.planes) - 1 if page.is_signed else 0


@compiled_inside
def odd_at(rings: Rings, page: Row, at: int) -> int:
    """The number of the record that is kept apart for a place."""
    number = int64(page.first_odd)
    while rings.odd[number].at != at:
        number = int64(rings.odd[number].next)
    return number


# -- writing ----------------------------------------------------------------------------------------------------------


@compiled_in_place
def put(rings: Rings, ring: Ring, page: Row, at: int, written: Held) -> bool:
    """Write a slot; False if the page has to be widened."""
    bit = 1 << at
    if int64(page.odd) & bit:
        write(rings.odd[odd_at(rings, page, at)], written)
        return True
    before, stands = _quantity_held(rings, page, at), int64(page.stands) & bit != 0
    if not stands or written.quantity_nano == before:
        if is_nothing(written):
            page.held = int64(page.held) & ~bit
            return True
        is_blank = page.held == 0
        if (is_blank or is_of_kind(page, written)) and _put_cell(rings, ring, page, at, written.quantity_nano):
            page.held = int64(page.held) | bit
            if is_blank:
                write_kind(page, written)
            return True
    window = (before, int64(page.emitted)) if stands else (NIL, NIL)
    return _keep_apart(rings, ring, page, at, written, window)


@compiled_in_place
def stand(rings: Rings, ring: Ring, page: Row, at: int, standing_nano: int, emitted: int) -> bool:
    """Write a window; False if the page has to be widened."""
    bit = 1 << at
    if int64(page.odd) & bit:
        apart = rings.odd[odd_at(rings, page, at)]
        apart.standing_nano = standing_nano
        apart.emitted = emitted
        return True
    if standing_nano == 0 and emitted == 0:
        page.stands = int64(page.stands) & ~bit
        return True
    quantity_nano, others = _quantity_held(rings, page, at), int64(page.stands) & ~bit
    if standing_nano == quantity_nano and emitted and (emitted == page.emitted or others == 0):
        page.stands = others | bit
        page.emitted = emitted
        return True
    held = NOT_HELD
    if int64(page.held) & bit:
        held = of_kind(page, quantity_nano)
    return _keep_apart(rings, ring, page, at, held, (standing_nano, emitted))


@compiled_in_place
def forget(page: Row, at: int, last: int) -> bool:
    """Clear the places from `at` to `last`, slots and windows; True if the page holds nothing any more."""
    left = ~(-1 << at) | -2 << last
    page.held = int64(page.held) & left
    page.stands = int64(page.stands) & left
    page.odd = int64(page.odd) & left
    return page.held == 0 and page.stands == 0 and page.odd == 0


# -- cells ------------------------------------------------------------------------------------------------------------


@compiled_in_place
def _put_cell(rings: Rings, ring: Ring, page: Row, at: int, quantity_nano: int) -> bool:
    """Write a quantity, in a finer step if it takes one; False if it does not fit."""
    steps = quantity_nano // page.step_nano if page.step_nano else 0
    if steps * page.step_nano != quantity_nano:
        if not _refine(rings, ring, page, quantity_nano):
            return False
        steps = quantity_nano // page.step_nano
    if not _fits(page, offset(page) + steps):
        return False
    write_cell(rings, page, at, offset(page) + steps)
    return True


@compiled_inside
def _refine(rings: Rings, ring: Ring, page: Row, quantity_nano: int) -> bool:
    """Write the cells of a page again in a step that divides a quantity too; False if they do not fit then."""
    step_nano = gcd(page.step_nano, quantity_nano)
    held, moved_by = int64(page.held), offset(page)
    for at in range(1 << ring.shift):
        if held >> at & 1 and not _fits(page, moved_by + quantity(rings, page, at) // step_nano):
            return False
    for at in range(1 << ring.shift):
        if held >> at & 1:
            write_cell(rings, page, at, moved_by + quantity(rings, page, at) // step_nano)
    page.step_nano = step_nano
    return True


@compiled_in_place
def write_cell(rings: Rings, page: Row, at: int, cell: int) -> None:
    """Write a cell that fits."""
    rings.cells[page.plane_0 * PAGE_SLOTS + at] = cell & 0xFFFF
    if page.planes > 1:
        rings.cells[page.plane_1 * PAGE_SLOTS + at] = cell >> 16 & 0xFFFF
    if page.planes > 2:
        rings.cells[page.plane_2 * PAGE_SLOTS + at] = cell >> 32 & 0xFFFF


@compiled_in_place
def _fits(page: Row, cell: int) -> bool:
    return 0 <= cell < 1 << 16 * int64(page.planes)


@compiled_inside
def gcd(one: int, other: int) -> int:
    """The greatest common divisor."""
    one, other = abs(one), abs(other)
    while other:
        one, other = other, one % other
    return one


# -- records kept apart -----------------------------------------------------------------------------------------------


@compiled_inside
def _keep_apart(rings: Rings, ring: Ring, page: Row, at: int, held: Held, window: tuple[int, int]) -> bool:
    """Give a place a record of its own; False if the page has too many of them."""
    if page.odd_number >= most_odd(ring) or rings.pools[ODD_POOL].number == 0:
        return False
    bit = 1 << at
    add_odd(rings, page, at, held, window)
    page.held = int64(page.held) & ~bit
    page.stands = int64(page.stands) & ~bit
    return True


@compiled_inside
def most_odd(ring: Ring) -> int:
    """As many records a page keeps apart at most: an eighth of its slots."""
    return 1 << ring.shift >> 3


@compiled_inside
def add_odd(rings: Rings, page: Row, at: int, held: Held, window: tuple[int, int]) -> None:
    """Put a record on the page's list."""
    number = rings.pools[ODD_POOL].free
    apart = rings.odd[number]
    take(rings.pools, NIL + ODD_POOL, apart.standing_nano)
    write(apart, held)
    apart.standing_nano = window[0]
    apart.emitted = window[1]
    apart.at = at
    apart.next = page.first_odd
    page.first_odd = number
    page.odd_number += 1
    page.odd = int64(page.odd) | 1 << at


# -- the page itself --------------------------------------------------------------------------------------------------


@compiled_inside
def new(rings: Rings, planes: int) -> int:
    """The number of a page that holds nothing."""
    number = rings.pools[NARROW_POOL].free
    page = rings.narrow[number]
    take(rings.pools, NIL + NARROW_POOL, page.step_nano)
    write_kind(page, NOT_HELD)
    page.step_nano = 0
    page.held = 0
    page.stands = 0
    page.odd = 0
    page.emitted = 0
    page.is_signed = 0
    page.odd_number = 0
    page.first_odd = -1
    page.planes = planes
    page.plane_0 = new_plane(rings)
    if planes > 1:
        page.plane_1 = new_plane(rings)
    if planes > 2:
        page.plane_2 = new_plane(rings)
    return number


@compiled_inside
def give_back(rings: Rings, number: int) -> None:
    """Give a page back with all that belongs to it."""
    page = rings.narrow[number]
    give_back_plane(rings, int64(page.plane_0))
    if page.planes > 1:
        give_back_plane(rings, int64(page.plane_1))
    if page.planes > 2:
        give_back_plane(rings, int64(page.plane_2))
    apart = int64(page.first_odd)
    while apart >= 0:
        following = int64(rings.odd[apart].next)
        rings.odd[apart].standing_nano = give(rings.pools, NIL + ODD_POOL, apart)
        apart = following
    page.step_nano = give(rings.pools, NIL + NARROW_POOL, number)
