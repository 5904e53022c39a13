"""state/ring_pages.py: the pages of one ring. Nothing is taken from a pool that is empty: a page then stays or becomes wide."""

from state.columnar.layout import NIL, NOT_HELD, ONE, Held, Records, Ring, Rings, Row, int64
from state.compiling import compiled_in_place, compiled_inside
from state.ring_pages import EMPTY, MOST_PLANES, MOTLEY, NARROW, WIDE
from state.tables import CELLS_POOL, NARROW_POOL, ODD_POOL, PAGE_SLOTS, WIDE_POOL

# -- reading ----------------------------------------------------------------------------------------------------------


@compiled_in_place
def contents(rings: Rings, ring: Ring, position: int) -> Held:
    """What stands in the slot at a position."""
    place = rings.pages[ring.at + (position >> ring.shift)].page
    at = position & (1 << ring.shift) - 1
    if place & 3 == NARROW:
        page = rings.narrow[place >> 2]
        if int64(page.held) >> at & 1:
            return _held(page, _quantity(rings, page, at))
        if int64(page.odd) >> at & 1:
            return _of_record(rings.odd[_odd_at(rings, page, at)])
        return NOT_HELD
    if place & 3 == EMPTY:
        return NOT_HELD
    return _of_record(rings.wide[(place >> 2) * PAGE_SLOTS + at])


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
    page = rings.narrow[place >> 2]
    if int64(page.stands) >> at & 1:
        return _quantity_held(rings, page, at), int64(page.emitted)
    if int64(page.odd) >> at & 1:
        apart = rings.odd[_odd_at(rings, page, at)]
        return apart.standing_nano, apart.emitted
    return 0, 0


@compiled_in_place
def _held(page: Row, quantity_nano: int) -> Held:
    """A slot of what a page's slots have in common."""
    return Held(
        quantity_nano,
        page.version,
        int64(page.device),
        int64(page.quality),
        int64(page.method),
        int64(page.reason),
        int64(page.evidence),
    )


@compiled_in_place
def _of_record(record: Row) -> Held:
    return _held(record, record.quantity_nano)


@compiled_in_place
def _quantity(rings: Rings, page: Row, at: int) -> int:
    """The quantity of a cell."""
    cell = int64(rings.cells[page.plane_0 * PAGE_SLOTS + at])
    if page.planes > 1:
        cell |= int64(rings.cells[page.plane_1 * PAGE_SLOTS + at]) << 16
    if page.planes > 2:
        cell |= int64(rings.cells[page.plane_2 * PAGE_SLOTS + at]) << 32
    return (cell - _offset(page)) * page.step_nano


@compiled_in_place
def _quantity_held(rings: Rings, page: Row, at: int) -> int:
    """The quantity of a cell, 0 if it holds none."""
    return _quantity(rings, page, at) if int64(page.held) >> at & 1 else 0


@compiled_in_place
def _offset(page: Row) -> int:
    """What cells are moved by."""
    return 1 << 16 * int64(page.planes) - 1 if page.is_signed else 0


@compiled_inside
def _odd_at(rings: Rings, page: Row, at: int) -> int:
    """The number of the record that is kept apart for a place."""
    number = int64(page.first_odd)
    while rings.odd[number].at != at:
        number = int64(rings.odd[number].next)
    return number


# -- writing ----------------------------------------------------------------------------------------------------------


@compiled_in_place
def put(rings: Rings, ring: Ring, position: int, written: Held) -> None:
    """Write a slot; its window stays as it is."""
    place = rings.pages[ring.at + (position >> ring.shift)]
    at = position & (1 << ring.shift) - 1
    if place.page & 3 == EMPTY:
        if _is_nothing(written):
            return
        _begin(rings, ring, position, written.quantity_nano)
    if place.page & 3 == NARROW:
        if _put_narrow(rings, ring, rings.narrow[place.page >> 2], at, written):
            return
        _widen(rings, ring, place)
    place.page = place.page & ~3 | WIDE
    _write(rings.wide[(place.page >> 2) * PAGE_SLOTS + at], written)


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
        if _stand_narrow(rings, ring, rings.narrow[place.page >> 2], at, standing_nano, emitted):
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
            page = rings.narrow[place.page >> 2]
            left = ~(-1 << position - begin) | -2 << until - 1 - begin
            page.held = int64(page.held) & left
            page.stands = int64(page.stands) & left
            page.odd = int64(page.odd) & left
            if page.held == 0 and page.stands == 0 and page.odd == 0:
                _give_back_narrow(rings, place.page >> 2)
                place.page = EMPTY
        elif place.page & 3 != EMPTY:
            of_page = (place.page >> 2) * PAGE_SLOTS
            for at in range(position - begin, until - begin):
                _clear(rings, of_page + at)
            if until == page_end and _is_page_clear(rings, of_page):
                _give_back_wide(rings, place.page >> 2)
                place.page = EMPTY
        first += until - position


@compiled_inside
def tidy(rings: Rings, ring: Ring) -> None:
    """Make the wide pages narrow that were written since this was last done, where they can be."""
    for page in range(pages_of(ring)):
        place = rings.pages[ring.at + page]
        if place.page & 3 == WIDE:
            _narrow_down(rings, ring, place, min(1 << ring.shift, ring.length - (page << ring.shift)))


@compiled_inside
def pages_of(ring: Ring) -> int:
    """How many pages a ring has."""
    return -(-ring.length >> ring.shift)


@compiled_in_place
def _is_nothing(written: Row) -> bool:
    return (
        written.quantity_nano == 0
        and written.version == 0
        and written.device == 0
        and written.quality == 0
        and written.method == 0
        and written.reason == 0
        and written.evidence == 0
    )


@compiled_inside
def _is_clear(record: Row) -> bool:
    """True if a record of a wide page holds nothing, neither slot nor window."""
    return record.emitted == 0 and record.standing_nano == 0 and _is_nothing(record)


@compiled_in_place
def _is_of_kind(page: Row, other: Row) -> bool:
    """True if what a page's slots have in common is what a slot has."""
    return (
        page.version == other.version
        and page.device == other.device
        and page.quality == other.quality
        and page.method == other.method
        and page.reason == other.reason
        and page.evidence == other.evidence
    )


@compiled_in_place
def _write(record: Row, written: Row) -> None:
    record.quantity_nano = written.quantity_nano
    _write_kind(record, written)


@compiled_in_place
def _write_kind(record: Row, written: Row) -> None:
    record.version = written.version
    record.device = written.device
    record.quality = written.quality
    record.method = written.method
    record.reason = written.reason
    record.evidence = written.evidence


# -- pages ------------------------------------------------------------------------------------------------------------


@compiled_inside
def _take(pools: Records, pool: int, following: int) -> None:
    """Take the first of a pool that has it; `following` is what is free after it."""
    pools[pool].free = following
    pools[pool].number -= 1


@compiled_inside
def _give(pools: Records, pool: int, number: int) -> int:
    """Make something the first of a pool; returns what was, for its first word."""
    following = pools[pool].free
    pools[pool].free = number
    pools[pool].number += 1
    return following


@compiled_inside
def _new_wide(rings: Rings) -> int:
    """The number of a wide page, which is clear."""
    number = rings.pools[WIDE_POOL].free
    _take(rings.pools, NIL + WIDE_POOL, rings.wide[number * PAGE_SLOTS].quantity_nano)
    rings.wide[number * PAGE_SLOTS].quantity_nano = 0
    return number


@compiled_inside
def _give_back_wide(rings: Rings, number: int) -> None:
    """Give back a wide page that is clear."""
    rings.wide[number * PAGE_SLOTS].quantity_nano = _give(rings.pools, NIL + WIDE_POOL, number)


@compiled_inside
def _new_plane(rings: Rings) -> int:
    """The number of a plane of cells; what they hold is nobody's."""
    number = rings.pools[CELLS_POOL].free
    following = NIL
    for part in range(4):
        following |= int64(rings.cells[number * PAGE_SLOTS + part]) << 16 * part
    _take(rings.pools, NIL + CELLS_POOL, following)
    return number


@compiled_inside
def _give_back_plane(rings: Rings, number: int) -> None:
    following = _give(rings.pools, NIL + CELLS_POOL, number)
    for part in range(4):
        rings.cells[number * PAGE_SLOTS + part] = following >> 16 * part & 0xFFFF


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
    if _has_narrow(rings.pools, planes, NIL):
        number = _new_narrow(rings, planes)
        rings.narrow[number].step_nano = step_nano
        rings.narrow[number].is_signed = is_signed
        place.page = number << 2 | NARROW
    else:
        place.page = _new_wide(rings) << 2 | WIDE


@compiled_inside
def _has_narrow(pools: Records, planes: int, odd: int) -> bool:
    """True if there is what a narrow page takes."""
    return pools[NARROW_POOL].number > 0 and pools[CELLS_POOL].number >= planes and pools[ODD_POOL].number >= odd


@compiled_inside
def _new_narrow(rings: Rings, planes: int) -> int:
    number = rings.pools[NARROW_POOL].free
    page = rings.narrow[number]
    _take(rings.pools, NIL + NARROW_POOL, page.step_nano)
    _write_kind(page, NOT_HELD)
    page.step_nano = 0
    page.held = 0
    page.stands = 0
    page.odd = 0
    page.emitted = 0
    page.is_signed = 0
    page.odd_number = 0
    page.first_odd = -1
    page.planes = planes
    page.plane_0 = _new_plane(rings)
    if planes > 1:
        page.plane_1 = _new_plane(rings)
    if planes > 2:
        page.plane_2 = _new_plane(rings)
    return number


@compiled_inside
def _give_back_narrow(rings: Rings, number: int) -> None:
    """Give a narrow page back with all that belongs to it."""
    page = rings.narrow[number]
    _give_back_plane(rings, int64(page.plane_0))
    if page.planes > 1:
        _give_back_plane(rings, int64(page.plane_1))
    if page.planes > 2:
        _give_back_plane(rings, int64(page.plane_2))
    apart = int64(page.first_odd)
    while apart >= 0:
        following = int64(rings.odd[apart].next)
        rings.odd[apart].standing_nano = _give(rings.pools, NIL + ODD_POOL, apart)
        apart = following
    page.step_nano = _give(rings.pools, NIL + NARROW_POOL, number)


@compiled_inside
def _clear(rings: Rings, at: int) -> None:
    """Clear a slot and a window of a wide page."""
    record = rings.wide[at]
    _write(record, NOT_HELD)
    record.standing_nano = 0
    record.emitted = 0


@compiled_inside
def _is_page_clear(rings: Rings, of_page: int) -> bool:
    """True if a wide page holds nothing."""
    for at in range(of_page, of_page + PAGE_SLOTS):
        if not _is_clear(rings.wide[at]):
            return False
    return True


# -- narrow pages -----------------------------------------------------------------------------------------------------


@compiled_in_place
def _put_narrow(rings: Rings, ring: Ring, page: Row, at: int, written: Held) -> bool:
    """Write a slot of a narrow page; False if it has to be widened."""
    bit = 1 << at
    if int64(page.odd) & bit:
        _write(rings.odd[_odd_at(rings, page, at)], written)
        return True
    before, stands = _quantity_held(rings, page, at), int64(page.stands) & bit != 0
    if not stands or written.quantity_nano == before:
        if _is_nothing(written):
            page.held = int64(page.held) & ~bit
            return True
        is_blank = page.held == 0
        if (is_blank or _is_of_kind(page, written)) and _put_cell(rings, ring, page, at, written.quantity_nano):
            page.held = int64(page.held) | bit
            if is_blank:
                _write_kind(page, written)
            return True
    window = (before, int64(page.emitted)) if stands else (NIL, NIL)
    return _keep_apart(rings, ring, page, at, written, window)


@compiled_in_place
def _stand_narrow(rings: Rings, ring: Ring, page: Row, at: int, standing_nano: int, emitted: int) -> bool:
    """Write a window of a narrow page; False if it has to be widened."""
    bit = 1 << at
    if int64(page.odd) & bit:
        apart = rings.odd[_odd_at(rings, page, at)]
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
        held = _held(page, quantity_nano)
    return _keep_apart(rings, ring, page, at, held, (standing_nano, emitted))


@compiled_in_place
def _put_cell(rings: Rings, ring: Ring, page: Row, at: int, quantity_nano: int) -> bool:
    """Write a quantity, in a finer step if it takes one; False if it does not fit."""
    steps = quantity_nano // page.step_nano if page.step_nano else 0
    if steps * page.step_nano != quantity_nano:
        if not _refine(rings, ring, page, quantity_nano):
            return False
        steps = quantity_nano // page.step_nano
    if not _fits(page, _offset(page) + steps):
        return False
    _write_cell(rings, page, at, _offset(page) + steps)
    return True


@compiled_in_place
def _fits(page: Row, cell: int) -> bool:
    return 0 <= cell < 1 << 16 * int64(page.planes)


@compiled_inside
def _gcd(one: int, other: int) -> int:
    one, other = abs(one), abs(other)
    while other:
        one, other = other, one % other
    return one


@compiled_inside
def _refine(rings: Rings, ring: Ring, page: Row, quantity_nano: int) -> bool:
    """Write the cells of a page again in a step that divides a quantity too; False if they do not fit then."""
    step_nano = _gcd(page.step_nano, quantity_nano)
    held, offset = int64(page.held), _offset(page)
    for at in range(1 << ring.shift):
        if held >> at & 1 and not _fits(page, offset + _quantity(rings, page, at) // step_nano):
            return False
    for at in range(1 << ring.shift):
        if held >> at & 1:
            _write_cell(rings, page, at, offset + _quantity(rings, page, at) // step_nano)
    page.step_nano = step_nano
    return True


@compiled_in_place
def _write_cell(rings: Rings, page: Row, at: int, cell: int) -> None:
    rings.cells[page.plane_0 * PAGE_SLOTS + at] = cell & 0xFFFF
    if page.planes > 1:
        rings.cells[page.plane_1 * PAGE_SLOTS + at] = cell >> 16 & 0xFFFF
    if page.planes > 2:
        rings.cells[page.plane_2 * PAGE_SLOTS + at] = cell >> 32 & 0xFFFF


@compiled_inside
def _keep_apart(rings: Rings, ring: Ring, page: Row, at: int, held: Held, window: tuple[int, int]) -> bool:
    """Give a place a record of its own; False if the page has too many of them."""
    if page.odd_number >= most_odd(ring) or rings.pools[ODD_POOL].number == 0:
        return False
    bit = 1 << at
    _add_odd(rings, page, at, held, window)
    page.held = int64(page.held) & ~bit
    page.stands = int64(page.stands) & ~bit
    return True


@compiled_inside
def most_odd(ring: Ring) -> int:
    """As many records a narrow page keeps apart at most: an eighth of its slots."""
    return 1 << ring.shift >> 3


@compiled_inside
def _add_odd(rings: Rings, page: Row, at: int, held: Held, window: tuple[int, int]) -> None:
    number = rings.pools[ODD_POOL].free
    apart = rings.odd[number]
    _take(rings.pools, NIL + ODD_POOL, apart.standing_nano)
    _write(apart, held)
    apart.standing_nano = window[0]
    apart.emitted = window[1]
    apart.at = at
    apart.next = page.first_odd
    page.first_odd = number
    page.odd_number += 1
    page.odd = int64(page.odd) | 1 << at


# -- from one form to the other ---------------------------------------------------------------------------------------


@compiled_inside
def _widen(rings: Rings, ring: Ring, place: Row) -> None:
    """Make a narrow page wide."""
    wide = _new_wide(rings)
    number = place.page >> 2
    page = rings.narrow[number]
    held, stands = int64(page.held), int64(page.stands)
    for at in range(1 << ring.shift):
        record = rings.wide[wide * PAGE_SLOTS + at]
        if held >> at & 1:
            record.quantity_nano = _quantity(rings, page, at)
            _write_kind(record, page)
        if stands >> at & 1:
            record.standing_nano = record.quantity_nano
            record.emitted = page.emitted
        if int64(page.odd) >> at & 1:
            apart = rings.odd[_odd_at(rings, page, at)]
            _write(record, apart)
            record.standing_nano = apart.standing_nano
            record.emitted = apart.emitted
    _give_back_narrow(rings, number)
    place.page = wide << 2 | WIDE


@compiled_inside
def _narrow_down(rings: Rings, ring: Ring, place: Row, size: int) -> None:
    """Make a wide page narrow, or note that it cannot be."""
    wide = place.page >> 2
    first = wide * PAGE_SLOTS
    common, emitted = _most_common_kind(rings, first, size), _most_common_emitted(rings, first, size)
    kind = rings.wide[max(common, first)]
    fit, filled, odd, step_nano, least, most = NIL, NIL, NIL, NIL, NIL, NIL
    for at in range(size):
        record = rings.wide[first + at]
        if _is_clear(record):
            continue
        filled += 1
        stands = record.standing_nano == record.quantity_nano and record.emitted == emitted
        has_window = record.emitted != 0 or record.standing_nano != 0
        if not _is_nothing(record) and _is_of_kind(kind, record) and (stands or not has_window):
            fit |= 1 << at
            step_nano = _gcd(step_nano, record.quantity_nano) if step_nano != 1 else 1
            least, most = min(least, record.quantity_nano), max(most, record.quantity_nano)
        else:
            odd += 1
    if filled == 0:
        _give_back_wide(rings, wide)
        place.page = EMPTY
        return
    planes = _planes(step_nano, least, most)
    if planes == 0 or odd > most_odd(ring):
        place.page = wide << 2 | MOTLEY
        return
    if not _has_narrow(rings.pools, planes, odd):
        return
    number = _new_narrow(rings, planes)
    page = rings.narrow[number]
    page.step_nano = step_nano
    page.is_signed = least < 0
    page.emitted = emitted
    if common >= 0:
        _write_kind(page, kind)
    for at in range(size):
        record = rings.wide[first + at]
        if fit >> at & 1:
            cell = _offset(page)
            if step_nano:
                cell += record.quantity_nano // step_nano
            _write_cell(rings, page, at, cell)
            if record.emitted:
                page.stands = int64(page.stands) | 1 << at
        elif not _is_clear(record):
            _add_odd(rings, page, at, _of_record(record), (record.standing_nano, record.emitted))
        _clear(rings, first + at)
    page.held = fit
    _give_back_wide(rings, wide)
    place.page = number << 2 | NARROW


@compiled_inside
def _planes(step_nano: int, least: int, most: int) -> int:
    """How many planes hold what lies between two quantities; 0: more than there may be."""
    if step_nano:
        least, most = least // step_nano, most // step_nano
    for planes in range(1, MOST_PLANES + 1):
        offset = 1 << 16 * planes - 1 if least < 0 else 0
        if least + offset >= 0 and most + offset < 1 << 16 * planes:
            return planes
    return 0


@compiled_inside
def _most_common_kind(rings: Rings, first: int, size: int) -> int:
    """Where a slot stands of the kind that more than half of them are of, if there is such; -1: they are all empty."""
    common, lead = NIL - 1, NIL
    for at in range(first, first + size):
        if _is_nothing(rings.wide[at]):
            continue
        if lead == 0:
            common = at
        lead += 1 if _is_of_kind(rings.wide[common], rings.wide[at]) else -1
    return common


@compiled_inside
def _most_common_emitted(rings: Rings, first: int, size: int) -> int:
    """The same of how often windows were emitted; 0: none was."""
    common, lead = NIL, NIL
    for at in range(first, first + size):
        emitted = rings.wide[at].emitted
        if emitted == 0:
            continue
        if lead == 0:
            common = emitted
        lead += 1 if emitted == common else -1
    return common
