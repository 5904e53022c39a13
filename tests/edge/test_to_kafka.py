"""Into Kafka: a mock cluster in another process, which can stand still, come back, or go away for good."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from connectors.file_log import partition_of
from edge_collector.entry import Entry, Kind
from edge_collector.from_kafka import COMMANDS, FromKafka
from edge_collector.publishing import UnableToPublish
from edge_collector.records import READS
from edge_collector.requests import RequestKind, Requests
from edge_collector.to_kafka import OURS, ToKafka
from tests.edge.outbox_world import START_MS, boundary, cycle, outbox_at, reads_of
from tests.edge.test_publishing import QuickClock

PATIENCE_S = 30.0
Broker = tuple[subprocess.Popen[str], str]


def started(*topics: str) -> Broker:
    """A running cluster, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.edge.mock_broker", *topics],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert ":" in address
    return process, address


@pytest.fixture
def broker() -> Iterator[Broker]:
    process, address = started(READS, COMMANDS)
    yield process, address
    process.kill()
    process.communicate()


def entries(count: int, first: int = 0) -> list[Entry]:
    return [
        Entry(at, Kind.READ, READS, f"SUB-{at % 7}", f"SUB-{at % 7}", b"%d" % at) for at in range(first, first + count)
    ]


def consumed(address: str, at_least: int) -> list[Message]:
    """Everything in reads.raw, once there is so much."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "nobody's"})
    partitions = consumer.list_topics(READS, timeout=10).topics[READS].partitions
    consumer.assign([TopicPartition(READS, partition, OFFSET_BEGINNING) for partition in partitions])
    found: list[Message] = []
    deadline = time.monotonic() + PATIENCE_S
    quiet = 0
    while time.monotonic() < deadline and (len(found) < at_least or quiet < 3):
        message = consumer.poll(0.2)
        quiet = quiet + 1 if message is None else 0
        if message is not None and message.error() is None:
            found.append(message)
    consumer.close()
    return found


def first_arrivals(messages: list[Message], key: bytes) -> list[int]:
    """The numbers of a key's records in their order, repetitions left out."""
    return list(dict.fromkeys(int(m.value() or b"") for m in messages if m.key() == key))


def test_all_of_it_in_order_where_the_file_log_would_put_it(broker: Broker) -> None:
    _, address = broker

    async def play() -> None:
        kafka = ToKafka({"bootstrap.servers": address})
        for first in range(0, 300, 100):
            await kafka.publish(entries(100, first))
        await kafka.close()

    asyncio.run(play())
    messages = consumed(address, 300)
    assert len(messages) == 300
    producer = Producer({"bootstrap.servers": address})
    partitions = len(producer.list_topics(READS, timeout=10).topics[READS].partitions)
    assert partitions > 1
    for message in messages:
        assert message.partition() == partition_of(message.key() or b"", partitions)
    for at in range(7):
        arrived = first_arrivals(messages, b"SUB-%d" % at)
        assert arrived == sorted(arrived)


def test_a_broker_that_stands_still_for_a_while_costs_nothing(broker: Broker) -> None:
    process, address = broker

    async def play() -> int:
        kafka, refusals = ToKafka({"bootstrap.servers": address}, timeout_s=1.0), 0
        await kafka.publish(entries(50))
        process.send_signal(signal.SIGSTOP)
        for _ in range(2):
            with pytest.raises(UnableToPublish, match="not acknowledged"):
                await kafka.publish(entries(50, 50))
            refusals += 1
        process.send_signal(signal.SIGCONT)
        for _ in range(20):
            try:
                await kafka.publish(entries(50, 50))
                break
            except UnableToPublish:
                refusals += 1
        await kafka.publish(entries(50, 100))
        return refusals

    assert asyncio.run(play()) < 20
    messages = consumed(address, 150)
    for at in range(7):
        arrived = first_arrivals(messages, b"SUB-%d" % at)
        assert arrived == list(range(at, 150, 7)), "all there, and nothing overtook"


def test_what_was_not_acknowledged_does_not_arrive_behind_ones_back(broker: Broker) -> None:
    """The producer that had it is gone: else it would come after what was sent meanwhile."""
    process, address = broker
    stopped = ToKafka({"bootstrap.servers": address}, timeout_s=0.5)
    process.send_signal(signal.SIGSTOP)
    for at in range(2):
        with pytest.raises(UnableToPublish):
            asyncio.run(stopped.publish(entries(10, 10 * at)))
    process.send_signal(signal.SIGCONT)
    asyncio.run(ToKafka({"bootstrap.servers": address}).publish(entries(3, 100)))
    time.sleep(2)  # in which a producer would find the broker again
    assert sorted(int(message.value() or b"") for message in consumed(address, 3)) == [100, 101, 102]


def test_a_broker_that_is_gone_is_waited_for_and_the_next_one_gets_everything(tmp_path: Path) -> None:
    """A restarted mock cluster is empty and elsewhere; the outbox has what was not acknowledged."""
    from edge_collector.publishing import Drain

    outbox = outbox_at(tmp_path, 100)
    process, address = started(READS)
    for n in range(20):
        outbox.commit(cycle(n, ("A", "B", "C")))

    async def play(address: str, attempts: int) -> bool:
        kafka = ToKafka({"bootstrap.servers": address}, timeout_s=1.0)
        drain = Drain(outbox, kafka, QuickClock(), Random(1))
        for _ in range(attempts):
            try:
                await drain.empty()
                return True
            except UnableToPublish:
                continue
        return False

    process.kill()
    process.communicate()
    assert not asyncio.run(play(address, 2))
    assert len(outbox.backlog(READS, 1000)) == 60
    process, address = started(READS)
    try:
        assert asyncio.run(play(address, 20))
        names = {str(m.value()) for m in consumed(address, 60)}
        assert len([name for name in names if "read_id" in name]) == 60
        assert len([name for name in names if "heartbeat" in name]) == 3
        assert reads_of(outbox.backlog(READS, 1000)) == set()
    finally:
        process.kill()
        process.communicate()


def test_what_is_refused_is_said(broker: Broker) -> None:
    _, address = broker

    async def play() -> None:
        kafka = ToKafka({"bootstrap.servers": address, "message.max.bytes": 1000})
        with pytest.raises(UnableToPublish, match="too large"):
            await kafka.publish([Entry(1, Kind.READ, READS, "A", "A", b"x" * 2000)])
        await kafka.publish(entries(3))

    asyncio.run(play())
    assert len(consumed(address, 3)) == 3


def test_a_site_cannot_weaken_it() -> None:
    kafka = ToKafka({"bootstrap.servers": "nowhere:1", "acks": "1", "partitioner": "murmur2_random"})
    assert kafka._settings == {"bootstrap.servers": "nowhere:1", **OURS}
    assert OURS["enable.idempotence"] is True and OURS["acks"] == "all"


def test_commands_come_by_their_topic_once(broker: Broker, tmp_path: Path) -> None:
    _, address = broker
    ask = b'{"id": "%s", "kind": "read now", "device": "SUB-4"}'
    producer = Producer({"bootstrap.servers": address})
    for key, payload in [
        (b"harbour-house", ask % b"r1"),
        (b"elsewhere", ask % b"r2"),
        (b"harbour-house", b"garbage"),
        (b"harbour-house", b'{"id": "r3", "kind": "dance", "device": "SUB-4"}'),
        (b"harbour-house", ask % b"r1"),
        (b"harbour-house", ask % b"r4"),
    ]:
        producer.produce(COMMANDS, payload, key, partition=0)
    assert producer.flush(10) == 0
    requests = Requests(tmp_path / "requests.db")

    async def play() -> None:
        taking = asyncio.create_task(
            FromKafka({"bootstrap.servers": address}, "harbour-house", requests, lambda: START_MS).run()
        )
        deadline = time.monotonic() + PATIENCE_S
        while len(requests.waiting()) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        taking.cancel()

    asyncio.run(play())
    found = [(asked.request.id, asked.request.kind, asked.request.person) for asked in requests.waiting()]
    assert found == [("r1", RequestKind.READ_NOW, COMMANDS), ("r4", RequestKind.READ_NOW, COMMANDS)]
    assert boundary(0) == requests.waiting()[0].asked_ms
