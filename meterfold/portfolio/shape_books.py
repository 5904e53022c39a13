"""The chart of accounts as it is written under a legal entity: `ledger`, what its accounts are called in its own books."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from meterfold.portfolio.shape_base import Shape
from meterfold.portfolio.written import Text

_ALL = ""
"""The key of a name that is for all details."""


def _for_all(value: Any) -> Any:
    """`revenue: 4400` is short for one account for every kind of charge."""
    return {_ALL: value} if isinstance(value, str) else value


ByDetail = Annotated[dict[str, Text], BeforeValidator(_for_all)]
"""Names by kind of charge, tax or bearer."""


class LedgerShape(Shape):
    """Names of accounts of the ledger; those left out keep their defaults (sql/models/ledger_defaults.sql)."""

    receivable: Text | None = None
    revenue: ByDetail | None = None
    tax: ByDetail | None = None
    bank: Text | None = None
    deposits: Text | None = None
    goodwill: Text | None = None
    fees: Text | None = None
    bad_debt: Text | None = None
    accrued_income: Text | None = None
    accrued_revenue: Text | None = None
    withheld_revenue: ByDetail | None = None
    withheld_cost: ByDetail | None = None
    opening: Text | None = None

    def names(self) -> tuple[tuple[str, str], ...]:
        """(account, name), the account with its detail as `revenue:energy` where it has one; in order."""
        found: dict[str, str] = {}
        for account, named in self:
            for detail, name in (named if isinstance(named, dict) else {_ALL: named}).items():
                if name is not None:
                    found[f"{account}:{detail}" if detail else account] = name
        return tuple(sorted(found.items()))
