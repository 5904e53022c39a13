"""state/calendar.py: a site's local time, from arrays."""

from state.calendar import SATURDAY, SUNDAY, WEEKDAY
from state.codes import DAY_MS
from state.columnar.layout import Row, World
from state.compiling import compiled_inside

NO_INSTANT = -(1 << 62)
_THURSDAY = 3  # the weekday of the epoch, Monday = 0


@compiled_inside
def offset_ms(world: World, calendar: Row, instant_ms: int) -> int:
    """Local time minus UTC at an instant."""
    low, high = calendar.clock_at, calendar.clock_at + calendar.clock_number
    while high - low > 1:
        middle = (low + high) // 2
        if world.clocks[middle].from_ms <= instant_ms:
            low = middle
        else:
            high = middle
    return world.clocks[low].offset_ms


@compiled_inside
def local_day(world: World, calendar: Row, instant_ms: int) -> int:
    """Days since 1970-01-01 of the local date."""
    return (instant_ms + offset_ms(world, calendar, instant_ms)) // DAY_MS


@compiled_inside
def day_type(world: World, calendar: Row, day: int) -> int:
    """WEEKDAY, SATURDAY or SUNDAY; a holiday counts as a Sunday."""
    for at in range(calendar.holidays_at, calendar.holidays_at + calendar.holidays_number):
        if world.holidays[at] == day:
            return SUNDAY
    weekday = (day + _THURSDAY) % 7
    return SATURDAY if weekday == 5 else SUNDAY if weekday == 6 else WEEKDAY


@compiled_inside
def same_wall_time(world: World, calendar: Row, instant_ms: int, days_back: int) -> int:
    """The instant that the wall clock showed the same time `days_back` days earlier; NO_INSTANT if it never did."""
    offset = offset_ms(world, calendar, instant_ms)
    local_ms = instant_ms + offset - days_back * DAY_MS
    found = local_ms - offset
    other = offset_ms(world, calendar, found)
    if other == offset:
        return found
    found = local_ms - other
    return found if offset_ms(world, calendar, found) == other else NO_INSTANT
