"""Raw records between bytes and plain values: what is decoded here has the shape that contracts/ promises.

Only shape is judged: types, required fields, known versions. Whether a value makes sense is the fold's to say.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

VERSION: Final = 1
"""The one version of every record type so far."""
_INT64: Final = 1 << 63


class UnableToDecode(ValueError):
    """The bytes are not a record of the contract; the message is the dead letter's reason."""


def encode(record: Mapping[str, Any]) -> bytes:
    """A record as the bytes of a log payload; keys sorted, so that equal records are equal bytes."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def decode(payload: bytes) -> dict[str, Any]:
    """The record in a payload that we wrote ourselves (curated, billing): no checks of shape."""
    record: dict[str, Any] = orjson.loads(payload)
    return record


def decode_raw(payload: bytes) -> dict[str, Any]:
    """A raw record, its required fields present and of the right type; `UnableToDecode` names what is not."""
    try:
        record = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise UnableToDecode(f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise UnableToDecode("not a JSON object")
    kind = record.get("type")
    shape = RAW_SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise UnableToDecode(f"unknown type {kind!r}")
    if record.get("v") != VERSION:
        raise UnableToDecode(f"unknown version {record.get('v')!r} of {kind}")
    check_shape(record, shape, kind)
    return record


def check_shape(record: Mapping[str, Any], shape: Mapping[str, "Check"], where: str) -> None:
    """`UnableToDecode` for the first field that is missing or of the wrong type."""
    for name, check in shape.items():
        if name not in record:
            raise UnableToDecode(f"{where}: field {name} is missing")
        if not check(record[name]):
            raise UnableToDecode(f"{where}: field {name} is {record[name]!r:.60}")


Check = Callable[[Any], bool]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_length(value: Any) -> bool:
    return value == "LOCAL_DAY" or (_is_int(value) and 0 < value <= 86_400)


def _is_quality(value: Any) -> bool:
    return value in ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _shaped(shape: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, dict) and all(name in value and test(value[name]) for name, test in shape.items())

    return check


def _is_one_of(*words: str) -> Check:
    return lambda value: value in words


_is_pair = _list_of(_is_int)
_READING: Final[dict[str, Check]] = {"device": _is_text, "register": _is_text, "unit": _is_text, "version": _is_int}
_LIST: Final[dict[str, Check]] = {
    **_READING,
    "start_ms": _is_int,
    "interval_s": _is_length,
    "quantities_nano": _list_of(_or_null(_is_int)),
    "quality": _is_quality,
}
_REGISTER_SPAN: Final[dict[str, Check]] = {
    "register": _is_text,
    "channel": _is_text,
    "role": _is_one_of("intervals", "totals", "spans", "check"),
    "from_ms": _is_int,
    "to_ms": _or_null(_is_int),
}
_CHANNEL: Final[dict[str, Check]] = {
    "channel": _is_text,
    "kind": _is_one_of("intervals", "totals", "spans"),
    "unit": _is_text,
    "interval_s": _is_length,
    "grid_s": _is_length,
}
_CALENDAR: Final[dict[str, Check]] = {"site": _is_text, "utc_offsets": _list_of(_is_pair)}
_SAID: Final[dict[str, Check]] = {"device": _is_text, "person": _is_text, "reason": _is_text}

RAW_SHAPES: Final[dict[str, dict[str, Check]]] = {
    "interval": {
        **{name: check for name, check in _LIST.items() if name != "quantities_nano"},
        "quantity_nano": _or_null(_is_int),
    },
    "window": _LIST,
    "day": _LIST,
    "register": {**_READING, "at_ms": _is_int, "count": _is_int, "decimals": _is_int, "quality": _is_quality},
    "heartbeat": {"device": _is_text, "complete_through_ms": _is_int, "sequence": _is_int},
    "status": {"device": _is_text, "at_ms": _is_int, "kind": _is_one_of("clock", "communication")},
    "assignment": {
        "device": _is_text,
        "version": _is_int,
        "spans": _list_of(_shaped({"supply_point": _is_text, "from_ms": _is_int, "to_ms": _or_null(_is_int)})),
    },
    "configuration": {
        "device": _is_text,
        "version": _is_int,
        "registers": _list_of(_shaped(_REGISTER_SPAN)),
        "channels": _list_of(_shaped(_CHANNEL)),
        "calendar": _shaped(_CALENDAR),
    },
    "gate": {"gate_id": _is_text, "scope": _is_text, "until_ms": _is_int, "partitions": _is_int},
    "edit": {**_SAID, "supply_point": _is_text, "channel": _is_text, "action": _is_one_of("replace", "refuse_read")},
    "release": {**_SAID, "coordinates": _list_of(_is_pair)},
    "dead_letter": {
        "reason": _is_text,
        "detail": lambda value: isinstance(value, str),
        "payload": lambda value: isinstance(value, str),
    },
    "restatement": {**_SAID, "supply_point": _is_text, "channel": _is_text, "rows": _list_of(_shaped({
        "start_ms": _is_int, "end_ms": _is_int, "old_nano": _is_int, "new_nano": _is_int, "revision": _is_int,
        "quality": _is_quality,
    }))},
}  # fmt: skip
"""Per raw record type: required field to check of its value."""
