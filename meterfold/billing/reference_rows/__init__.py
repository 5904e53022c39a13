"""What a reference record says, as rows of typed tables: read once when the record is projected, and not by every query.

`rows_of_reference` takes the row of `reference_objects`, or of an edition's draft, and gives the rows of the tables that the views
`ref_*_history` show. A body is in the log for ever, whatever is wrong with it: what cannot be read becomes a `complaint`, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from meterfold.billing.reference_rows.charges import charge_rows
from meterfold.billing.reference_rows.tax_objects import tax_object_rows
from meterfold.billing.reference_rows.taxes import tax_rows
from meterfold.billing.reference_rows.versions import versions_of

Values = dict[str, Any]


def rows_of_reference(table: str, row: Mapping[str, Any]) -> list[tuple[str, Values]]:
    """(table, values) of every row that the object becomes besides its own; nothing for what no table is made of."""
    if table == "tariff_changes":
        if row["action"] != "drafted":
            return []
        kind, standing = "tariff", _of_draft(row)
    else:
        kind, standing = row["kind"], {name: row[name] for name in _STANDING}
    if kind not in _ROWS:
        return []
    found = _ROWS[kind](orjson.loads(row["body"]))
    return [(table, values | standing) for table, values in found]


_STANDING: Final = ("id", "version", "ended_reason", "is_withdrawn", "billing_offset")


def _of_draft(row: Mapping[str, Any]) -> Values:
    """An edition stands in the reference history as a tariff of its own, in one version, which never ends."""
    name = f"{row['tariff']}#{row['edition']}"
    return {
        "id": name, "version": 1, "ended_reason": None, "is_withdrawn": False, "billing_offset": row["billing_offset"],
    }  # fmt: skip


def _tariff(body: Values) -> list[tuple[str, Values]]:
    versions = versions_of(body)
    return [
        *(("reference_charges", values) for values in charge_rows(versions)),
        *(("reference_taxes", values) for values in tax_rows(versions)),
    ]


def _tax(body: Values) -> list[tuple[str, Values]]:
    return [("reference_tax_objects", values) for values in tax_object_rows(body)]


_ROWS: Final[dict[str, Callable[[Values], list[tuple[str, Values]]]]] = {"tariff": _tariff, "tax": _tax}
