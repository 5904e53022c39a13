"""A Kafka cluster of librdkafka's, in a process of its own until standard input closes: python -m … TOPIC… ; says its address."""

import sys

from confluent_kafka import Producer


def main(topics: list[str]) -> None:
    """Serve."""
    producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused"})
    metadata = producer.list_topics(timeout=10)
    for topic in topics:
        producer.list_topics(topic, timeout=10)  # which makes it
    broker = next(iter(metadata.brokers.values()))
    print(f"{broker.host}:{broker.port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
