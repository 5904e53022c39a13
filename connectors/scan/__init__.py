"""Readings from the bytes of the log to columns, with no Python object a reading.

Only what is written exactly as our encoder writes a reading is scanned (`codec.encode`: sorted keys, no white space) with the fields
that the contracts know. Everything else — escapes, floats, integers beyond int64, unknown or missing or repeated fields, other types and
versions — is left out and named, for the codec, whose word is final. What is scanned, the codec reads the same.
"""

from connectors.scan.columns import INTERVALS, REGISTER, ReadingColumns
from connectors.scan.curated import scan_curated
from connectors.scan.names import Names
from connectors.scan.parts import LOCAL_DAYS
from connectors.scan.raw import RawColumns, scan_raw

__all__ = [
    "INTERVALS",
    "LOCAL_DAYS",
    "REGISTER",
    "Names",
    "RawColumns",
    "ReadingColumns",
    "scan_curated",
    "scan_raw",
]
