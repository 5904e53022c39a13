"""What heartbeats and gates close: W rises though nothing arrives (`_heartbeat` and `_gate` of state/fold.py)."""

from state.columnar.hardening import follow, rise
from state.columnar.intervals import CRAMPED, DONE, FULL
from state.columnar.layout import BY_GATE, BY_HEARTBEAT, ONE, Emitted, Ints, Unit, World
from state.columnar.rooms import has_pages, has_room
from state.compiling import compiled


@compiled
def follow_heartbeat(world: World, number: int, record: int, out: Emitted) -> int:
    """Let a channel follow the heartbeat that has just been noted for it; returns how that ended."""
    if not has_room(world.channels[number], world.channels[number].latest_end_ms, ONE, out):
        return FULL
    if not has_pages(world.rings.pools, world.channels[number], world.channels[number].latest_end_ms, ONE):
        return CRAMPED
    follow(world, number, Unit(record, 0, BY_HEARTBEAT), out)
    return DONE


@compiled
def rise_to_gate(world: World, numbers: Ints, first: int, until_ms: int, record: int, out: Emitted) -> tuple[int, int]:
    """Harden channels up to a gate, from the one at a position on; returns (how that ended, position reached)."""
    for at in range(first, len(numbers)):
        if not has_room(world.channels[numbers[at]], until_ms, ONE, out):
            return FULL, at
        if not has_pages(world.rings.pools, world.channels[numbers[at]], until_ms, ONE):
            return CRAMPED, at
        rise(world, numbers[at], until_ms, Unit(record, 0, BY_GATE), out)
    return DONE, len(numbers)
