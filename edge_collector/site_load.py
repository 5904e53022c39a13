"""A site from `site.toml`, with everything that is wrong in it said at once: the place, what is wrong, and what to do."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

from edge_collector.link import Timing
from edge_collector.plan import UnableToPlan, plan
from edge_collector.profile import IdentityRole, Profile
from edge_collector.profile_load import UnableToLoadProfile, load_profile
from edge_collector.profile_rules import Fault
from edge_collector.reading import Priority
from edge_collector.schedule import LONGEST_INTERVAL_S, SHORTEST_INTERVAL_S
from edge_collector.site import (
    INTERVAL_S,
    MAX_AGE_DAYS,
    MAX_OUTBOX_BYTES,
    TOLERANCE_S,
    LinkSite,
    OutboxSite,
    Pace,
    PublishKind,
    PublishSite,
    Site,
    UnitSite,
)
from edge_collector.site_table import SiteTable
from edge_collector.site_transport import TRANSPORT_KEYS, transport_of

_DAY_S: Final = 86_400
_NAMES_OF_EXCHANGED: Final = "@/"
_UNIT_KEYS: Final = ("device", "unit", "profile", "registers", "serial", "telemetry", "block")


class UnableToLoadSite(Exception):
    """The file is no valid site. `problems` says all that is wrong, each with file, place and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_site(path: Path) -> Site:
    """The site in a file; relative paths in it start at its directory. Raises `UnableToLoadSite`."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise UnableToLoadSite([f"{path}: cannot be read ({why}); name a UTF-8 text file"]) from None
    return read_site(text, path.parent, path.name)


def read_site(text: str, directory: Path, file: str = "site.toml") -> Site:
    """The site in a TOML text; `file` stands in what is said of it. Raises `UnableToLoadSite`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as why:
        raise UnableToLoadSite([f"{file}: not TOML ({why}); mend the syntax"]) from None
    faults: list[Fault] = []
    site = _site(SiteTable(document, "", faults), directory)
    _note_repeated(site, faults)
    if faults:
        raise UnableToLoadSite([f"{file}: {fault}" for fault in faults])
    return site


def _site(table: SiteTable, directory: Path) -> Site:
    """What can be made of the file; what has faults is left out, so that the rest can be looked at too."""
    table.allow(
        "collector", "interval_s", "tolerance_s", "telemetry_s", "metrics_port", "outbox", "publish", "links"
    )  # fmt: skip
    links = [_link(entry, directory) for entry in table.sections("links")]
    if not links and not table.has("links"):
        table.fault("links", "is missing", "add a [[links]] for each line to meters")
    return Site(
        collector=_plain(table, "collector") or "",
        pace=_pace(table),
        outbox=_outbox(table.section("outbox"), directory),
        publish=_publish(table.section("publish"), directory),
        links=tuple(link for link in links if link),
        metrics_port=table.integer("metrics_port", 1, 65535, None),
    )


def _pace(table: SiteTable) -> Pace:
    interval_s = table.number("interval_s", SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S, INTERVAL_S)
    telemetry_s = table.number("telemetry_s", 10, LONGEST_INTERVAL_S, interval_s)
    tolerance_s = table.number("tolerance_s", 1, LONGEST_INTERVAL_S, min(TOLERANCE_S, interval_s - 1))
    for key, span_s in (("interval_s", interval_s), ("telemetry_s", telemetry_s)):
        if _DAY_S % span_s:
            table.fault(key, f"{span_s} does not divide a day", "write one that does, like 300, 900, 1800 or 3600")
    if tolerance_s >= interval_s:
        table.fault("tolerance_s", f"{tolerance_s} is no less than the interval", f"write less than {interval_s}")
    return Pace(interval_s * 1000, tolerance_s * 1000, telemetry_s * 1000)


def _outbox(table: SiteTable, directory: Path) -> OutboxSite:
    table.allow("path", "max_bytes", "max_age_days")
    return OutboxSite(
        directory / (table.name("path") or "outbox.db"),
        table.number("max_bytes", 1 << 20, 1 << 40, MAX_OUTBOX_BYTES),
        table.number("max_age_days", 1, 3660, MAX_AGE_DAYS),
    )


def _publish(table: SiteTable, directory: Path) -> PublishSite:
    table.allow("kind", "data", "bootstrap_servers", "options")
    kind = table.choice("kind", PublishKind) or PublishKind.FILE_LOG
    options = table.texts("options") if table.has("options") else {}
    needed, foreign = ("data", "bootstrap_servers") if kind is PublishKind.FILE_LOG else ("bootstrap_servers", "data")
    if table.has(foreign):
        table.fault(foreign, f"does not go with kind {kind}", "take it out")
    value = table.text(needed) if table.has("kind") else None
    if kind is PublishKind.FILE_LOG:
        return PublishSite(kind, data=directory / value if value else None)
    return PublishSite(kind, bootstrap_servers=value, options=options)


def _link(table: SiteTable, directory: Path) -> LinkSite | None:
    table.allow("name", "timeout_ms", "quiet_ms", "units", *TRANSPORT_KEYS)
    name = _plain(table, "name")
    transport = transport_of(table, directory)
    timing = Timing(table.number("timeout_ms", 10, 60_000, 1000), table.number("quiet_ms", 10, 60_000, 200))
    units = [_unit(entry, directory) for entry in table.sections("units")]
    if not table.has("units"):
        table.fault("units", "is missing", "add a [[links.units]] for each meter on the line")
    if name is None or transport is None:
        return None
    return LinkSite(name, transport, timing, tuple(unit for unit in units if unit))


def _unit(table: SiteTable, directory: Path) -> UnitSite | None:
    table.allow(*_UNIT_KEYS)
    device, unit = _plain(table, "device"), table.integer("unit", 0, 255)
    serial, telemetry = table.name("serial"), table.switch("telemetry", True)
    name = table.text("profile")
    whole = _profile(table, name, directory) if name else None
    if whole is None:
        return None
    if serial and whole.identity_of(IdentityRole.SERIAL) is None:
        table.fault("serial", f"{whole.name} tells no serial number to compare it with", "take it out")
    profile = _narrowed(table, whole, telemetry)
    try:
        planned = plan(profile)
    except UnableToPlan as why:
        table.fault("registers", str(why), "bill fewer registers, or correct the profile's limits")
        return None
    if device is None or unit is None or name is None:
        return None
    return UnitSite(device, unit, profile, planned, serial, name)


def _profile(table: SiteTable, name: str, directory: Path) -> Profile | None:
    try:
        profile = load_profile(directory / name if name.endswith(".toml") else name)
    except UnableToLoadProfile as why:
        for problem in why.problems:
            wrong, _, do = problem.partition("; ")
            table.fault("profile", wrong, do or "correct it")
        return None
    try:
        return profile.at_index(table.integer("block", 0, 65535, None))
    except ValueError as why:
        wrong, _, do = str(why).partition("; ")
        table.fault("block", wrong, do or "correct it")
        return None


def _narrowed(table: SiteTable, profile: Profile, telemetry: bool) -> Profile:
    """The profile with what the site wants of it: the registers to bill, and measurements if it wants them."""
    known = {spec.name for spec in profile.registers}
    named = table.names("registers")
    for name in named:
        if name not in known:
            table.fault("registers", f"{profile.name} has no {name}", f"write some of {', '.join(sorted(known))}")
    billed = set(named) or {spec.name for spec in profile.billing}
    return replace(
        profile,
        registers=tuple(
            replace(spec, priority=Priority.BILLING if spec.name in billed else Priority.TELEMETRY)
            for spec in profile.registers
            if spec.name in billed or (telemetry and spec.priority is Priority.TELEMETRY)
        ),
    )


def _plain(table: SiteTable, key: str) -> str | None:
    """A name that records carry."""
    name = table.text(key)
    if name and any(character in _NAMES_OF_EXCHANGED for character in name):
        table.fault(key, f"{name!r} holds @ or /, by which exchanged meters are named", "leave them out")
    return name


def _note_repeated(site: Site, faults: list[Fault]) -> None:
    """Names and addresses that must be there once."""

    def note(place: str, names: list[str], do: str) -> None:
        faults.extend(
            Fault(place, f"{name} is there {times} times", do) for name, times in Counter(names).items() if times > 1
        )

    note("links.name", [link.name for link in site.links], "give each link a name of its own")
    note("links.units.device", [unit.device for _, unit in site.units()], "give each meter a name of its own")
    note(
        "links",
        [str(link.transport) for link in site.links],
        "put all units of a line under one link: it has one request in flight",
    )
    for link in site.links:
        asked = [f"unit {unit.unit}, {unit.plan.billing[0].span}" for unit in link.units if unit.plan.billing]
        note(f"links.{link.name}.units", asked, "give each meter a unit id or a block of its own")
