"""Conservation: what was hardened plus every delta is what stands now, and what stands now follows from what is known."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from tests.simulation.oracle.model import LIMIT, Channel, Key, SupplyPoint, worst
from tests.simulation.oracle.registers import derive, evaluate, spans_of
from tests.simulation.oracle.settle import expected_slots, is_hardened_span, remembered_windows, summarise

if TYPE_CHECKING:
    from tests.simulation.oracle.fold import Oracle

Row = dict[str, Any]
WindowKey = tuple[str, str, int, int]


class UnableToBalance(AssertionError):
    """A window does not add up."""


def require(condition: bool, *what: object) -> None:
    if not condition:
        raise UnableToBalance(*what)


def check_conservation(oracle: Oracle) -> None:
    """Raise UnableToBalance if a window's determinant and deltas are not what stands, or what stands does not follow."""
    balance = balances(oracle.rows["determinants"], oracle.rows["adjustments"])
    for point in oracle.points.values():
        for channel in point.channels.values():
            _check_standing(oracle, channel, balance)
            if channel.is_spans:
                _check_spans(point, channel)
            else:
                _check_slots(point, channel)


def balances(determinants: list[Row], adjustments: list[Row]) -> dict[WindowKey, tuple[int, int]]:
    """Quantity and revision of every window from its rows alone, each row in its turn."""
    balance: dict[WindowKey, tuple[int, int]] = {}
    for row in determinants:
        require(_key(row) not in balance, "two determinants", row)
        require(abs(row["quantity_nano"]) < LIMIT, "out of its bound", row)
        balance[_key(row)] = (row["quantity_nano"], 0)
    for row in adjustments:
        quantity, revision = balance[_key(row)]
        require(row["old_nano"] == quantity and row["corrects_revision"] == revision, "not what was in force", row)
        require(row["delta_nano"] == row["new_nano"] - row["old_nano"] != 0, "not the difference", row)
        require(row["revision"] == revision + 1, "revisions are not consecutive", row)
        balance[_key(row)] = (quantity + row["delta_nano"], row["revision"])
    return balance


def _key(row: Row) -> WindowKey:
    return (row["supply_point"], row["channel"], row["start_ms"], row["end_ms"])


def _check_standing(oracle: Oracle, channel: Channel, balance: dict[WindowKey, tuple[int, int]]) -> None:
    """determinant + sum of deltas = current, of every window ever said."""
    current = oracle.current(channel.supply_point, channel.name)
    mine = {key[2:]: said for key, said in balance.items() if key[:2] == (channel.supply_point, channel.name)}
    require(mine == {key: said[:2] for key, said in current.items()}, "rows and memory differ", channel.name)


def _check_slots(point: SupplyPoint, channel: Channel) -> None:
    """Every remembered window is the sum of its slots, and every derived slot follows from the stored reads."""
    for window in remembered_windows(channel):
        slots = expected_slots(channel, window)
        require(all(slot in channel.values for slot in slots), "a hardened slot without a value", channel.name, window)
        if not slots and window not in channel.standing:
            continue
        summary = summarise([channel.values[slot] for slot in slots])
        require(channel.standing[window].summary.quantity == summary.quantity, "stale", channel.name, window)
    fresh = _evaluated_anew(point)
    for slot, value in channel.values.items():
        if channel.expects(slot) and channel.covering(slot).role == "totals":
            require(derive(fresh, channel, slot) == channel.evidence(slot), "underived", channel.name, slot, value)


def _check_spans(point: SupplyPoint, channel: Channel) -> None:
    """The spans that exist are the segments of the stored reads, and the hardened ones are as said."""
    spans: dict[Key, tuple[int, str]] = {}
    for stream in _evaluated_anew(point).streams_of(channel, "spans"):
        spans |= {(s.start, s.end): (s.total, worst(list(s.qualities))) for s in stream.segments}
    live = {key: (value.quantity, value.quality) for key, value in channel.live.items()}
    require(spans == live, "spans are not the segments", channel.name)
    for key in live:
        if is_hardened_span(channel, key):
            require(channel.standing[key].summary.quantity == live[key][0], "stale", channel.name, key)


def _evaluated_anew(point: SupplyPoint) -> SupplyPoint:
    """The supply point with every chain evaluated from its first stored read."""
    fresh = copy(point)
    fresh.streams = {key: copy(stream) for key, stream in point.streams.items()}
    for (device, register), stream in fresh.streams.items():
        kept, stream.links, stream.reconciled = stream.links, {}, set()
        evaluate(stream, spans_of(point, device, register))
        good = {at: link.is_good for at, link in stream.links.items()}
        require(good == {at: link.is_good for at, link in kept.items()}, "the chain is not what its reads say")
    return fresh
