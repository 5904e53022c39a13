"""What a poll brings home: values that pass from the links over the outbox to the log."""

from dataclasses import dataclass
from enum import StrEnum


class Priority(StrEnum):
    """Which reads go first, and which are given up last."""

    BILLING = "billing"
    TELEMETRY = "telemetry"


class Flag(StrEnum):
    """Why a read deserves a second look; published with it. The decision is the fold's."""

    ZERO = "ZERO"
    """The total is zero, and was above zero before; read again, still zero."""
    BACKWARD = "BACKWARD"
    """The total is below the last one; read again, still below."""
    SENTINEL = "SENTINEL"
    """The words are what the meter shows when it has no value; read again, the same. The read has no count."""
    LATE = "LATE"
    """Taken more than the site's tolerance after its boundary."""
    CLOCK_STEPPED = "CLOCK_STEPPED"
    """The collector's wall clock was moved since the last boundary."""
    CLOCK_UNSYNCHRONISED = "CLOCK_UNSYNCHRONISED"
    """No time source holds the collector's clock."""
    REREAD = "REREAD"
    """Asked for by a command, from the meter's load profile or now."""


@dataclass(frozen=True, slots=True)
class ClockQuality:
    """How far the collector's clock may be wrong. Null: not known."""

    is_synchronised: bool
    offset_ms: int | None
    uncertainty_ms: int | None


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """One register of one device at one instant.

    `count` is the total in the last digit of the register, which stands `decimals` places after the point of `unit`; null when the
    words hold no number. `words` are the 16-bit words as received. Times are the collector's own clock, in ms of UTC: when the
    request was sent and when its answer was complete.
    """

    device: str
    register: str
    unit: str
    priority: Priority
    boundary_ms: int
    sent_ms: int
    received_ms: int
    count: int | None
    decimals: int
    words: tuple[int, ...]
    flags: tuple[Flag, ...]
    clock: ClockQuality

    @property
    def at_ms(self) -> int:
        """The instant of the read: half way between request and answer, as the meter latched it somewhere between the two."""
        return (self.sent_ms + self.received_ms) // 2


class StatusKind(StrEnum):
    """What a status record is about."""

    CLOCK = "clock"
    COMMUNICATION = "communication"
    GAP = "gap"
    """Reads of [from, to) that will not come: evicted from a full outbox, or lost with a torn file."""
    EXCHANGE = "exchange"
    """Another meter or scale answers at the device's address: its reads go by another device's name until somebody assigns it."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Something to say of a device that is no read. `detail` is for people."""

    device: str
    at_ms: int
    kind: StatusKind
    detail: str
    offset_ms: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one link brought home from one boundary; committed in one piece.

    `polled` are the devices whose billing registers were asked, answered or not: nothing older will come of them but what the
    outbox still holds.
    """

    boundary_ms: int
    readings: tuple[RegisterReading, ...]
    reports: tuple[StatusReport, ...]
    polled: tuple[str, ...]
