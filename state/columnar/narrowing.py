"""state/narrowing.py: records made a narrow page, and a narrow page made records again."""

from state.columnar.layout import NIL, Ring, Rings, int64
from state.columnar.narrow_pages import add_odd, gcd, most_odd, new, odd_at, offset, quantity, write_cell
from state.columnar.page_pools import has_narrow
from state.columnar.slots import clear, is_clear, is_nothing, is_of_kind, of_record, write, write_kind
from state.compiling import compiled_inside
from state.narrow_pages import MOST_PLANES

NO_RECORDS, TOO_VARIED, NO_ROOM = -1, -2, -3
"""Why records are not made a narrow page: they hold nothing; they are too varied for one; there is none to take."""


@compiled_inside
def pack(rings: Rings, ring: Ring, first: int, size: int) -> int:
    """Make the records of a wide page a narrow one, and clear them; returns its number, or why they are left as they are."""
    common, emitted = _most_common_kind(rings, first, size), _most_common_emitted(rings, first, size)
    kind = rings.wide[max(common, first)]
    fit, filled, odd, step_nano, least, most = NIL, NIL, NIL, NIL, NIL, NIL
    for at in range(size):
        record = rings.wide[first + at]
        if is_clear(record):
            continue
        filled += 1
        stands = record.standing_nano == record.quantity_nano and record.emitted == emitted
        has_window = record.emitted != 0 or record.standing_nano != 0
        if not is_nothing(record) and is_of_kind(kind, record) and (stands or not has_window):
            fit |= 1 << at
            step_nano = gcd(step_nano, record.quantity_nano) if step_nano != 1 else 1
            least, most = min(least, record.quantity_nano), max(most, record.quantity_nano)
        else:
            odd += 1
    if filled == 0:
        return NO_RECORDS
    planes = _planes(step_nano, least, most)
    if planes == 0 or odd > most_odd(ring):
        return TOO_VARIED
    if not has_narrow(rings.pools, planes, odd):
        return NO_ROOM
    number = new(rings, planes)
    page = rings.narrow[number]
    page.step_nano = step_nano
    page.is_signed = least < 0
    page.emitted = emitted
    if common >= 0:
        write_kind(page, kind)
    for at in range(size):
        record = rings.wide[first + at]
        if fit >> at & 1:
            cell = offset(page)
            if step_nano:
                cell += record.quantity_nano // step_nano
            write_cell(rings, page, at, cell)
            if record.emitted:
                page.stands = int64(page.stands) | 1 << at
        elif not is_clear(record):
            add_odd(rings, page, at, of_record(record), (record.standing_nano, record.emitted))
        clear(record)
    page.held = fit
    return number


@compiled_inside
def unpack(rings: Rings, ring: Ring, number: int, first: int) -> None:
    """Write a narrow page as the records of a wide one, which is clear."""
    page = rings.narrow[number]
    held, stands = int64(page.held), int64(page.stands)
    for at in range(1 << ring.shift):
        record = rings.wide[first + at]
        if held >> at & 1:
            record.quantity_nano = quantity(rings, page, at)
            write_kind(record, page)
        if stands >> at & 1:
            record.standing_nano = record.quantity_nano
            record.emitted = page.emitted
        if int64(page.odd) >> at & 1:
            apart = rings.odd[odd_at(rings, page, at)]
            write(record, apart)
            record.standing_nano = apart.standing_nano
            record.emitted = apart.emitted


@compiled_inside
def _most_common_kind(rings: Rings, first: int, size: int) -> int:
    """Where a slot stands of the kind that more than half of them are of, if there is such; -1: they are all empty."""
    common, lead = NIL - 1, NIL
    for at in range(first, first + size):
        if is_nothing(rings.wide[at]):
            continue
        if lead == 0:
            common = at
        lead += 1 if is_of_kind(rings.wide[common], rings.wide[at]) else -1
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


@compiled_inside
def _planes(step_nano: int, least: int, most: int) -> int:
    """How many planes hold what lies between two quantities; 0: more than there may be."""
    if step_nano:
        least, most = least // step_nano, most // step_nano
    for planes in range(1, MOST_PLANES + 1):
        moved_by = 1 << 16 * planes - 1 if least < 0 else 0
        if least + moved_by >= 0 and most + moved_by < 1 << 16 * planes:
            return planes
    return 0
