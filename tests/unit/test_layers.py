"""Imports go one way: state ← connectors ← dataflows ← meterfold, and the edge stands beside dataflows."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BELOW = {
    "state": set(),
    "connectors": {"state"},
    "dataflows": {"state", "connectors"},
    "meterfold": {"state", "connectors", "dataflows", "edge_collector"},
    "edge_collector": {"state", "connectors"},
}
"""What each package of ours may import, besides itself."""

PURE = frozenset(
    "__future__ bisect collections dataclasses datetime enum functools heapq itertools json math operator struct typing "
    "numpy state".split()
)
"""All that `state` may import: nothing that reads or writes, tells the time, starts a thread or logs."""

COMPILING = "state.compiling"
"""The one module of `state` that may import more: Numba, and what it takes to name the store of compiled code, and to find it."""

BUILTIN = frozenset("open print input exec eval __import__ breakpoint".split())
ATTRIBUTE = frozenset(
    "now utcnow today fromtimestamp load save savez fromfile tofile memmap loadtxt savetxt genfromtxt random".split()
)
"""Bare names, and names after a dot, by which the language and the modules of PURE would reach the world after all."""

ENGINE = "bytewax"
STORE = {"clickhouse_connect", "chdb"}


def modules() -> dict[str, Path]:
    """Dotted name to file, of every module of ours."""
    found = {}
    for package in BELOW:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Everything that a module imports, at any depth of its code: `a.b` and, of `from a import b`, both `a` and `a.b`."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def roots(names: frozenset[str] | set[str]) -> set[str]:
    """The first words of dotted names."""
    return {name.split(".")[0] for name in names}


def reached(module: str) -> set[str]:
    """Everything imported by a module, by the modules of ours that it imports, and so on; packages run their `__init__`."""
    seen: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        outer = {name[:at] for at, sign in enumerate(name) if sign == "."}
        waiting |= ((imports(name) if name in MODULES else set()) | outer) - seen
    return seen


def test_every_package_is_looked_at() -> None:
    """A package that pyproject.toml ships and this file does not know would be free to import anything."""
    shipped = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert shipped == set(BELOW)
    assert all(any(name.split(".")[0] == package for name in MODULES) for package in BELOW)


@pytest.mark.parametrize("package", BELOW)
def test_imports_go_one_way(package: str) -> None:
    ours = {*BELOW, "tests", "benchmarks"}
    upward = {
        (module, name)
        for module in MODULES
        if module.split(".")[0] == package
        for name in imports(module)
        if name.split(".")[0] in ours - BELOW[package] - {package}
    }
    assert not upward


def test_invariant_4_state_imports_only_what_is_pure() -> None:
    foreign = {
        module: outside
        for module in MODULES
        if module.split(".")[0] == "state" and (outside := roots(imports(module)) - PURE)
    }
    assert foreign.pop(COMPILING) == {"hashlib", "numba", "os", "pathlib"}
    assert not foreign


def test_invariant_4_state_reaches_no_clock_and_no_file_by_name() -> None:
    found = [
        (module, node.lineno)
        for module in MODULES
        if module.split(".")[0] == "state"
        for node in ast.walk(tree(module))
        if (isinstance(node, ast.Name) and node.id in BUILTIN)
        or (isinstance(node, ast.Attribute) and node.attr in ATTRIBUTE)
    ]
    assert not found


def test_only_the_flows_and_their_connectors_know_the_engine() -> None:
    users = {module for module in MODULES if ENGINE in roots(imports(module))}
    assert {module for module in users if module.split(".")[0] not in ("connectors", "dataflows")} <= {
        "meterfold.running"
    }
    assert users


def test_the_edge_needs_neither_engine_nor_store() -> None:
    """Not even through the connectors that it uses: it runs on a small box."""
    heavy = {ENGINE, *STORE}
    needed = {
        module: found
        for module in MODULES
        if module.split(".")[0] == "edge_collector" and (found := roots(reached(module)) & heavy)
    }
    assert not needed


def test_no_import_is_hidden_in_a_call() -> None:
    hidden = [
        (module, node.lineno)
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in ("__import__", "import_module")
    ]
    assert not hidden


def test_imports_are_seen_wherever_they_stand() -> None:
    """The means of this file find what is known to be there, directly and through other modules."""
    assert {"connectors.file_log.frame", "connectors.file_log.frame.partition_of"} & imports("connectors.file_log")
    assert STORE & roots(reached("dataflows.ingest")) and ENGINE in roots(reached("meterfold.running"))
    assert "numpy" in roots(reached("state.fold"))
