"""Whether a unit is still the meter that it was, and whether its totals are plausible. Pure; what must outlive the process is handed out.

The decision about a doubtful total is the fold's: here it is read again, flagged and published. An exchanged meter is published under
another name, which nobody has assigned, so that it is not billed as the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge_collector.plan import Request
from edge_collector.profile import IdentityRole, ScaleSpec
from edge_collector.reading import Flag, StatusKind, StatusReport
from edge_collector.words import decode_identity, decode_scale

CHECK_EVERY_MS: Final = 86_400_000
"""The identity is read once a day, and whenever there was a failure."""

UNKNOWN: Final = "unknown"
"""The serial number, in a name, of a meter that does not tell it and once did."""


class UnableToIdentify(Exception):
    """The meter's serial number reads as nothing, zeros or ones, and once read as something."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a meter says it is. `serial` null: it does not say, and `is_blank`: it has a place to say it. `is_expected`: its model is one
    that the profile is for."""

    serial: str | None
    scale_words: Mapping[ScaleSpec, tuple[int, ...]]
    is_expected: bool = True
    is_blank: bool = False

    @property
    def scale(self) -> str:
        """Digits after the point, of each scale register, in order of address; empty without such."""
        ordered = sorted(self.scale_words.items(), key=lambda item: (item[0].function, item[0].address))
        return ",".join(str(decode_scale(spec, words)) for spec, words in ordered)


def identity_of(blocks: Iterable[tuple[Request, Sequence[int] | None]]) -> Identity:
    """Out of the identity blocks of a plan, null for one that the meter does not have. Raises `UnableToDecode` for a scale that is none."""
    serial, is_expected, is_blank = None, True, False
    scales: dict[ScaleSpec, tuple[int, ...]] = {}
    for request, words in blocks:
        for spec in request.identity:
            text = None if words is None else decode_identity(spec, request.words_of(spec, words))
            if spec.role is IdentityRole.SERIAL:
                serial, is_blank = text, words is not None and text is None
            elif spec.expected:
                is_expected = text in spec.expected
        for scale in request.scales:
            decode_scale(scale, None if words is None else request.words_of(scale, words))
            scales[scale] = request.words_of(scale, words or ())
    return Identity(serial, scales, is_expected, is_blank)


class Trust:
    """One unit's. `name` is the device under which its reads go out, `device` the site's name for it.

    `recall` gives what was remembered of earlier runs; `take_memory` what is to be remembered with the next cycle. Keys are
    `serial/DEVICE`, `scale/NAME`, `name/DEVICE` and `count/NAME/REGISTER`.
    """

    def __init__(self, device: str, pinned_serial: str | None, recall: Callable[[str], str | None]) -> None:
        self.device = device
        self.scale_words: Mapping[ScaleSpec, tuple[int, ...]] = {}
        self._pinned = pinned_serial
        self._recall_outside = recall
        self._known: dict[str, str | None] = {}
        self._updates: dict[str, str] = {}
        self._checked_ms: float | None = None

    @property
    def name(self) -> str:
        return self._recall(f"name/{self.device}") or self.device

    def is_due(self, now_ms: float) -> bool:
        """Whether the identity must be read before anything is published. `now_ms` is of the monotonic clock."""
        return self._checked_ms is None or now_ms - self._checked_ms >= CHECK_EVERY_MS or bool(self.scale_words)

    def doubt(self) -> None:
        """There was a failure: another meter may answer from now on."""
        self._checked_ms = None

    def identified(self, identity: Identity, now_ms: float, at_ms: int) -> StatusReport | None:
        """The unit said what it is: find its name, and say so if that has changed. Raises `UnableToIdentify`."""
        before = self.name
        name = self._name_of(identity)
        self._remember(f"name/{self.device}", name)
        self._checked_ms = now_ms
        self.scale_words = identity.scale_words
        if name == before:
            return None
        if name == self.device:
            detail = f"the meter {identity.serial or UNKNOWN} is back; before, reads went to {before}"
            return StatusReport(self.device, at_ms, StatusKind.COMMUNICATION, detail)
        return StatusReport(self.device, at_ms, StatusKind.EXCHANGE, self._exchange(identity, name))

    def doubt_of(self, register: str, count: int | None) -> Flag | None:
        """Why a total should be read again; null when it is plausible."""
        if count is None:
            return Flag.SENTINEL
        text = self._recall(f"count/{self.name}/{register}")
        if text is None or count >= int(text):
            return None
        return Flag.ZERO if count == 0 else Flag.BACKWARD

    def published(self, register: str, count: int | None) -> None:
        """A total goes out; the next one is compared with it."""
        if count is not None:
            self._remember(f"count/{self.name}/{register}", str(count))

    def take_memory(self) -> dict[str, str]:
        """What is new since it was taken last, to be committed with the readings."""
        updates, self._updates = self._updates, {}
        return updates

    def _name_of(self, identity: Identity) -> str:
        known = self._pinned or self._recall(f"serial/{self.device}")
        if known is not None and identity.is_blank:
            raise UnableToIdentify(f"the serial number reads as nothing; it was {known}")
        if known is None and identity.serial is not None:
            known = identity.serial
            self._remember(f"serial/{self.device}", identity.serial)
        is_same = identity.is_expected and _plain(known) == _plain(identity.serial)
        name = self.device if is_same else f"{self.device}@{identity.serial or UNKNOWN}"
        known_scale = self._recall(f"scale/{name}")
        if known_scale is None:
            self._remember(f"scale/{name}", identity.scale)
        elif known_scale != identity.scale:
            name = f"{self.device}@{identity.serial or UNKNOWN}/{identity.scale}"
        return name

    def _exchange(self, identity: Identity, name: str) -> str:
        known = self._pinned or self._recall(f"serial/{self.device}") or UNKNOWN
        if not identity.is_expected:
            what = "a model that the profile is not for answers"
        elif _plain(known) != _plain(identity.serial):
            what = f"serial number {identity.serial or UNKNOWN} answers, not {known}"
        else:
            what = f"the scale register says {identity.scale}"
        return f"{what}; reads go to {name} until somebody assigns it"

    def _recall(self, key: str) -> str | None:
        if key not in self._known:
            self._known[key] = self._recall_outside(key)
        return self._known[key]

    def _remember(self, key: str, text: str) -> None:
        if self._recall(key) != text:
            self._known[key] = self._updates[key] = text


def _plain(serial: str | None) -> str:
    """As it is compared: a plate shows leading zeros, and capitals, where the register does not."""
    return (serial or UNKNOWN).strip().casefold().lstrip("0")
