"""What heartbeats and gates close: W rises though nothing arrives (`_heartbeat` and `_gate` of state/fold.py)."""

from state.columnar.hardening import follow, rise
from state.columnar.intervals import CRAMPED, DONE, FULL
from state.columnar.layout import BY_GATE, ONE, Emitted, Ints, Unit, World
from state.columnar.rooms import has_pages, has_room
from state.compiling import compiled


@compiled
def close(
    world: World, numbers: Ints, first: int, until_ms: int, record: int, cause: int, out: Emitted
) -> tuple[int, int]:
    """Let channels follow the heartbeat that has just been noted for them, or harden them up to a gate, from the one at a position on;
    returns (how that ended, position reached). `until_ms`: of a gate."""
    for at in range(first, len(numbers)):
        channel = world.channels[numbers[at]]
        end_ms = until_ms if cause == BY_GATE else channel.latest_end_ms
        if not has_room(channel, end_ms, ONE, out):
            return FULL, at
        if not has_pages(world.rings.pools, channel, end_ms, ONE):
            return CRAMPED, at
        if cause == BY_GATE:
            rise(world, numbers[at], until_ms, Unit(record, 0, cause), out)
        else:
            follow(world, numbers[at], Unit(record, 0, cause), out)
    return DONE, len(numbers)
