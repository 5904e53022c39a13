"""How another process has the owner of a data directory append records to a log that only the owner may write.

One JSON line to the owner's socket, one back:

    {"append": TOPIC, "entries": [[KEY, PAYLOAD], …]}     both in base64; at most `LINE_LIMIT` bytes
    {"appended": N}                                       once they are durable
    {"error": TEXT}                                       when none or only some of them are
"""

import base64
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

LINE_LIMIT: Final = 1 << 20
"""Bytes of a request line."""
_ANSWER_LIMIT: Final = 1 << 16
_ROOM: Final = 200
"""Bytes of a request besides its entries."""

Appended = tuple[bytes, bytes]
"""(key, payload)"""


class UnableToAppendThere(Exception):
    """Nobody answers at the socket, or the owner did not append."""


def short_address(path: Path) -> str:
    """The path as a socket address, which may have 107 bytes at most: relative when that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def append_through_owner(path: Path, topic: str, entries: Iterable[Appended], timeout_s: float = 30.0) -> int:
    """Have the owner append (key, payload) in this order; how many. Returns when they are durable. Raises UnableToAppendThere."""
    return sum(_ask(path, request, timeout_s) for request in _requests(topic, entries))


def entries_of(request: Mapping[str, Any]) -> list[Appended]:
    """The records in a request; ValueError or TypeError if they cannot be read."""
    return [(base64.b64decode(key), base64.b64decode(payload)) for key, payload in request["entries"]]


def _requests(topic: str, entries: Iterable[Appended]) -> Iterator[bytes]:
    """As many requests as it takes to keep each within the limit."""
    pairs: list[str] = []
    size = _ROOM + len(topic)
    for key, payload in entries:
        pair = json.dumps([base64.b64encode(key).decode(), base64.b64encode(payload).decode()])
        if pairs and size + len(pair) + 2 > LINE_LIMIT:
            yield _line(topic, pairs)
            pairs, size = [], _ROOM + len(topic)
        pairs.append(pair)
        size += len(pair) + 2
    if pairs:
        yield _line(topic, pairs)


def _line(topic: str, pairs: list[str]) -> bytes:
    return f'{{"append": {json.dumps(topic)}, "entries": [{", ".join(pairs)}]}}\n'.encode()


def _ask(path: Path, request: bytes, timeout_s: float) -> int:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(short_address(path))
            connection.sendall(request)
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline(_ANSWER_LIMIT) or b"{}")
    except (OSError, ValueError) as error:
        raise UnableToAppendThere(f"{path}: {error}") from error
    if "appended" not in answer:
        raise UnableToAppendThere(f"{path}: {answer.get('error', 'the owner went away')}")
    return int(answer["appended"])
