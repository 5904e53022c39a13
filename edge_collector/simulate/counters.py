"""What the counters of one meter show over time, through exchanges, resets and power cuts: totals as pieces of a load."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from edge_collector.simulate.tenants import Load


@dataclass(frozen=True, slots=True)
class _Piece:
    """From `from_ms` on a meter with this serial number counts (or rests), beginning at these totals."""

    from_ms: int
    serial: str
    installed_ms: int
    is_counting: bool
    at_start_micro: Mapping[str, int]


class Counters:
    """Totals in 10⁻⁶ of their units, by register. Changes are told in order of time, and may be told late."""

    def __init__(self, loads: Mapping[str, Load], from_ms: int, serial: str, start_micro: Mapping[str, int]) -> None:
        self._loads = loads
        starts = {name: start_micro.get(name, 0) for name in loads}
        self._pieces = [_Piece(from_ms, serial, from_ms, True, starts)]

    def total_micro(self, register: str, at_ms: int) -> int:
        piece = self._piece_at(at_ms)
        start = piece.at_start_micro[register]
        if not piece.is_counting or at_ms < piece.from_ms:
            return start
        load = self._loads[register]
        return start + load.total_micro(at_ms) - load.total_micro(piece.from_ms)

    def is_counting(self, at_ms: int) -> bool:
        return self._piece_at(at_ms).is_counting

    def serial(self, at_ms: int) -> str:
        return self._piece_at(at_ms).serial

    def installed_ms(self, at_ms: int) -> int:
        """Since when the meter that is there at `at_ms` has been there."""
        return self._piece_at(at_ms).installed_ms

    def swap(self, at_ms: int, serial: str, start_micro: Mapping[str, int]) -> None:
        """Another meter, which begins at these totals; zero where none is given."""
        starts = {name: start_micro.get(name, 0) for name in self._loads}
        self._add(_Piece(at_ms, serial, at_ms, True, starts))

    def put(self, at_ms: int, totals_micro: Mapping[str, int]) -> None:
        """The same meter goes on from these totals; the registers not given go on as they were."""
        before = self._piece_at(at_ms)
        starts = self._totals(at_ms) | dict(totals_micro)
        self._add(_Piece(at_ms, before.serial, before.installed_ms, before.is_counting, starts))

    def cut_power(self, from_ms: int, until_ms: int) -> None:
        """What is used in between is not metered; the totals are kept."""
        before, starts = self._piece_at(from_ms), self._totals(from_ms)
        self._add(_Piece(from_ms, before.serial, before.installed_ms, False, starts))
        self._add(_Piece(until_ms, before.serial, before.installed_ms, True, starts))

    def _totals(self, at_ms: int) -> dict[str, int]:
        return {name: self.total_micro(name, at_ms) for name in self._loads}

    def _piece_at(self, at_ms: int) -> _Piece:
        return self._pieces[max(0, bisect_right(self._pieces, at_ms, key=lambda piece: piece.from_ms) - 1)]

    def _add(self, piece: _Piece) -> None:
        if piece.from_ms < self._pieces[-1].from_ms:
            raise ValueError("changes are told in order of time")
        self._pieces.append(piece)
