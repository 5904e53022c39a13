"""Migrations and views: plain SQL files brought into a store, in order, each once.

Migrations (`NNNN_name.sql`, statements end in `;` at the end of a line) are recorded with their hash; one that changed after it was
applied is refused. A statement and its record are two steps, so a crash between them is healed by `IF NOT EXISTS`, which the migrator
adds. Views are made anew whenever their file changed, each after those it names. Our own 100 lines rather than clickhouse-migrations:
that needs a connection of its own, and views need an order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from connectors.clickhouse import Store, UnableToQuery

_APPLIED = """
CREATE TABLE IF NOT EXISTS schema_applied
(
    kind   LowCardinality(String) COMMENT 'migration, function or model',
    name   String COMMENT 'File name without .sql',
    sha256 String COMMENT 'Of the file as applied',
    step   UInt64 COMMENT 'Order of application'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (kind, name)
COMMENT 'What sql/ files this store has. Natural key: kind, name; the highest step stands.'
"""
_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+")
_THROWN = 395
"""ClickHouse's number for what throwIf throws."""
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_CREATES = re.compile(r"^CREATE (TABLE|VIEW|FUNCTION) (?!IF NOT EXISTS)", re.IGNORECASE | re.MULTILINE)


class UnableToMigrate(RuntimeError):
    """The sql/ files and the store do not belong together, or a file is not what it must be."""


def apply_migrations(store: Store, folder: Path) -> list[str]:
    """Bring `folder`'s migrations into the store; returns the names newly applied, in order. Raises UnableToMigrate, UnableToQuery."""
    store.command(_APPLIED)
    applied = _applied(store, "migration")
    files = sql_files(folder)
    lost = sorted(set(applied) - set(files))
    if lost:
        raise UnableToMigrate(
            f"the store has migrations that {folder.name}/ has not: {', '.join(lost)}; it is of a newer version"
        )
    fresh: list[str] = []
    with _recording(store, "migration", files, fresh):
        for name, text in sorted(files.items()):
            if not _MIGRATION.fullmatch(name):
                raise UnableToMigrate(f"{name}.sql is not named NNNN_what_it_does.sql")
            if name not in applied:
                for statement in statements(text):
                    _apply(store, _CREATES.sub(r"CREATE \1 IF NOT EXISTS ", statement))
                fresh.append(name)
            elif applied[name] != _hash(text):
                raise UnableToMigrate(
                    f"{name}.sql was changed after this store applied it; add a new migration instead"
                )
    return fresh


def _apply(store: Store, statement: str) -> None:
    """Run a statement of a migration, which says by throwIf what keeps it from being applied."""
    try:
        store.command(statement)
    except UnableToQuery as error:
        if error.code != _THROWN and "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO" not in str(error):
            raise
        said = re.search(r"DB::Exception: (.*?): (?:while|In scope|\(FUNCTION)", str(error))
        raise UnableToMigrate(said[1] if said else str(error)) from error


def apply_models(store: Store, folder: Path) -> list[str]:
    """Make every function and view of the folder anew whose file, or a file it rests on, changed; returns their names in order."""
    store.command(_APPLIED)
    applied = _applied(store, "model")
    files = sql_files(folder)
    made: list[str] = []
    with _recording(store, "model", files, made):
        for name in ordered(files):
            if applied.get(name) == _hash(files[name]) and not _names_in(files[name], set(made)):
                continue
            found = statements(files[name])
            if len(found) != 1 or not re.search(
                rf"^CREATE OR REPLACE (VIEW|FUNCTION) {name}\b", found[0], re.MULTILINE
            ):
                raise UnableToMigrate(f"{name}.sql must hold one statement, CREATE OR REPLACE VIEW or FUNCTION {name}")
            store.command(found[0])
            made.append(name)
    return made


def statements(text: str) -> list[str]:
    """The statements of a file: `;` at the end of a line ends one."""
    parts = (part.strip() for part in re.split(r";[ \t]*(?:\n|$)", text))
    return [part for part in parts if _without_comments(part)]


def ordered(files: dict[str, str]) -> list[str]:
    """Names such that each stands after those its text names; ties by name. Raises UnableToMigrate on a circle."""
    waiting = {name: _names_in(text, set(files)) - {name} for name, text in files.items()}
    order: list[str] = []
    while waiting:
        ready = sorted(name for name, needs in waiting.items() if not needs & set(waiting))
        if not ready:
            raise UnableToMigrate(f"these views name each other in a circle: {', '.join(sorted(waiting))}")
        order += ready
        for name in ready:
            del waiting[name]
    return order


def _names_in(text: str, names: set[str]) -> set[str]:
    return names & set(_WORD.findall(_without_comments(text)))


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text).strip()


def sql_files(folder: Path) -> dict[str, str]:
    """Text by name (without .sql), by name. Raises UnableToMigrate when there is no such folder."""
    if not folder.is_dir():
        raise UnableToMigrate(f"there is no folder {folder}")
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}


def _applied(store: Store, kind: str) -> dict[str, str]:
    found = store.query(
        "SELECT name, sha256 FROM schema_applied FINAL WHERE kind = {kind:String} ORDER BY name", {"kind": kind}
    )
    return dict(found.rows)


@contextmanager
def _recording(store: Store, kind: str, files: Mapping[str, str], applied: Sequence[str]) -> Iterator[None]:
    """Record what was applied by the end, all at once: an insert each took twice as long as what it recorded. Also where one failed."""
    try:
        yield
    finally:
        if applied:
            (before,) = store.query("SELECT count() FROM schema_applied").rows[0]
            store.insert(
                "schema_applied",
                {
                    "kind": [kind] * len(applied),
                    "name": applied,
                    "sha256": [_hash(files[name]) for name in applied],
                    "step": [before + 1 + at for at in range(len(applied))],
                },
            )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
