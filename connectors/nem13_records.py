"""What a NEM13 250 record means: two reads of one register, and whether its quantity is what they say. `nem13` puts files together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.dead_letter import UnableToInterpret
from connectors.nem12_records import RESEND, meaning_of, stamp_ms
from connectors.quantity_text import canonical_unit, count_of

_FIELDS = 23  # of a 250 record; the last three may be absent
_NEEDED = 20
_DIGITS = re.compile(r"(\d{1,18})(?:\.\d+)?", re.ASCII)
_METHOD = re.compile(r"[AN]|[SFE](?:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RegisterRead:
    """One read: `count` of the last digit, which stands at `decimals`; `digits` before the point, leading zeros included.

    `flags` are the quality method and the reason code as delivered, when the quality is not A.
    """

    at_ms: int
    count: int
    decimals: int
    digits: int
    quality: str
    flags: list[str]


@dataclass(frozen=True, slots=True)
class Accumulation:
    """A 250 record. `reads` are those it has: one of quality N is not a read. `version` is ms since 1970, the update time."""

    device: str
    register: str
    unit: str
    version: int
    reads: tuple[RegisterRead, ...]
    missing: tuple[str, ...]


def accumulation_of(fields: list[str], offset_ms: int, created_ms: int) -> Accumulation:
    """A 250 record, its quantity held against its reads.

    `offset_ms` is the market's clock ahead of UTC, `created_ms` the version of a record without update time. Raises
    `UnableToInterpret` for a record that is cut off, names no register, has a value that is none, ends before it begins, or
    whose quantity is not what its reads say.
    """
    if len(fields) < _NEEDED:
        raise UnableToInterpret(
            "cut_line", f"The 250 record has {len(fields)} fields of {_FIELDS}: it is cut off.", RESEND
        )
    if len(fields) > _FIELDS:
        raise UnableToInterpret(
            "cell_count",
            f"The 250 record has {len(fields)} fields, not {_FIELDS}.",
            "Is there a comma within a number?",
        )
    cells = [field.strip() for field in fields] + [""] * (_FIELDS - len(fields))
    nmi, suffix, serial, direction = cells[1], cells[4], cells[6], cells[7]
    if not nmi or not suffix:
        raise UnableToInterpret("no_channel_name", f"The 250 record has no {'NMI suffix' if nmi else 'NMI'}.", RESEND)
    if direction not in ("E", "I"):
        raise UnableToInterpret("unknown_direction", f"The direction is '{direction[:20]}', not E or I.", RESEND)
    version = stamp_ms(cells[21], offset_ms) if cells[21] else created_ms
    previous, current = _read_of("previous", cells[8:12], offset_ms), _read_of("current", cells[13:17], offset_ms)
    if previous is not None and current is not None:
        if previous.at_ms >= current.at_ms:
            raise UnableToInterpret(
                "bad_period", f"The current read ({cells[14]}) is not after the previous one ({cells[9]}).", RESEND
            )
        _check_quantity(previous, current, cells)
    both = (("previous", previous), ("current", current))
    return Accumulation(
        f"{nmi}/{serial}" if serial else nmi,
        suffix,
        canonical_unit(cells[19]),
        version,
        tuple(read for _, read in both if read is not None),
        tuple(which for which, read in both if read is None),
    )


def _read_of(which: str, cells: list[str], offset_ms: int) -> RegisterRead | None:
    """The read in (register read, date-time, quality method, reason code); None when its quality is N."""
    text, stamp, method, reason = cells
    if not _METHOD.fullmatch(method):
        raise UnableToInterpret(
            "unknown_quality",
            f"'{method[:20]}' is not the quality of the {which} read: A, N, or E, F, S with its method.",
            RESEND,
        )
    if method == "N":
        return None
    number = _DIGITS.fullmatch(text)
    if number is None:
        raise UnableToInterpret(
            "not_a_number",
            f"The {which} read is '{text[:40]}', not the digits of a register."
            if text
            else f"There is no {which} read.",
            f"Was the file saved by a spreadsheet? {RESEND}",
        )
    count, decimals = count_of(text)
    flags = [] if method == "A" else [code for code in (method, reason) if code]
    quality = meaning_of(method, "")["quality"]
    return RegisterRead(stamp_ms(stamp, offset_ms), count, decimals, len(number[1]), quality, flags)


def _check_quantity(previous: RegisterRead, current: RegisterRead, cells: list[str]) -> None:
    """Raises `UnableToInterpret` unless the quantity is the difference of the reads, or that and one turn of the register.

    A turn is 10 to the digits that the longer text shows. A quantity of fewer decimals than the reads may be their difference rounded.
    """
    quantity, decimals = count_of(cells[18])
    scale = max(previous.decimals, current.decimals, decimals)
    step = 10 ** (scale - decimals)
    stated = quantity * step
    difference = current.count * 10 ** (scale - current.decimals) - previous.count * 10 ** (scale - previous.decimals)
    turn = 10 ** (max(previous.digits, current.digits) + scale)
    if difference >= 0 and abs(stated - difference) < step:
        return
    if difference < 0 and abs(stated - difference - turn) < step:
        return
    said = f"The quantity is {cells[18]}, and the reads went from {cells[8]} to {cells[13]}"
    if abs(abs(stated) - abs(difference)) < step:
        raise UnableToInterpret(
            "negative_quantity",
            f"{said}: it is negative, or the register ran backwards, and a register that is billed only runs forwards.",
            "Ask the sender for a register that counts this direction upwards, with a quantity that is not negative.",
        )
    raise UnableToInterpret(
        "quantity_mismatch",
        f"{said}: that is neither their difference nor a turn of the register.",
        "Ask the sender which of the three is right; a quantity with a factor in it cannot be checked.",
    )
