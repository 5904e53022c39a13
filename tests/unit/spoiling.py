"""Bytes that are almost a record: what a scanner must leave alone, or read as the codec does."""

import json
from random import Random

from connectors.codec import decode, encode

WORDS: tuple[bytes, ...] = (
    b"null", b"true", b"1.5", b"1e3", b"-0", b"007", b"-1", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
    b"-9223372036854775809", b"99999999999999999999", b"10000000000000000", b"86400", b"86401", b'"LOCAL_DAY"', b'"ESTIMATED"', b'""',
    b'"a\\nb"', b'"\\u00e9"', "\"é€😀\x7f\"".encode(), b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\xf5"', b'"\xe2\x82"', b"[]", b"[0]", b"{}",
    b"[[]]", b"[1,2]", b"[null,-3]", b'{"first":0,"last":0,"quality":"MISSING"}', b'[{"first":1,"last":9,"quality":"MISSING"}]',
)  # fmt: skip
"""What a value is replaced by."""


def spoiled(rng: Random, payload: bytes) -> bytes:
    """One to three changes: a byte, a stretch, a value or a field."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        payload = rng.choice([_byte, _stretch, _value, _value, _field])(rng, payload)
    return payload


def _byte(rng: Random, payload: bytes) -> bytes:
    at = rng.randrange(len(payload) + 1)
    new = bytes([rng.choice([rng.randrange(256), *b'"\\,:[]{}0-9. \x00'])])
    return rng.choice(
        [payload[:at] + new + payload[at + 1 :], payload[:at] + new + payload[at:], payload[:at] + payload[at + 1 :]]
    )


def _stretch(rng: Random, payload: bytes) -> bytes:
    start = rng.randrange(len(payload) + 1)
    end = min(start + rng.randrange(40), len(payload))
    return rng.choice([payload[:start] + payload[end:], payload[:end] + payload[start:], payload[:end], payload + b" "])


def _value(rng: Random, payload: bytes) -> bytes:
    """A number or text replaced where it stands."""
    starts = [at + 1 for at, byte in enumerate(payload) if byte in b":[,"]
    if not starts:
        return payload
    start = rng.choice(starts)
    end = start
    while end < len(payload) and payload[end] not in b",]}":
        end += 1
    return payload[:start] + rng.choice(WORDS) + payload[end:]


def _field(rng: Random, payload: bytes) -> bytes:
    """A field left out, renamed, added, repeated, or put elsewhere."""
    try:
        record = decode(payload)
    except ValueError:
        return payload
    if not isinstance(record, dict) or not record:
        return payload
    names = list(record)
    name = rng.choice(names)
    how = rng.randrange(5)
    if how == 0:
        return encode({key: value for key, value in record.items() if key != name})
    if how == 1:
        return encode({(key + "x" if key == name else key): value for key, value in record.items()})
    if how == 2:
        return encode(
            {**record, rng.choice(["a", "origin", "method", "reason", "zone", "tail"]): rng.choice([1, "x", [0, 1, 2]])}
        )
    if how == 3:
        return payload[:-1] + b"," + encode({name: record[name]})[1:]
    rng.shuffle(names)
    return json.dumps({key: record[key] for key in names}, separators=(",", ":"), ensure_ascii=False).encode()
