"""Entries of a snapshot file: what changed, with a digest over it and everything before it.

An entry is a header (magic, partition, next offset, bytes of the texts, bytes of the pages), the texts (zlib), the pages, and a digest
of 16 bytes: BLAKE2b over the digest of the entry before it (zeros before the first) and all of this one. So the digest of an entry
vouches for the whole file up to it, and no entry can be left out, exchanged or cut.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from connectors.snapshots.reference import REMEDY, Reference, UnableToResume
from state.changes import Change

MAGIC: Final = b"MFC\x02"
"""Its last byte is the edition of what follows: 2 since rings have pages."""
NO_DIGEST: Final = bytes(16)
_HEADER: Final = struct.Struct("<4sIqQQ")
_QUICKLY: Final = 1
"""The level of zlib: texts shrink to a fifth, pages are packed already."""


def encode_entry(change: Change, partition: int, next_offset: int, before: bytes) -> tuple[list[bytes], bytes]:
    """(the pieces of an entry, its digest), given the digest of the entry before it."""
    texts = zlib.compress(change.heads, _QUICKLY)
    pieces = [_HEADER.pack(MAGIC, partition, next_offset, len(texts), len(change.pages)), texts, change.pages]
    digest = _digest(before, pieces)
    return [*pieces, digest], digest


def read_entries(path: Path, reference: Reference) -> Iterator[tuple[Change, int]]:
    """(a change, where its entry ends) of all that a reference stands for, in order.

    Raises UnableToResume as soon as anything is not as it was written.
    """
    try:
        with path.open("rb") as file:
            yield from _entries(file, path, reference)
    except FileNotFoundError as error:
        raise UnableToResume(f"{path}: missing, and the state is to be resumed from it; {REMEDY}") from error


def _entries(file: BinaryIO, path: Path, reference: Reference) -> Iterator[tuple[Change, int]]:
    at, digest, place = 0, NO_DIGEST, (-1, -1)
    while at < reference.length:
        pieces = _read_entry(file, path, at, reference.length)
        digest = _digest(digest, pieces)
        if file.read(len(digest)) != digest:
            raise _damaged(path, at, "its contents are not what was written")
        place = _HEADER.unpack(pieces[0])[1:3]
        at += sum(map(len, pieces)) + len(digest)
        yield Change(zlib.decompress(pieces[1]), pieces[2]), at
    if (at, digest.hex(), *place) != (reference.length, reference.digest, reference.partition, reference.next_offset):
        raise _damaged(path, at, "it is not the snapshot that the recovery store refers to")


def _read_entry(file: BinaryIO, path: Path, at: int, end: int) -> list[bytes]:
    """Header, texts and pages of the entry at a position, as far as they can be read."""
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise _damaged(path, at, "the file is cut short")
    magic, _, _, texts, pages = _HEADER.unpack(header)
    if magic != MAGIC and magic[:-1] == MAGIC[:-1]:
        raise UnableToResume(
            f"{path}: written by another version of meterfold (edition {magic[-1]}, not {MAGIC[-1]}); {REMEDY}"
        )
    if magic != MAGIC:
        raise _damaged(path, at, "no snapshot begins there")
    if at + _HEADER.size + texts + pages + len(NO_DIGEST) > end:
        raise _damaged(path, at, "it would end after the file's part that counts")
    pieces = [header, file.read(texts), file.read(pages)]
    if (len(pieces[1]), len(pieces[2])) != (texts, pages):
        raise _damaged(path, at, "the file is cut short")
    return pieces


def _digest(before: bytes, pieces: list[bytes]) -> bytes:
    digest = blake2b(before, digest_size=len(NO_DIGEST))
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _damaged(path: Path, at: int, why: str) -> UnableToResume:
    return UnableToResume(f"{path}: damaged at byte {at}: {why}; {REMEDY}")
