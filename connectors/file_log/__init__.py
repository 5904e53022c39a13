"""The append-only partitioned log of the embedded mode: a directory per topic, a file per partition.

    topic.json      partition count and format version
    00000.log …     frames, back to back (layout: `frame`); only ever appended to
    committed       what every partition is known to hold durably (layout: `topic`)
    writer.lock     flock of the one writer

Three promises, and what keeps them:

*Acknowledged means durable.* `LogWriter.flush` writes and fsyncs the partitions it touches, then moves `committed`. Readers stop at
`committed`, so nobody acts on a record that a power cut could take back and replace by another at the same offset.

*Only a torn tail is cut.* Opening the writer reads the frames. Damage at the very end, beyond `committed`, is what a crash leaves: it
is cut and reported. Damage with a valid frame after it, or below `committed`, is corruption: it is refused, named, and left alone.

*One order.* Every flush stamps times above those of all earlier flushes. So the merged order (append_ms, partition, offset) of what is
committed now is a prefix of the merged order of any later state, and a follower sees what a replay sees.

A record's offset is the byte position of its frame: monotone, and found again with no index.
Copying a topic while it is written: copy `committed` first, then the partitions.
"""

from connectors.file_log.frame import (
    APPEND_MS_LIMIT,
    MAX_KEY_BYTES,
    MAX_PAYLOAD_BYTES,
    Record,
    partition_of,
)
from connectors.file_log.frames import Frames
from connectors.file_log.merge import MergedBatch, MergedReader, merged_read
from connectors.file_log.reader import LogReader, UnableToRead, end_offsets, read_at
from connectors.file_log.repair import TailCut, UnableToRepair, verify_topic
from connectors.file_log.topic import Topic, UnableToOpenTopic, create_topic, open_topic
from connectors.file_log.writer import LogWriter, UnableToAppend, UnableToLock

__all__ = [
    "APPEND_MS_LIMIT",
    "MAX_KEY_BYTES",
    "MAX_PAYLOAD_BYTES",
    "Frames",
    "LogReader",
    "LogWriter",
    "MergedBatch",
    "MergedReader",
    "Record",
    "TailCut",
    "Topic",
    "UnableToAppend",
    "UnableToLock",
    "UnableToOpenTopic",
    "UnableToRead",
    "UnableToRepair",
    "create_topic",
    "end_offsets",
    "merged_read",
    "open_topic",
    "partition_of",
    "read_at",
    "verify_topic",
]
