"""Raw records between bytes and plain values: what is decoded here has the shape that contracts/ promises.

Only shape is judged: types, required fields, known versions. Whether a value makes sense is the fold's to say.
"""

from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, Final

import orjson

VERSION: Final = 1
"""The one version of every record type so far."""
_INT64: Final = 1 << 63
MAX_LEVELS: Final = 32
"""Objects and lists inside each other, the record included: whoever passes a record on must be able to write it again."""


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
    if payload.count(b"[") + payload.count(b"{") > MAX_LEVELS and _is_deeper(record, MAX_LEVELS):
        raise UnableToDecode(f"more than {MAX_LEVELS} levels of objects and lists")
    kind = record.get("type")
    shape = RAW_SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise UnableToDecode(f"unknown type {kind!r:.60}")
    if type(record.get("v")) is not int or record["v"] != VERSION:
        raise UnableToDecode(f"unknown version {record.get('v')!r:.60} of {kind}")
    check_shape(record, shape, kind)
    if kind == "edit":
        check_shape(record, EDIT_SHAPES[record["action"]], f"edit {record['action']}")
    return record


def check_shape(record: Mapping[str, Any], shape: Mapping[str, "Check"], where: object) -> None:
    """`UnableToDecode` for the first field that is missing or of the wrong type; a name that ends in ? may be absent."""
    for key, check in shape.items():
        name = key.removesuffix("?")
        if name not in record:
            if name != key:
                continue
            raise UnableToDecode(f"{where}: field {name} is missing")
        if not check(record[name]):
            raise UnableToDecode(f"{where}: field {name} is {record[name]!r:.60}")


Check = Callable[[Any], bool]


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


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


def _is_quantities(value: Any) -> bool:
    """A list of integers and nulls; looked at as a whole, as it may be long."""
    if not isinstance(value, list) or not set(map(type, value)) <= {int, type(None)}:
        return False
    numbers = [number for number in value if number is not None]
    return not numbers or (min(numbers) >= -_INT64 and max(numbers) < _INT64)


def _shaped(shape: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        for key, test in shape.items():
            name = key.removesuffix("?")
            if name in value:
                if not test(value[name]):
                    return False
            elif name == key:
                return False
        return True

    return check


def _between(low: int, high: int) -> Check:
    return lambda value: _is_int(value) and low <= value <= high


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_int, value))


def _is_any_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_one_of(*words: str) -> Check:
    return lambda value: value in words


def _is_scope(value: Any) -> bool:
    return isinstance(value, str) and (value == "all" or (value.startswith("site:") and value != "site:"))


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_clock(value: Any) -> bool:
    """Rows (from_ms, offset in seconds, less than a day), at least one, in order of time: with any others a local day may have no start."""
    if not (_list_of(_is_pair)(value) and value):
        return False
    return all(_is_instant(at) and abs(offset) < 86_400 for at, offset in value) and all(
        before[0] < after[0] for before, after in pairwise(value)
    )


_is_instant = _between(-(10**15), 10**15)
"""Milliseconds: some thirty thousand years to either side, so that no sum of instants leaves int64."""
_is_service = _between(-86_400_000, 10_413_792_000_000)
"""An end of a span that a device serves for, years 1970 to 2299: every interval from there on is expected, and hardened one by one."""
_is_decimals = _between(0, 18)
_is_factor = _between(1, 10**18)
_is_version = _between(-(2**62), 2**62)
_is_source = _shaped({"file?": _is_any_text, "line?": _between(0, 2**32 - 1), "import?": _is_any_text})
_READING: Final[dict[str, Check]] = {
    "device": _is_text,
    "register": _is_text,
    "unit": _is_text,
    "version": _is_version,
    "sequence?": _is_int,
    "source?": _is_source,
}
_RANGE: Final[dict[str, Check]] = {
    "first": _is_int,
    "last": _is_int,
    "quality": _is_quality,
    "method?": _is_any_text,
    "reason?": _is_any_text,
}
_LIST: Final[dict[str, Check]] = {
    **_READING,
    "start_ms": _is_instant,
    "interval_s": _is_length,
    "quantities_nano": _is_quantities,
    "quality": _is_quality,
    "ranges?": _list_of(_shaped(_RANGE)),
    "method?": _is_any_text,
    "reason?": _is_any_text,
}
_TIMING: Final[dict[str, Check]] = {
    "sent_ms": _is_instant,
    "received_ms": _is_instant,
    "offset_ms?": _is_int,
    "uncertainty_ms?": _between(0, 10**12),
}
_REGISTER_SPAN: Final[dict[str, Check]] = {
    "register": _is_text,
    "channel": _is_text,
    "role": _is_one_of("intervals", "totals", "spans", "check"),
    "from_ms": _is_service,
    "to_ms": _or_null(_is_service),
    "multiplier?": _is_factor,
    "decimals?": _is_decimals,
    "digits?": _or_null(_between(1, 18)),
    "nano_per_count?": _is_factor,
    "max_nano_per_hour?": _or_null(_is_factor),
    "supply_point?": _is_text,
}
_POLICY: Final[dict[str, Check]] = {
    "interpolate_max_s?": _or_null(_between(0, 10**9)),
    "like_days?": _or_null(_between(1, 1000)),
    "spike_factor?": _or_null(_between(1, 10**6)),
    "zero_run_s?": _or_null(_between(0, 10**9)),
}
_CHANNEL: Final[dict[str, Check]] = {
    "channel": _is_text,
    "kind": _is_one_of("intervals", "totals", "spans"),
    "unit": _is_text,
    "interval_s": _is_length,
    "grid_s": _is_length,
    "allowance_s?": _between(0, 10**9),
    "horizon_days?": _between(1, 4000),
    "signed?": _is_bool,
    "policy?": _shaped(_POLICY),
    "supply_point?": _is_text,
}
_CALENDAR: Final[dict[str, Check]] = {
    "site": _is_text,
    "utc_offsets": _is_clock,
    "holidays?": _list_of(_is_day),
    "time_zone?": _is_any_text,
}
_SAID: Final[dict[str, Check]] = {"device": _is_text, "person": _is_text, "reason": _is_text}

RAW_SHAPES: Final[dict[str, dict[str, Check]]] = {
    "interval": {
        **{name: check for name, check in _LIST.items() if name != "quantities_nano"},
        "quantity_nano": _or_null(_is_int),
    },
    "window": _LIST,
    "day": _LIST,
    "register": {**_READING, "at_ms": _is_instant, "count": _is_int, "decimals": _is_decimals, "quality": _is_quality,
        "event?": _is_one_of("reset"), "words?": _list_of(_between(0, 65_535)), "flags?": _list_of(_is_any_text),
        "read_id?": _is_text, "timing?": _shaped(_TIMING),
    },
    "heartbeat": {"device": _is_text, "complete_through_ms": _is_instant, "sequence": _is_int},
    "status": {"device": _is_text, "at_ms": _is_instant,
        "kind": _is_one_of("clock", "communication", "gap", "exchange"), "offset_ms?": _is_int, "detail?": _is_any_text,
        "from_ms?": _is_instant, "to_ms?": _is_instant,
    },
    "assignment": {
        "device": _is_text,
        "version": _is_version,
        "spans": _list_of(_shaped({"supply_point": _is_text, "from_ms": _is_service, "to_ms": _or_null(_is_service)})),
        "reason?": _is_any_text,
    },
    "configuration": {
        "device": _is_text,
        "version": _is_version,
        "registers": _list_of(_shaped(_REGISTER_SPAN)),
        "channels": _list_of(_shaped(_CHANNEL)),
        "calendar": _shaped(_CALENDAR),
        "reason?": _is_any_text,
    },
    "gate": {"gate_id": _is_text, "scope": _is_scope, "until_ms": _is_instant, "partitions": _between(1, 65_536)},
    "edit": {**_SAID, "supply_point": _is_text, "channel": _is_text, "action": _is_one_of("replace", "refuse_read")},
    "release": {**_SAID, "coordinates": _list_of(_is_pair)},
    "dead_letter": {
        "reason": _is_text,
        "detail": lambda value: isinstance(value, str),
        "payload": lambda value: isinstance(value, str),
        "source?": _is_source,
    },
    "restatement": {**_SAID, "supply_point": _is_text, "channel": _is_text, "rows": _list_of(_shaped({
        "start_ms": _is_instant, "end_ms": _is_instant, "old_nano": _between(1 - 10**18, 10**18 - 1),
        "new_nano": _is_int, "revision": _between(0, 2**31),
        "quality": _is_quality,
    })), "replay_id?": _is_text},
}  # fmt: skip
"""Per raw record type: required field to check of its value."""

EDIT_SHAPES: Final[dict[str, dict[str, Check]]] = {
    "replace": {"start_ms": _is_instant, "quantity_nano": _is_int, "replaces_version": _is_version},
    "refuse_read": {"register": _is_text, "at_ms": _is_instant},
}
"""What an edit needs besides, by its action."""
