"""Publishing into Kafka: idempotent, acknowledged by all replicas, keyed by device, each batch awaited to its last record.

A batch that is not acknowledged in time is withdrawn as a whole and its producer thrown away, so that nothing of it can arrive later,
behind what is sent next: within a partition, what arrived of it is a beginning. A new producer is opened for the next attempt.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from edge_collector.entry import Entry
from edge_collector.publishing import UnableToPublish

TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.1
_PURGING_S: Final = 1.0
OURS: Final[Mapping[str, Any]] = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "consistent",  # crc32 of the key, as connectors.file_log.partition_of: every producer of reads.raw must agree
    "message.timeout.ms": 0,  # a record alone must not be given up while those behind it go on: the batch has one deadline
    "linger.ms": 5,
}
"""What a site cannot change."""

logger = logging.getLogger(__name__)


class ToKafka:
    """A publisher to the cluster that `settings` (librdkafka's names) lead to; a batch has `timeout_s` to be acknowledged."""

    def __init__(self, settings: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> None:
        self._settings, self._timeout_s = {**settings, **OURS}, timeout_s
        self._producer: Producer | None = None
        self._trouble: str | None = None

    async def publish(self, entries: Sequence[Entry]) -> None:
        """As `Publisher`."""
        await asyncio.to_thread(self._publish, list(entries))

    async def close(self) -> None:
        """Nothing is under way between batches; the connections are closed."""
        self._producer = None

    def _publish(self, entries: list[Entry]) -> None:
        producer = self._opened()
        batch = _Batch(len(entries))
        try:
            for entry in entries:
                producer.produce(entry.topic, entry.payload, entry.key.encode(), on_delivery=batch.report)
            self._await(producer, batch)
        except (BufferError, KafkaException) as error:
            self._discard(producer)
            raise UnableToPublish(str(error)) from error

    def _await(self, producer: Producer, batch: "_Batch") -> None:
        """Until every record is acknowledged, one is refused, or time is up."""
        deadline = time.monotonic() + self._timeout_s
        while batch.unanswered and batch.refusal is None and time.monotonic() < deadline:
            producer.poll(_POLL_S)
        if batch.refusal is None and not batch.unanswered:
            return
        waited = f"{batch.unanswered} of {batch.size} records not acknowledged within {self._timeout_s:g} s"
        reason = batch.refusal or (f"{waited} ({self._trouble})" if self._trouble else waited)
        self._discard(producer)
        raise UnableToPublish(reason)

    def _opened(self) -> Producer:
        if self._producer is None:
            self._trouble = None
            self._producer = Producer({**self._settings, "error_cb": self._note}, logger=logger)
        return self._producer

    def _discard(self, producer: Producer) -> None:
        """What it still holds is not sent any more."""
        self._producer = None
        producer.purge(in_queue=True, in_flight=True, blocking=True)
        producer.flush(_PURGING_S)

    def _note(self, error: KafkaError) -> None:
        """What librdkafka says of its connections; it goes on by itself, and the reason is told if a batch fails."""
        self._trouble = error.str()


class _Batch:
    """How many of a batch are unanswered, and the first refusal."""

    def __init__(self, size: int) -> None:
        self.size = self.unanswered = size
        self.refusal: str | None = None

    def report(self, error: KafkaError | None, message: Message) -> None:
        """librdkafka's delivery report of one record."""
        self.unanswered -= 1
        if error is not None and self.refusal is None:
            self.refusal = f"{message.topic()}: {error.str()}"
