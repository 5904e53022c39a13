"""What is wrong with a portfolio, as a value: the place, the fault and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

CODES: Final[dict[str, str]] = {
    "syntax": "the text is not YAML that this loader reads",
    "duplicate_key": "a key or an id stands twice in one mapping",
    "unknown_key": "a key that means nothing there",
    "personal_data": "a name, an address or the like where only a party id may stand",
    "missing_key": "a key that has no default is not given",
    "wrong_shape": "a text where a mapping or a list belongs, or the other way round",
    "bad_value": "a value that cannot be read, or is out of its range",
    "unknown_reference": "an id or a name that the file does not define",
    "unknown_unit": "a unit that is not on the list",
    "unknown_time_zone": "a time zone that is not in the time-zone database",
    "nonexistent_time": "a local time that the clock skipped",
    "ambiguous_time": "a local time that the clock showed twice",
    "out_of_calendar": "an instant outside the years that the site's calendar is written out for",
    "grid_misfit": "an interval length whose slots cannot begin at every local midnight",
    "grid_not_multiple": "a billing grid that is not a whole number of intervals",
    "empty_span": "an end that is not after its beginning",
    "overlapping_assignments": "a device that serves two supply points at once",
    "two_sites": "a device that is assigned to supply points of different sites",
    "register_overlap": "a register that feeds two channels at once, or one twice",
    "register_outside_assignment": "a register span outside every assignment of its device",
    "role_mismatch": "a register role that does not go with its channel's kind, or a key that the role does not use",
    "count_not_exact": "a count that is not a whole number of 10⁻⁹ of the unit",
    "two_feeds": "a channel that two registers feed at the same time",
    "duplicate_id": "two tenancies with one id",
    "overlapping_tenancies": "a supply point that two accounts occupy at the same time",
    "legal_entity_mismatch": "an account of one legal entity at a supply point of another",
    "currency_mismatch": "a tariff or an account in another currency than its legal entity's",
    "version_overlap": "tariff versions that are in effect at the same time, or out of order",
    "version_gap": "a day that a tariff must price and no version of it is in effect",
    "unpriced": "minutes of the year that no band of a channel prices",
    "unused_band": "a band that is never reached, because those above it match first",
    "band_name_reused": "two bands, or tiers, of one name in a channel or charge",
    "band_off_grid": "a band, or a `when`, that begins or ends inside an interval of the billing grid",
    "tiers_out_of_order": "tiers whose bounds do not rise, or that do not end in one, and only one, without a bound",
    "charge_order": "an `of` or `on` that names what is computed later, or itself",
    "tax_repeated": "a tax that stands twice with one rate, or taxes one charge at two rates",
    "needs_intervals": "a demand without intervals within the day, or `net: interval` of channels whose intervals differ",
    "unit_not_convertible": "a unit that a channel's unit cannot be converted to, or held against",
    "ended_but_used": "something ended or withdrawn that another object still uses",
    "missing": "in force, but not in the file",
    "not_in_force": "ended or withdrawn, but never loaded",
    "fixed": "a change to what can never change",
    "change_control": "a tariff whose prices change by editions alone, and are others in the file",
    "reserved_id": "a tariff whose id ends like that of an edition",
}
"""Every kind of problem.

`missing`, `not_in_force`, `fixed` and `change_control` need what is in force: they come from `plan`, the others from loading.
"""

Path = tuple[str | int, ...]
"""Where in the file: mapping keys and list positions from the root."""


class Fault(NamedTuple):
    """A problem that does not know its place yet: what is wrong and what to do, each a clause without a full stop."""

    code: str
    wrong: str
    do: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `line` counts from 1; 0 means that it is not in the file. `code` is a key of `CODES`."""

    code: str
    path: str
    line: int
    wrong: str
    do: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.path}: {self.wrong}; {self.do}"
