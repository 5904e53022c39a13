"""What Bytewax keeps of a snapshot: where it lies and what it must be."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

_FORMAT: Final = 1


class UnableToResume(Exception):
    """A snapshot is missing or damaged; the message names the file, says what is wrong and what to do."""


class Reference(NamedTuple):
    """The first `length` bytes of `file`: the state of `partition` with everything below `next_offset` taken in.

    `digest`: of the last entry, which is over all those before it too, as hexadecimal digits.
    """

    partition: int
    next_offset: int
    file: str
    length: int
    digest: str

    def encode(self) -> bytes:
        """As Bytewax keeps it."""
        return json.dumps({"format": _FORMAT, **self._asdict()}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Reference:
        """What `encode` gave; `UnableToResume` for anything else."""
        try:
            given = json.loads(data)
            if given.pop("format") != _FORMAT:
                raise ValueError("written by another version")
            return cls(**given)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnableToResume(f"the recovery store holds no reference to a snapshot ({error}); {REMEDY}") from error


REMEDY: Final = "the logs still hold everything: `meterfold rebuild` makes the state anew from them"
