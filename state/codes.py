"""The fold's closed vocabularies: small integers in state, upper-case words in what is emitted.

A quality's integer is its rank, so that "better" is `>`; 0 means that the slot holds nothing.
"""

from typing import Final

RULE_VERSION: Final = 1

# Quality, by rank (docs/rules.md section 3).
NOTHING: Final = 0
MISSING: Final = 1
ESTIMATED: Final = 2
SUBSTITUTED: Final = 3
CALCULATED: Final = 4
ACTUAL: Final = 5
QUALITY_NAMES: Final = ("", "MISSING", "ESTIMATED", "SUBSTITUTED", "CALCULATED", "ACTUAL")
QUALITY_OF: Final = {name: rank for rank, name in enumerate(QUALITY_NAMES) if name}

# How a non-actual quantity came about.
NONE: Final = 0
SOURCE: Final = 1
INTERPOLATED: Final = 2
LIKE_DAY: Final = 3
REGISTER_BRACKETED: Final = 4
MANUAL_EDIT: Final = 5
METHOD_NAMES: Final = ("", "SOURCE", "INTERPOLATED", "LIKE_DAY", "REGISTER_BRACKETED", "MANUAL_EDIT")

# Why a slot is MISSING.
NO_REASON: Final = 0
NO_REFERENCE: Final = 1
POLICY_REFUSES: Final = 2
REASON_NAMES: Final = ("", "NO_REFERENCE", "POLICY_REFUSES")

VERDICTS: Final = ("ACCEPTED", "DUPLICATE", "CONFLICTING", "SUPERSEDED", "CORRECTED", "REJECTED", "BEYOND_HORIZON")
ACCEPTED, DUPLICATE, CONFLICTING, SUPERSEDED, CORRECTED, REJECTED, BEYOND_HORIZON = VERDICTS
"""One verdict per arriving interval or read, given once."""

WINS: Final = frozenset({ACCEPTED, CORRECTED})
"""The verdicts that put the arriving evidence in force."""

# Units of the rules that are not configuration.
FUTURE_TOLERANCE_MS: Final = 300_000
AHEAD_MS: Final = 7 * 86_400_000
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
QUANTITY_BOUND: Final = 10**18
"""|quantity| stays below this: what Decimal(18, 9) holds."""


def methods_text(mask: int) -> tuple[str, ...]:
    """The names in a bit mask of methods (bit = method code), sorted."""
    return _METHODS_OF_MASK[mask]


_METHODS_OF_MASK: Final = tuple(
    tuple(sorted(name for code, name in enumerate(METHOD_NAMES) if name and mask >> code & 1))
    for mask in range(1 << len(METHOD_NAMES))
)
