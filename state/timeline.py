"""A device's place in the world: which supply point it serves when, and what each of them sees of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from state.calendar import Calendar
from state.codes import DAY_MS
from state.configuration import FOREVER
from state.grid import LOCAL_DAY


class Service(NamedTuple):
    """[from_ms, to_ms) for which a device serves a supply point."""

    from_ms: int
    to_ms: int
    supply_point: str


class UnableToAssign(ValueError):
    """The timeline contradicts itself."""


@dataclass(slots=True)
class Device:
    """What ingest knows of one device: its newest assignment and configuration, as received.

    `first_offset`: the raw offset of the first record of the device, from which it is read again; -1 before any.
    `view_version`: how many views of it have been sent, which numbers the curated configurations.
    """

    name: str
    services: list[Service] = field(default_factory=list)
    assignment_version: int = -1
    configuration: Mapping[str, Any] | None = None
    view_version: int = 0
    first_offset: int = -1

    def starts(self, start_ms: int, interval_s: int | str, number: int) -> list[int]:
        """The starts of a list's elements and the end of the last; local days by the calendar of its configuration."""
        if interval_s != LOCAL_DAY:
            return [start_ms + at * int(interval_s) * 1000 for at in range(number + 1)]
        if self.configuration is None:
            return [start_ms + at * DAY_MS for at in range(number + 1)]
        calendar = Calendar(self.configuration["calendar"])
        first = calendar.local_day(start_ms)
        return [start_ms, *(calendar.midnight_ms(first + at) for at in range(1, number + 1))]

    def supply_points(self) -> list[str]:
        """The supply points it ever served, sorted."""
        return sorted({service.supply_point for service in self.services})

    def serving(self, instant_ms: int) -> str | None:
        """The supply point served at an instant."""
        return next((s.supply_point for s in self.services if s.from_ms <= instant_ms < s.to_ms), None)

    def serving_until(self, instant_ms: int) -> tuple[str | None, int]:
        """The supply point served at an instant, and when that ends."""
        for service in self.services:
            if service.from_ms <= instant_ms < service.to_ms:
                return service.supply_point, service.to_ms
        return None, min((s.from_ms for s in self.services if s.from_ms > instant_ms), default=FOREVER)

    def touching(self, instant_ms: int) -> list[str]:
        """The supply points a register read at an instant speaks for: two where the device moves at that instant."""
        found: list[str] = []
        for service in self.services:
            if service.from_ms <= instant_ms <= service.to_ms and service.supply_point not in found:
                found.append(service.supply_point)
        return found

    def view(self, supply_point: str) -> dict[str, Any]:
        """The body of the curated configuration: registers cut to the supply point's service."""
        configuration = self.configuration or {"registers": [], "channels": [], "calendar": None}
        registers = [
            {**span, "from_ms": low, "to_ms": None if high == FOREVER else high}
            for span in configuration["registers"]
            if span.get("supply_point") in (None, supply_point)
            for low, high in self._cut(supply_point, span)
        ]
        fed = {span["channel"] for span in registers}
        channels = [
            channel
            for channel in configuration["channels"]
            if channel["channel"] in fed and channel.get("supply_point") in (None, supply_point)
        ]
        return {"registers": registers, "channels": channels, "calendar": configuration["calendar"]}

    def coverage(self, supply_point: str) -> list[tuple[str, int, int]]:
        """(register, from, to) that the supply point sees, sorted."""
        return sorted(
            (span["register"], span["from_ms"], FOREVER if span["to_ms"] is None else span["to_ms"])
            for span in self.view(supply_point)["registers"]
        )

    def _cut(self, supply_point: str, span: Mapping[str, Any]) -> Iterable[tuple[int, int]]:
        to_ms = FOREVER if span.get("to_ms") is None else span["to_ms"]
        for service in self.services:
            low, high = max(service.from_ms, span["from_ms"]), min(service.to_ms, to_ms)
            if service.supply_point == supply_point and low < high:
                yield low, high


def read_services(spans: Iterable[Mapping[str, Any]]) -> list[Service]:
    """The services of an `assignment` record, in time order; `UnableToAssign` if two overlap or one is empty."""
    found = sorted(
        Service(span["from_ms"], FOREVER if span["to_ms"] is None else span["to_ms"], span["supply_point"])
        for span in spans
    )
    for service in found:
        if service.from_ms >= service.to_ms:
            raise UnableToAssign(f"the span of {service.supply_point} from {service.from_ms} is empty")
    for before, after in pairwise(found):
        if before.to_ms > after.from_ms:
            raise UnableToAssign(f"{before.supply_point} and {after.supply_point} overlap at {after.from_ms}")
    return found


def grown(before: list[tuple[str, int, int]], after: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """The parts of `after` that `before` did not cover, per register."""
    found = []
    for register, low, high in after:
        pieces = [(low, high)]
        for covered, start, end in before:
            if covered == register:
                pieces = [
                    piece
                    for first, last in pieces
                    for piece in ((first, min(last, start)), (max(first, end), last))
                    if piece[0] < piece[1]
                ]
        found += [(register, *piece) for piece in pieces]
    return found
