"""A portfolio against what is in force: what would change, what may not, and the records that carry it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from meterfold.portfolio.change_control import under_control
from meterfold.portfolio.difference import FieldChange, differences
from meterfold.portfolio.feeds import clashes, feeds_of_body
from meterfold.portfolio.fixed import fixed_problems
from meterfold.portfolio.in_force import InForce, latest, raw_versions, wanted
from meterfold.portfolio.model import Key, Portfolio
from meterfold.portfolio.problem import Problem
from meterfold.portfolio.records import (
    KIND_ORDER,
    Body,
    assignment_record,
    configuration_record,
)
from meterfold.portfolio.sequence import Step, exchanged, sequence
from meterfold.portfolio.shape import KINDS
from meterfold.portfolio.touches import Touch, touches


class UnableToLoad(RuntimeError):
    """Records were asked of a plan that is refused."""


@dataclass(frozen=True, slots=True)
class Change:
    """An object that gets a new version, and what is different (nothing for a new object)."""

    kind: str
    id: str
    version: int
    body: Body
    ended: Body | None
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a load would do. With `problems` it may not be done: the plan is refused whole."""

    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Key, ...]
    missing: tuple[Key, ...]
    problems: tuple[Problem, ...]
    touches: tuple[Touch, ...]
    waves: tuple[tuple[Step, ...], ...]
    sites: Mapping[str, Body]
    exchanged: frozenset[str]

    @property
    def is_empty(self) -> bool:
        """Nothing to append."""
        return not (self.added or self.changed)

    def reference_records(self) -> list[Body]:
        """`reference` records for the billing log, in the order in which to append them. Raises `UnableToLoad` with `problems`."""
        self._refuse()
        changes = sorted((*self.added, *self.changed), key=lambda item: (KIND_ORDER.index(item.kind), item.id))
        return [
            {
                "v": 1,
                "type": "reference",
                "kind": item.kind,
                "id": item.id,
                "version": item.version,
                "body": item.body,
                "ended": item.ended,
            }
            for item in changes
        ]

    def raw_batches(self) -> list[list[Body]]:
        """`assignment` and `configuration` records for `reads.raw`, in batches: each must be flushed before the next is appended.

        Append them before the reference records. Raises as above.
        """
        self._refuse()
        return [[record for step in wave for record in self._records(step)] for wave in self.waves]

    def raw_records(self) -> list[Body]:
        """All of `raw_batches` in order."""
        return [record for batch in self.raw_batches() for record in batch]

    def _records(self, step: Step) -> Iterator[Body]:
        reason = "METER_EXCHANGED" if step.device in self.exchanged else None
        if step.before is None or step.before["assignments"] != step.after["assignments"]:
            yield assignment_record(step.device, step.version, step.after, reason)
        yield configuration_record(step.device, step.version, step.after, self.sites[step.after["site"]], reason)

    def lines(self) -> list[str]:
        """The plan for people: `+` new, `~` changed with its fields, `=` the rest, `!` problems."""
        shown = [f"+ {item.kind} {item.id}" for item in self.added]
        for item in self.changed:
            shown.append(f"~ {item.kind} {item.id}")
            shown.extend(f"    {field}" for field in item.fields)
        shown.append(f"= {len(self.unchanged)} unchanged")
        shown.extend(f"! {problem}" for problem in self.problems)
        return shown

    def _refuse(self) -> None:
        if self.problems:
            raise UnableToLoad(f"{len(self.problems)} problems: {self.problems[0]}")


def plan(portfolio: Portfolio, in_force: Iterable[Mapping[str, Any]]) -> Plan:
    """What loading the portfolio would change.

    `in_force`: the `reference` and `tariff_change` records of the billing log, the latter in its order; others are passed over. The latest
    reference of each object is enough, but only the whole history shows that a channel was fed once. Raw `assignment` and `configuration`
    records may be among them: they show a load that was cut off between the two logs.
    """
    listed = list(in_force)
    records = [record for record in listed if record.get("type") == "reference"]
    old, raw = latest(records), raw_versions(listed)
    problems: list[Problem] = []
    new = wanted(portfolio, old, problems)
    under_control(portfolio, old, new, listed, problems)
    was = {key: item.body for key, item in old.items() if not item.withdrawn}
    now = was | {key: body for key, (body, _) in new.items()}
    missing = tuple(key for key in sorted(old) if key not in new and old[key].ended is None)
    problems += [*map(_missing, missing), *fixed_problems(portfolio, was, now, records), *_clashes(portfolio, now)]
    fields = {key: _fields(key, old[key], *item) + _ahead(key, old, raw) for key, item in new.items() if key in old}
    stirred = [key for key in new if key not in old or fields[key]]
    nothing: Restatement = ((), frozenset())
    waves, swapped = nothing if problems else _restatement(old, {key: new[key][0] for key in stirred}, raw)
    versions = {key: old[key].version + 1 if key in old else 1 for key in stirred}
    versions |= {("device", step.device): step.version for wave in waves for step in wave}
    changes = [Change(*key, versions[key], *new[key], fields.get(key, ())) for key in stirred]
    withdrawn = {key for key, (_, ended) in new.items() if ended and ended.get("withdrawn")}
    return Plan(
        added=tuple(change for change in changes if not change.fields),
        changed=tuple(change for change in changes if change.fields),
        unchanged=tuple(key for key in new if key not in stirred),
        missing=missing,
        problems=tuple(problems),
        touches=tuple(touches(was, {key: body for key, body in now.items() if key not in withdrawn})),
        waves=waves,
        sites={id_: body for (kind, id_), body in now.items() if kind == "site"},
        exchanged=swapped,
    )


Restatement = tuple[tuple[tuple[Step, ...], ...], frozenset[str]]
"""How the devices get from what is in force to what is wanted, and which of them take part in a meter exchange."""


def _restatement(old: Mapping[Key, InForce], stirred: Mapping[Key, Body], raw: Mapping[str, int]) -> Restatement:
    devices = {id_: item for (kind, id_), item in old.items() if kind == "device"}
    was = {id_: item.body for id_, item in devices.items()}
    becomes = {id_: body for (kind, id_), body in stirred.items() if kind == "device"}
    last = {id_: item.version for id_, item in devices.items()}
    waves = sequence(was, becomes, {id_: max(last.get(id_, 0), raw.get(id_, 0)) for id_ in {**last, **raw}})
    unknown = {id_ for id_, version in raw.items() if version > last.get(id_, 0)}
    known = ((replace(step, before=None) if step.device in unknown else step for step in wave) for wave in waves)
    return tuple(map(tuple, known)), frozenset(exchanged(was, becomes))


def _ahead(key: Key, old: Mapping[Key, InForce], raw: Mapping[str, int]) -> tuple[FieldChange, ...]:
    """A device whose raw records went out in a load that was cut off before its reference record did."""
    if key[0] != "device" or raw.get(key[1], 0) <= old[key].version:
        return ()
    return (FieldChange("raw version", old[key].version, raw[key[1]]),)


def _missing(key: Key) -> Problem:
    section = next(name for name, kind in KINDS.items() if kind == key[0])
    entry = f"- id: {key[1]}" if section == "tenancies" else f"{key[1]}:"
    do = f"put it back, or write under {section} `{entry}` with `ended: {{at: …, reason: …}}` or `withdrawn: {{reason: …}}`"
    return Problem("missing", f"{section}.{key[1]}", 0, "is in force, but not in the file", do)


def _clashes(portfolio: Portfolio, state: Mapping[Key, Body]) -> list[Problem]:
    """Channels that a device of the file would feed while one that ended earlier, and is no longer in the file, still did."""
    devices = [(id_, body) for (kind, id_), body in state.items() if kind == "device"]
    problems = []
    for one, other, _ in clashes(feed for id_, body in devices for feed in feeds_of_body(id_, body)):
        listed = [feed for feed in (one, other) if feed.device in portfolio.devices]
        if len(listed) == 1:
            gone = other if listed[0] is one else one
            path = (*portfolio.paths["device", listed[0].device], "registers", listed[0].register)
            wrong = (
                f"{gone.device}, which is no longer in the file, fed {gone.supply_point}/{gone.channel} at that time"
            )
            problems.append(portfolio.document.problem("two_feeds", path, wrong, "begin where the other ended"))
    return problems


def _fields(key: Key, was: InForce, body: Body, ended: Body | None) -> tuple[FieldChange, ...]:
    """What is different. A newer time-zone database that gives the same offsets is no difference."""
    before = {**was.body, "tzdata": body.get("tzdata")} if key[0] == "site" else was.body
    found = differences(before, body)
    if was.ended != ended:
        found.append(FieldChange("ended", was.ended, ended))
    return tuple(found)
