"""What could not be read, as a value: the file, the line, the reason and what to do about it.

Every file connector yields `Problem`s, all of them before its first record. `UnableToInterpret` is how the small readers (a
number, an instant, a cell) say no; the connector that called them adds the place and makes a `Problem` of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PAYLOAD_LIMIT = (
    240  # characters of the bad line that a problem carries: enough to find it, bounded whatever the file holds
)


class UnableToInterpret(ValueError):
    """A piece of text has no meaning here. `reason` is a stable code, `message` and `remedy` are for a person.

    `column` is set by whoever knows it.
    """

    def __init__(self, reason: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.reason = reason
        self.message = message
        self.remedy = remedy
        self.column = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file.

    `line` counts from 1; 0 means the file as a whole. `reason` is a stable code. `message` says what is wrong and `remedy` what to do, in
    whole sentences. `refuses_file`: nothing of the file may be loaded; otherwise only the part on that line is lost.
    """

    file: str
    line: int
    reason: str
    message: str
    remedy: str
    column: str = ""
    payload: str = ""
    refuses_file: bool = False

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        column = f", column {self.column}" if self.column else ""
        return f"{place}{column}: {self.message} {self.remedy}".rstrip()

    def as_dead_letter(self, import_id: str) -> dict[str, Any]:
        """The dead letter of the contract: the reason, the words for a person, the payload and where it came from."""
        return {
            "v": 1,
            "type": "dead_letter",
            "reason": self.reason,
            "detail": f"{self.message} {self.remedy}".rstrip(),
            "payload": self.payload,
            "source": {"file": self.file, "line": self.line, "import": import_id},
        }


def payload_of(text: str) -> str:
    """The beginning of a bad line, cut to `PAYLOAD_LIMIT`; the cut shows as an ellipsis."""
    text = text.rstrip("\r\n")
    return text if len(text) <= PAYLOAD_LIMIT else text[: PAYLOAD_LIMIT - 1] + "…"
