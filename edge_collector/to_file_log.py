"""Publishing into the logs of a data directory on this machine.

The writer's lock is held for a batch only, so that commands find the directory free. When somebody else holds it for good (`run
--follow`), that process is asked to append (connectors/owner_socket).
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from connectors.file_log import (
    LogWriter,
    UnableToAppend,
    UnableToLock,
    UnableToOpenTopic,
    UnableToRepair,
    create_topic,
)
from connectors.owner_socket import UnableToAppendThere, append_through_owner
from edge_collector.entry import Entry
from edge_collector.publishing import UnableToPublish
from edge_collector.records import TELEMETRY

TELEMETRY_PARTITIONS: Final = 1

logger = logging.getLogger(__name__)


class ToFileLog:
    """A publisher to the data directory at `root`, stamped by `now_ms`. A missing `telemetry` topic is made; `reads.raw` must be there."""

    def __init__(self, root: Path, now_ms: Callable[[], int]) -> None:
        self._root, self._now_ms = root, now_ms

    async def publish(self, entries: Sequence[Entry]) -> None:
        """As `Publisher`: all of them, appended and flushed, in order."""
        await asyncio.to_thread(self._publish, list(entries))

    async def close(self) -> None:
        """Nothing is held between batches."""

    def _publish(self, entries: list[Entry]) -> None:
        for topic in dict.fromkeys(entry.topic for entry in entries):
            of_topic = [(entry.key.encode(), entry.payload) for entry in entries if entry.topic == topic]
            try:
                self._append(topic, of_topic)
            except (UnableToAppend, UnableToAppendThere, UnableToOpenTopic, UnableToRepair, OSError) as error:
                raise UnableToPublish(str(error)) from error

    def _append(self, topic: str, entries: list[tuple[bytes, bytes]]) -> None:
        directory = self._root / "logs" / topic
        if topic == TELEMETRY and self._is_data_directory():
            create_topic(directory, TELEMETRY_PARTITIONS)
        try:
            writer = LogWriter(directory, trust_committed=True)
        except UnableToLock:
            append_through_owner(self._root / "owner.sock", topic, entries)
            return
        with writer:
            writer.append_many([(writer.partition_of(key), key, payload) for key, payload in entries], self._now_ms())

    def _is_data_directory(self) -> bool:
        """A directory that is not there, as before a disk is mounted, is not made here."""
        try:
            json.loads((self._root / "meterfold.json").read_bytes())
        except (OSError, ValueError):
            return False
        return True
