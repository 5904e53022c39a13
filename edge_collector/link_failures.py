"""Why a read over a link brought nothing."""

from __future__ import annotations

from typing import Final

GATEWAY_SILENCE: Final = frozenset({0x0A, 0x0B})
"""Exceptions by which a gateway says that the meter did not answer it in time."""


NOT_THERE: Final = frozenset({1, 2, 3})
"""Exceptions by which a meter says that it has no such function or register."""


class LinkFailure(Exception):
    """A read that brought nothing. `reason` is the word for it in metrics and status records.

    `is_refusal`: the unit itself said so; `is_in_vain`: it will say so again.
    """

    reason = "failure"

    @property
    def is_refusal(self) -> bool:
        return False

    @property
    def is_in_vain(self) -> bool:
        return False


class NoAnswer(LinkFailure):
    """Nothing, or nothing whole, came in time; or the connection broke."""

    reason = "no_answer"


class WrongLength(LinkFailure):
    """An answer of another length than was asked for: most likely another request's."""

    reason = "wrong_length"


class WrongAnswer(LinkFailure):
    """An answer of another function or transaction, or one that did not come alone."""

    reason = "wrong_answer"


class Refused(LinkFailure):
    """The meter, or the gateway before it, answered with a Modbus exception `code`."""

    reason = "refused"

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code

    @property
    def is_refusal(self) -> bool:
        return self.code not in GATEWAY_SILENCE

    @property
    def is_in_vain(self) -> bool:
        return self.code in NOT_THERE


class Unreachable(LinkFailure):
    """No connection, or one that never falls silent."""

    reason = "unreachable"


class Unprovable(LinkFailure):
    """Answers are owed in every length in which this could be read; asked again later, it may do."""

    reason = "unprovable"
