"""What is asked of a collector: read a window again, read now. Each request is answered once, and the answer is kept.

The requests lie in an SQLite file of their own beside the outbox, which the command line writes while the collector runs. Who carries them
out is `answering`.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson

MAX_TEXT: Final = 200
MAX_INSTANT_MS: Final = 10**15
KEPT_ANSWERS: Final = 1000

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  device TEXT NOT NULL,
  from_ms INTEGER,
  to_ms INTEGER,
  person TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  answered_ms INTEGER,
  is_refused INTEGER,
  answer TEXT
)
"""
_COLUMNS: Final = "number, id, kind, device, from_ms, to_ms, person, asked_ms, answered_ms, is_refused, answer"


class RequestKind(StrEnum):
    """What can be asked."""

    REREAD = "re-read window"
    READ_NOW = "read now"


class UnableToAsk(Exception):
    """The request makes no sense, or cannot be written down; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """Asked by `person`; [from_ms, to_ms) are the boundaries to be read again. `id` is the asker's: asked twice, it is one request."""

    id: str
    kind: RequestKind
    device: str
    from_ms: int | None
    to_ms: int | None
    person: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request, for people."""

    is_refused: bool
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it stands in the file; `number` rises with every one."""

    number: int
    request: Request
    asked_ms: int
    answer: Answer | None


class Requests:
    """The file of requests at a path. Several processes may have it open; one that is damaged is set aside and begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._prepare()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            _set_aside(path)
            self._prepare()
            with self._open() as connection:  # numbers never fall: they are in the names of reads
                connection.execute("INSERT INTO sqlite_sequence VALUES ('requests', ?)", (int(path.stat().st_mtime),))

    def ask(self, request: Request, now_ms: int) -> int:
        """Write a request down; its number. One whose id is known already is not written again. Raises UnableToAsk."""
        check(request)
        values = (request.id, str(request.kind), request.device, request.from_ms, request.to_ms, request.person, now_ms)
        insert = "INSERT OR IGNORE INTO requests (id, kind, device, from_ms, to_ms, person, asked_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
        try:
            with self._open() as connection:
                connection.execute(insert, values)
                (number,) = connection.execute("SELECT number FROM requests WHERE id = ?", (request.id,)).fetchone()
        except sqlite3.Error as error:
            raise UnableToAsk(f"{self._path}: {error}") from error
        return int(number)

    def waiting(self) -> list[Asked]:
        """Those that have no answer, oldest first."""
        return self._asked("answered_ms IS NULL ORDER BY number")

    def find(self, id: str) -> Asked | None:
        """The request of an id, with its answer if it has one."""
        return next(iter(self._asked("id = ?", id)), None)

    def answer(self, number: int, answer: Answer) -> bool:
        """Write the answer down; False if there is one already, which then stands."""
        update = (
            "UPDATE requests SET answered_ms = ?, is_refused = ?, answer = ? WHERE number = ? AND answered_ms IS NULL"
        )
        old = "DELETE FROM requests WHERE answered_ms IS NOT NULL AND number <= ?"
        with self._open() as connection:
            changed = connection.execute(update, (answer.at_ms, answer.is_refused, answer.text, number)).rowcount
            connection.execute(old, (number - KEPT_ANSWERS,))
        return bool(changed)

    def _asked(self, where: str, *values: object) -> list[Asked]:
        with self._open() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM requests WHERE {where}", values).fetchall()
        return [_asked(*row) for row in rows]

    def _prepare(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_TABLE)
            connection.execute(f"SELECT {_COLUMNS} FROM requests").fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thing to do, committed at its end: so a file that was set aside by another process is not held."""
        connection = sqlite3.connect(self._path, timeout=10)
        try:
            with connection:
                yield connection
        finally:
            connection.close()


def request_of(payload: bytes, person: str) -> Request:
    """A request as it travels: `{"id", "kind", "device", "from_ms"?, "to_ms"?, "person"?}`. Raises UnableToAsk."""
    try:
        fields: dict[str, Any] = orjson.loads(payload)
        request = Request(
            fields["id"],
            RequestKind(fields["kind"]),
            fields["device"],
            fields.get("from_ms"),
            fields.get("to_ms"),
            fields.get("person", person),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnableToAsk(f"not a request: {error!r}") from error
    check(request)
    return request


def check(request: Request) -> None:
    """UnableToAsk if it cannot be carried out whatever the device is."""
    for name, text in (("id", request.id), ("device", request.device), ("person", request.person)):
        if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT:
            raise UnableToAsk(f"{name} must be a text of 1 to {MAX_TEXT} characters")
    if request.kind is RequestKind.READ_NOW:
        if request.from_ms is not None or request.to_ms is not None:
            raise UnableToAsk("read now has no window")
        return
    for instant in (request.from_ms, request.to_ms):
        if type(instant) is not int or not 0 <= instant < MAX_INSTANT_MS:
            raise UnableToAsk("a window needs from_ms and to_ms, in milliseconds since 1970 UTC")
    if request.from_ms is None or request.to_ms is None or request.from_ms >= request.to_ms:
        raise UnableToAsk("the window is empty: from_ms must be before to_ms")


def _asked(
    number: int, id: str, kind: str, device: str, from_ms: int | None, to_ms: int | None, person: str, asked_ms: int,
    answered_ms: int | None, is_refused: int | None, answer: str | None,
) -> Asked:  # fmt: skip
    request = Request(id, RequestKind(kind), device, from_ms, to_ms, person)
    answered = None if answered_ms is None else Answer(bool(is_refused), answer or "", answered_ms)
    return Asked(number, request, asked_ms, answered)


def _set_aside(path: Path) -> None:
    stamp = time.strftime(".damaged-%Y%m%dT%H%M%SZ", time.gmtime(path.stat().st_mtime))
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(path.name + stamp + suffix))
