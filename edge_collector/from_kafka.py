"""Requests that come by Kafka: topic `edge.commands`, key the collector's name. They are written down, then their offset is committed."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message

from edge_collector.requests import Requests, UnableToAsk, request_of

COMMANDS: Final = "edge.commands"
_POLL_S: Final = 0.5

logger = logging.getLogger(__name__)


class FromKafka:
    """Takes the collector's requests out of the topic. Those of other collectors pass by; what is no request is logged and passed over."""

    def __init__(
        self, settings: Mapping[str, Any], collector: str, requests: Requests, now_ms: Callable[[], int]
    ) -> None:
        self._collector, self._requests, self._now_ms = collector, requests, now_ms
        self._settings = {
            **settings,
            "group.id": f"meterfold-edge-{collector}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
        self._stopped = False

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await asyncio.to_thread(self._consume)
        finally:
            self._stopped = True

    def _consume(self) -> None:
        consumer = Consumer(self._settings)
        try:
            consumer.subscribe([COMMANDS])
            while not self._stopped:
                message = consumer.poll(_POLL_S)
                if message is not None and message.error() is None:
                    self._take(message)
                    _commit(consumer, message)
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        if message.key() != self._collector.encode():
            return
        payload = message.value() or b""
        try:
            self._requests.ask(request_of(payload, COMMANDS), self._now_ms())
        except UnableToAsk as reason:
            logger.warning("%s: %s: %.200r", COMMANDS, reason, payload)


def _commit(consumer: Consumer, message: Message) -> None:
    try:
        consumer.commit(message=message, asynchronous=False)
    except KafkaException as error:  # it comes again, under its id
        logger.warning("%s: %s", COMMANDS, error)
