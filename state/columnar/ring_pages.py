"""state/ring_pages.py: the pages of one ring. Nothing is taken from a pool that is empty: a page then stays or becomes wide."""

from state.columnar import narrow_pages
from state.columnar.layout import NIL, NOT_HELD, ONE, Held, Ring, Rings, Row, int64
from state.columnar.narrowing import NO_RECORDS, NO_ROOM, TOO_VARIED, pack, unpack
from state.columnar.page_pools import give_back_wide, has_narrow, new_wide
from state.columnar.slots import clear, is_clear, is_nothing, of_record, write
from state.compiling import compiled_in_place, compiled_inside
from state.ring_pages import EMPTY, MOTLEY, NARROW, WIDE
from state.tables import PAGE_SLOTS

# -- reading ----------------------------------------------------------------------------------------------------------


@compiled_in_place
def contents(rings: Rings, ring: Ring, position: int) -> Held:
    """What stands in the slot at a position."""
    place = rings.pages[ring.at + (position >> ring.shift)].page
    at = position & (1 << ring.shift) - 1
    if place & 3 == NARROW:
        return narrow_pages.contents(rings, rings.narrow[place >> 2], at)
    if place & 3 == EMPTY:
        return NOT_HELD
    return of_record(rings.wide[(place >> 2) * PAGE_SLOTS + at])


@compiled_in_place
def standing(rings: Rings, ring: Ring, position: int) -> tuple[int, int]:
    """(quantity last emitted, how often) of the window at a position."""
    place = rings.pages[ring.at + (position >> ring.shift)].page
    at = position & (1 << ring.shift) - 1
    if place & 3 == EMPTY:
        return 0, 0
    if place & 3 != NARROW:
        window = rings.wide[(place >> 2) * PAGE_SLOTS + at]
        return window.standing_nano, window.emitted
    return narrow_pages.standing(rings, rings.narrow[place >> 2], at)


# -- writing ----------------------------------------------------------------------------------------------------------


@compiled_in_place
def put(rings: Rings, ring: Ring, position: int, written: Held) -> None:
    """Write a slot; its window stays as it is."""
    place = rings.pages[ring.at + (position >> ring.shift)]
    at = position & (1 << ring.shift) - 1
    if place.page & 3 == EMPTY:
        if is_nothing(written):
            return
        _begin(rings, ring, position, written.quantity_nano)
    if place.page & 3 == NARROW:
        if narrow_pages.put(rings, ring, rings.narrow[place.page >> 2], at, written):
            return
        _widen(rings, ring, place)
    place.page = place.page & ~3 | WIDE
    write(rings.wide[(place.page >> 2) * PAGE_SLOTS + at], written)


@compiled_in_place
def stand(rings: Rings, ring: Ring, position: int, standing_nano: int, emitted: int) -> None:
    """Write a window; its slot stays as it is."""
    place = rings.pages[ring.at + (position >> ring.shift)]
    at = position & (1 << ring.shift) - 1
    if place.page & 3 == EMPTY:
        if emitted == 0:
            return
        _begin(rings, ring, position, NIL)
    if place.page & 3 == NARROW:
        if narrow_pages.stand(rings, ring, rings.narrow[place.page >> 2], at, standing_nano, emitted):
            return
        _widen(rings, ring, place)
    place.page = place.page & ~3 | WIDE
    window = rings.wide[(place.page >> 2) * PAGE_SLOTS + at]
    window.standing_nano = standing_nano
    window.emitted = emitted


@compiled_inside
def forget(rings: Rings, ring: Ring, first: int, end: int) -> None:
    """Clear the numbers [first, end), slots and windows; a page that holds nothing any more is given back."""
    first = max(first, end - ring.length)
    while first < end:
        position = first % ring.length
        place = rings.pages[ring.at + (position >> ring.shift)]
        begin = position >> ring.shift << ring.shift
        page_end = min(begin + (1 << ring.shift), ring.length)
        until = min(page_end, position + end - first)
        if place.page & 3 == NARROW:
            if narrow_pages.forget(rings.narrow[place.page >> 2], position - begin, until - 1 - begin):
                narrow_pages.give_back(rings, place.page >> 2)
                place.page = EMPTY
        elif place.page & 3 != EMPTY:
            of_page = (place.page >> 2) * PAGE_SLOTS
            for at in range(position - begin, until - begin):
                clear(rings.wide[of_page + at])
            if until == page_end and _is_page_clear(rings, of_page):
                give_back_wide(rings, place.page >> 2)
                place.page = EMPTY
        first += until - position


@compiled_inside
def tidy(rings: Rings, ring: Ring) -> None:
    """Make the wide pages narrow that were written since this was last done, where they can be."""
    for page in range(pages_of(ring)):
        place = rings.pages[ring.at + page]
        if place.page & 3 == WIDE:
            _narrow_down(rings, ring, place, min(1 << ring.shift, ring.length - (page << ring.shift)))


# -- pages ------------------------------------------------------------------------------------------------------------


@compiled_inside
def pages_of(ring: Ring) -> int:
    """How many pages a ring has."""
    return -(-ring.length >> ring.shift)


@compiled_inside
def _begin(rings: Rings, ring: Ring, position: int, quantity_nano: int) -> None:
    """A narrow page where there is none, its cells as those of the page before it."""
    index = position >> ring.shift
    before = rings.pages[ring.at + (index if index else pages_of(ring)) - 1].page
    step_nano, planes, is_signed = NIL, ONE, quantity_nano < 0
    if before & 3 == NARROW:
        page = rings.narrow[before >> 2]
        step_nano, planes, is_signed = page.step_nano, int64(page.planes), is_signed or page.is_signed != 0
    place = rings.pages[ring.at + index]
    if has_narrow(rings.pools, planes, NIL):
        number = narrow_pages.new(rings, planes)
        rings.narrow[number].step_nano = step_nano
        rings.narrow[number].is_signed = is_signed
        place.page = number << 2 | NARROW
    else:
        place.page = new_wide(rings) << 2 | WIDE


@compiled_inside
def _is_page_clear(rings: Rings, of_page: int) -> bool:
    """True if a wide page holds nothing."""
    for at in range(of_page, of_page + PAGE_SLOTS):
        if not is_clear(rings.wide[at]):
            return False
    return True


# -- from one form to the other ---------------------------------------------------------------------------------------


@compiled_inside
def _widen(rings: Rings, ring: Ring, place: Row) -> None:
    """Make a narrow page wide."""
    wide, number = new_wide(rings), place.page >> 2
    unpack(rings, ring, number, wide * PAGE_SLOTS)
    narrow_pages.give_back(rings, number)
    place.page = wide << 2 | WIDE


@compiled_inside
def _narrow_down(rings: Rings, ring: Ring, place: Row, size: int) -> None:
    """Make a wide page narrow, or note that it cannot be."""
    wide = place.page >> 2
    number = pack(rings, ring, wide * PAGE_SLOTS, size)
    if number == NO_ROOM:
        return
    if number == TOO_VARIED:
        place.page = wide << 2 | MOTLEY
        return
    give_back_wide(rings, wide)
    place.page = EMPTY if number == NO_RECORDS else number << 2 | NARROW
