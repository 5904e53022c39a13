"""Appending records of our own (reference data, edits, releases) to reads.raw."""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.codec import decode_raw, encode
from meterfold.clock import now_ms
from meterfold.workspace import Workspace


def append_raw(workspace: Workspace, records: Iterable[Mapping[str, Any]]) -> None:
    """Append records by device, durably; a record that the contract does not allow raises `UnableToDecode` first."""
    entries = []
    for record in records:
        payload = encode(record)
        decode_raw(payload)
        key = str(record["device"]).encode()
        entries.append((workspace.raw.partition_of(key), key, payload))
    workspace.raw.append_many(entries, now_ms())
    workspace.raw.flush()
