"""Profiles from TOML files, with everything that is wrong in one said at once.

What a file holds is described in `profiles/README.md`; what makes it a valid profile stands in `profile_rules.py`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from edge_collector.profile import (
    Blocks,
    DataType,
    GoldenFrame,
    IdentityRole,
    IdentitySpec,
    Limits,
    LoadProfileSpec,
    Order,
    Profile,
    RegisterSpec,
    ScaleSpec,
    Span,
    TextEncoding,
)
from edge_collector.profile_rules import Fault, faults_of
from edge_collector.profile_table import Table
from edge_collector.reading import Priority

_REGISTER_KEYS: Final = frozenset(
    "function address type order scale unit resolution priority sentinels scale_register digits".split()
)
_DEFAULTABLE: Final = _REGISTER_KEYS - {"address", "scale_register", "digits"}
_SPECIAL_BITS: Final = {
    "all_ones": lambda bits: (1 << bits) - 1,
    "signed_max": lambda bits: (1 << (bits - 1)) - 1,
    "signed_min": lambda bits: 1 << (bits - 1),
}


class UnableToLoadProfile(Exception):
    """The file is no valid profile. `problems` says all that is wrong, each with file, place and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def builtin_profiles() -> tuple[str, ...]:
    """Names of the profiles that come with the collector, sorted."""
    files = resources.files("edge_collector") / "profiles"
    return tuple(sorted(file.name.removesuffix(".toml") for file in files.iterdir() if file.name.endswith(".toml")))


def load_profile(name_or_path: str | Path) -> Profile:
    """A profile of ours by name, or a file by a path that ends in .toml. Raises UnableToLoadProfile."""
    if str(name_or_path).endswith(".toml"):
        return _load_file(Path(name_or_path))
    return _load_builtin(str(name_or_path))


@cache
def _load_builtin(name: str) -> Profile:
    if name not in builtin_profiles():
        known = ", ".join(builtin_profiles())
        raise UnableToLoadProfile([f"{name}: no profile of that name; use one of {known}, or the path of a .toml file"])
    text = (resources.files("edge_collector") / "profiles" / f"{name}.toml").read_text("utf-8")
    return read_profile(text, name, f"{name}.toml")


def _load_file(path: Path) -> Profile:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UnableToLoadProfile([f"{path}: cannot be read ({problem}); name a UTF-8 text file"]) from None
    return read_profile(text, path.stem, str(path))


def read_profile(text: str, name: str, file: str) -> Profile:
    """The profile in a TOML text; `file` stands in what is said of it. Raises UnableToLoadProfile."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UnableToLoadProfile([f"{file}: not TOML ({problem}); mend the syntax"]) from None
    faults: list[Fault] = []
    profile = _profile(Table(document, "", faults), name)
    faults += faults_of(profile, is_whole=not faults)
    if faults:
        raise UnableToLoadProfile([f"{file}: {fault}" for fault in faults])
    return profile


def _profile(table: Table, name: str) -> Profile:
    """What can be made of the file; the parts with faults are left out, so that the rest can be looked at too."""
    table.allow(
        "title",
        "document",
        "revision",
        "limits",
        "defaults",
        "registers",
        "identity",
        "load_profile",
        "blocks",
        "golden",
    )
    defaults = table.table("defaults", required=False)
    if defaults is not None:
        defaults.allow(*_DEFAULTABLE)
    identity = table.table("identity", required=False)
    load_profile, blocks = table.table("load_profile", required=False), table.table("blocks", required=False)
    if identity is not None:
        identity.allow(*IdentityRole)
    return Profile(
        name=name,
        title=table.text("title") or "",
        document=table.text("document") or "",
        revision=table.text("revision") or "",
        limits=_limits(table.table("limits")),
        registers=tuple(
            spec
            for key, entry in table.tables("registers")
            if (spec := _register(key, entry.falling_back_on(defaults)))
        ),
        identity=tuple(
            found for key, entry in table.tables("identity", required=False) if (found := _identity(key, entry))
        ),
        load_profile=_load_profile(load_profile) if load_profile else None,
        blocks=_blocks(blocks) if blocks else None,
        golden=tuple(frame for entry in table.list_of_tables("golden") if (frame := _golden(entry))),
    )


def _limits(table: Table | None) -> Limits:
    if table is None:
        return Limits()
    table.allow("most_words", "multiple_of", "gap", "readable")
    readable = []
    for entry in table.list_of_tables("readable"):
        entry.allow("function", "first", "last")
        function, first, last = entry.function(), entry.address("first"), entry.address("last")
        if function is not None and first is not None and last is not None:
            readable.append(Span(function, first, last - first + 1))
    return Limits(
        most_words=table.integer("most_words", 1, 125) or 125,
        multiple_of=table.integer("multiple_of", 1, 125, default=1) or 1,
        gap=table.integer("gap", 0, 125) or 0,
        readable=tuple(readable),
    )


def _register(name: str, table: Table) -> RegisterSpec | None:
    table.allow(*_REGISTER_KEYS)
    function, address = table.function(), table.address("address")
    kind, order = table.choice("type", DataType), table.choice("order", Order)
    scale, resolution = table.decimal("scale"), table.decimal("resolution")
    unit, priority = table.text("unit"), table.choice("priority", Priority)
    digits = table.integer("digits", 1, 19, default=None)
    scale_table = table.table("scale_register", required=False)
    scale_register = _scale(scale_table) if scale_table else None
    sentinels = _sentinels(table, kind)
    if None in (function, address, kind, order, scale, resolution, unit, priority):
        return None
    assert function and address is not None and kind and order and scale is not None and resolution is not None
    assert unit is not None and priority
    return RegisterSpec(
        name, function, address, kind, order, scale, unit, resolution, priority, sentinels, scale_register, digits
    )


def _scale(table: Table) -> ScaleSpec | None:
    table.allow("function", "address", "type", "order")
    function, address = table.function(), table.address("address")
    kind, order = table.choice("type", DataType), table.choice("order", Order)
    if function is None or address is None or kind is None or order is None:
        return None
    return ScaleSpec(function, address, kind, order)


def _sentinels(table: Table, kind: DataType | None) -> tuple[int, ...]:
    """Bit patterns, or names of some that suit every width."""
    found = []
    for value in table.values("sentinels"):
        if isinstance(value, str) and value in _SPECIAL_BITS:
            found.append(_SPECIAL_BITS[value](kind.bits) if kind else 0)
        elif isinstance(value, int) and not isinstance(value, bool):
            found.append(value)
        else:
            table.fault(
                "sentinels", f"{value!r} is no bit pattern", f"write an integer or one of {', '.join(_SPECIAL_BITS)}"
            )
    return tuple(found)


def _identity(name: str, table: Table) -> IdentitySpec | None:
    table.allow("function", "address", "words", "encoding", "order", "block", "expected")
    function, address, words = table.function(), table.address("address"), table.integer("words", 1, 125)
    encoding = table.choice("encoding", TextEncoding)
    order = table.choice("order", Order, default=Order.ABCD)
    block_table = table.table("block", required=False)
    block = None
    if block_table is not None:
        block_table.allow("address", "words")
        first, length = block_table.address("address"), block_table.integer("words", 1, 125)
        block = Span(function, first, length) if function and first is not None and length else None
    expected = tuple(str(value) for value in table.values("expected"))
    if name not in set(IdentityRole) or function is None or address is None or words is None:
        return None
    if encoding is None or order is None:
        return None
    return IdentitySpec(IdentityRole(name), Span(function, address, words), encoding, order, block, expected)


def _load_profile(table: Table) -> LoadProfileSpec | None:
    table.allow("register", "function", "address", "stride", "entries", "interval_s", "time_order")
    register, function, address = table.text("register"), table.function(), table.address("address")
    stride, entries = table.integer("stride", 3, 125), table.integer("entries", 1, 65536)
    interval_s, order = table.integer("interval_s", 1, 86400), table.choice("time_order", Order)
    if register is None or function is None or address is None or stride is None or entries is None:
        return None
    if interval_s is None or order is None:
        return None
    return LoadProfileSpec(register, function, address, stride, entries, interval_s, order)


def _blocks(table: Table) -> Blocks | None:
    table.allow("base", "stride", "meters")
    base, stride, meters = table.address("base"), table.integer("stride", 1, 65536), table.integer("meters", 1, 65536)
    return None if base is None or stride is None or meters is None else Blocks(base, stride, meters)


def _golden(table: Table) -> GoldenFrame | None:
    table.allow("request", "response", "origin", "values", "scale_words")
    request, response, origin = table.hexadecimal("request"), table.hexadecimal("response"), table.text("origin")
    values, scale_words = table.texts("values"), table.values("scale_words")
    if request is None or response is None or origin is None:
        return None
    return GoldenFrame(request, response, origin, values, tuple(map(int, scale_words)) or None)
